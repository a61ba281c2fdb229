import { expect, test } from 'vitest';
import { CelMap, type CelValue } from '../values.ts';
import { add } from './arithmetic.ts';
import { equality } from './equality.ts';

/** A value that shares its parts: few lists in memory, 2^40 leaves for whoever walks it. */
function doubled(leaf: CelValue, wrap: (value: CelValue) => CelValue = (value) => [value, value]): CelValue {
  let value = leaf;
  for (let i = 0; i < 40; i++) value = wrap(value);
  return value;
}

test.each<[string, CelValue, CelValue, boolean]>([
  ['a list with itself', doubled('x'), doubled('x'), true],
  ['lists that differ at the leaf', doubled('x'), doubled('y'), false],
  ['lists with NaN, which equals nothing', doubled(Number.NaN), doubled(Number.NaN), false],
  ['objects', doubled('x', (value) => ({ a: value, b: value })), doubled('x', (value) => ({ a: value, b: value })), true],
  ['maps', doubled('x', mapOfTwo), doubled('x', mapOfTwo), true],
])('%s are compared in the time that their lists in memory take', (_, a, b, expected) => {
  expect(equality(a, b)).toBe(expected);
  expect(equality(a, a)).toBe(equality(b, b));
});

function mapOfTwo(value: CelValue): CelValue {
  return new CelMap(
    new Map([
      ['a', ['a', value]],
      ['b', ['b', value]],
    ]),
  );
}

test('long lists are compared to their ends after pairs are remembered', () => {
  const list = Array.from({ length: 8_000 }, (_, i) => ({ name: `c${i}`, ports: [i] }));
  const same = structuredClone(list);
  const other = structuredClone(list);
  other[7_999] = { name: 'c7999', ports: [0] };
  expect(equality(list, same)).toBe(true);
  expect(equality(list, other)).toBe(false);
});

test('lists and bytes that would be too long are not built', () => {
  const double = (value: CelValue): CelValue => add(value, value);
  const grow = (value: CelValue) => () => {
    let grown = value;
    for (let i = 0; i < 40; i++) grown = double(grown);
  };
  expect(grow(['x', 'y'])).toThrow('operation cancelled: result is too large');
  expect(grow(new Uint8Array(2))).toThrow('operation cancelled: result is too large');
});
