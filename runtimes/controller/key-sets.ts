/** Sets of keys by name: which instances wait for what. Holds nothing for names without keys. */
export class KeySets {
  readonly #sets = new Map<string, Set<string>>();

  has(name: string): boolean {
    return this.#sets.has(name);
  }

  add(name: string, key: string): void {
    const keys = this.#sets.get(name);
    if (keys === undefined) this.#sets.set(name, new Set([key]));
    else keys.add(key);
  }

  of(name: string): Iterable<string> {
    return this.#sets.get(name) ?? [];
  }

  names(): readonly string[] {
    return [...this.#sets.keys()];
  }

  /** Takes all keys of a name out. */
  take(name: string): Iterable<string> {
    const keys = this.of(name);
    this.#sets.delete(name);
    return keys;
  }

  delete(name: string, key: string): void {
    const keys = this.#sets.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#sets.delete(name);
  }

  /** Takes a key out wherever it is; for sets of few names. */
  deleteKey(key: string): void {
    for (const name of this.names()) this.delete(name, key);
  }
}
