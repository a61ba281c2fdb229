import type { IpFamily } from '../../../engine/object/ip-address.ts';

const WORD_BITS = 5n;
const LAST_BIT = 31n;

/**
 * Taken addresses of one family, as numbers, with the question for the next that is free. A tree of words of 32 bits: a bit of the lowest
 * level stands for an address, a bit above for a word that is full below. Only words with a bit in them are kept, so that the size is that of
 * what is taken, whatever the range; each operation looks at two words per level at most.
 */
export class AddressSet {
  readonly #levels: readonly Map<bigint, number>[];
  #size = 0;

  constructor(family: IpFamily) {
    this.#levels = Array.from({ length: family === 4 ? 7 : 26 }, () => new Map<bigint, number>());
  }

  get size(): number {
    return this.#size;
  }

  has(address: bigint): boolean {
    return ((this.#wordOf(0, address) >>> bitOf(address)) & 1) === 1;
  }

  /** Answers whether it was not there before. */
  add(address: bigint): boolean {
    if (this.has(address)) return false;
    let position = address;
    for (const level of this.#levels) {
      const key = position >> WORD_BITS;
      const word = (level.get(key) ?? 0) | (1 << bitOf(position));
      level.set(key, word);
      if (word !== -1) break;
      position = key;
    }
    this.#size++;
    return true;
  }

  /** Answers whether it was there. */
  delete(address: bigint): boolean {
    if (!this.has(address)) return false;
    let position = address;
    for (const level of this.#levels) {
      const key = position >> WORD_BITS;
      const before = level.get(key) ?? 0;
      const word = before & ~(1 << bitOf(position));
      if (word === 0) level.delete(key);
      else level.set(key, word);
      if (before !== -1) break;
      position = key;
    }
    this.#size--;
    return true;
  }

  /** The lowest address from `from` to `to`, both included, that is not in the set. */
  nextFree(from: bigint, to: bigint): bigint | undefined {
    let position = from;
    let level = 0;
    while (level < this.#levels.length && position << (WORD_BITS * BigInt(level)) <= to) {
      const free = ~this.#wordOf(level, position) & (-1 << bitOf(position));
      if (free === 0) {
        // Nothing more in this word: go on behind it, a level higher.
        position = (position >> WORD_BITS) + 1n;
        level++;
        continue;
      }
      position = ((position >> WORD_BITS) << WORD_BITS) + BigInt(31 - Math.clz32(free & -free));
      if (level === 0) return position <= to ? position : undefined;
      position <<= WORD_BITS;
      level--;
    }
    return undefined;
  }

  #wordOf(level: number, position: bigint): number {
    return this.#levels[level]?.get(position >> WORD_BITS) ?? 0;
  }
}

const bitOf = (position: bigint): number => Number(position & LAST_BIT);
