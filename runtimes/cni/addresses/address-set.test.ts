import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSet } from './address-set.ts';

/** Addresses around the borders of words of all levels. */
const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 200n }),
  fc.bigInt({ min: 1000n, max: 1100n }),
  fc.bigInt({ min: 2n ** 32n - 40n, max: 2n ** 32n - 1n }),
);

describe('AddressSet', () => {
  it('answers as a plain set does', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), address), { maxLength: 300 });
    fc.assert(
      fc.property(steps, address, address, (changes, a, b) => {
        const set = new AddressSet(4);
        const model = new Set<bigint>();
        for (const [isAdded, value] of changes) {
          expect(isAdded ? set.add(value) : set.delete(value)).toBe(isAdded ? !model.has(value) : model.has(value));
          if (isAdded) model.add(value);
          else model.delete(value);
        }
        expect(set.size).toBe(model.size);
        for (const value of model) expect(set.has(value)).toBe(true);
        const [from, to] = a < b ? [a, b] : [b, a];
        const end = from + 250n < to ? from + 250n : to;
        let expected: bigint | undefined;
        for (let value = from; value <= end && expected === undefined; value++) if (!model.has(value)) expected = value;
        expect(set.nextFree(from, end)).toBe(expected);
      }),
    );
  });

  it('finds the only hole in what is full over several levels, and none where there is none', () => {
    const set = new AddressSet(4);
    for (let value = 0n; value < 70_000n; value++) set.add(value);
    expect(set.nextFree(0n, 69_999n)).toBeUndefined();
    expect(set.nextFree(0n, 1n << 31n)).toBe(70_000n);
    set.delete(40_001n);
    expect(set.nextFree(0n, 69_999n)).toBe(40_001n);
    expect(set.nextFree(40_002n, 69_999n)).toBeUndefined();
    set.add(40_001n);
    expect(set.nextFree(0n, 69_999n)).toBeUndefined();
  });

  it('is as large as what is in it, whatever the range', () => {
    const set = new AddressSet(6);
    const base = 0xfd00n << 112n;
    set.add(base + 2n);
    expect(set.nextFree(base + 1n, base + (1n << 64n))).toBe(base + 1n);
    expect(set.nextFree(base + 2n, base + (1n << 64n))).toBe(base + 3n);
    expect(set.nextFree((1n << 128n) - 1n, (1n << 128n) - 1n)).toBe((1n << 128n) - 1n);
    set.add((1n << 128n) - 1n);
    expect(set.nextFree((1n << 128n) - 1n, (1n << 128n) - 1n)).toBeUndefined();
  });
});
