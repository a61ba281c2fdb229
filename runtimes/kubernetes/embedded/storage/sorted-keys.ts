/** Keys in the order of their characters, which is etcd's order for what names may hold. */
export class SortedKeys {
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  at(index: number): string | undefined {
    return this.#keys[index];
  }

  /** Index of the first key that is not before `key`. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The key must not be there yet. */
  add(key: string): void {
    const last = this.#keys.at(-1);
    // Lists are often loaded in order.
    if (last === undefined || last < key) this.#keys.push(key);
    else this.#keys.splice(this.lowerBound(key), 0, key);
  }

  remove(key: string): void {
    const index = this.lowerBound(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }
}
