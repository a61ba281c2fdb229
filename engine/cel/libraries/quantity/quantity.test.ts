import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatQuantity } from './format.ts';
import { parseQuantity } from './parse.ts';
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityMilliValue,
  quantityOfInt,
  quantityToNumber,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';

function quantity(text: string): Quantity {
  const parsed = parseQuantity(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.quantity;
}

/** The canonical form, whatever the form that was read. */
const canonical = (text: string): string => formatQuantity(addQuantities(quantity(text), quantity('0')));

describe('quantities', () => {
  it.each([
    ['0', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1500m', '1500m'],
    ['1.5', '1500m'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1024Mi', '1Gi'],
    ['100000', '100k'],
    ['1e3', '1e3'],
    ['12E6', '12e6'],
    ['1e1', '10'],
    ['0.1n', '1n'],
    ['-5.5m', '-5500u'],
    ['100Ei', '9223372036854775807'],
  ])('%s is written %s', (text, written) => {
    expect(canonical(text)).toBe(written);
  });

  it.each(['', 'a', '1 ', '1Kii', '1e', '.Pi', '1.2.3', '1e99999999999999999999', '1e999999'])('%j is none', (text) => {
    expect(parseQuantity(text).ok).toBe(false);
  });

  it('keeps the form it was read in until it is changed', () => {
    expect(formatQuantity(quantity('1.5Gi'))).toBe('1536Mi');
    expect(formatQuantity(quantity('5Mi'))).toBe('5Mi');
    expect(formatQuantity(quantity('1001m'))).toBe('1001m');
  });

  it('reads an amount the same again, also after more others than are kept', () => {
    const first = parseQuantity('1.5Gi');
    const shape = parseQuantity('1.5Gx');
    for (let i = 1; i <= 2000; i++) expect(quantityValue(quantity(`${i}Ki`))).toBe(BigInt(i) * 1024n);
    expect(parseQuantity('1.5Gi')).toEqual(first);
    expect(parseQuantity('1.5Gx')).toEqual(shape);
    expect(quantityValue(quantity('2000Ki'))).toBe(2_048_000n);
  });

  it('rounds away from zero when asked for whole numbers', () => {
    expect(quantityValue(quantity('1500m'))).toBe(2n);
    expect(quantityValue(quantity('-1500m'))).toBe(-2n);
    expect(quantityMilliValue(quantity('0.0001'))).toBe(1n);
    expect(quantityValue(quantity('1e30'))).toBe(9223372036854775807n);
    expect(quantityToNumber(quantity('250m'))).toBe(0.25);
  });

  const amounts = fc
    .tuple(
      fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n }),
      fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e2', 'e-3'),
    )
    .map(([number, suffix]) => quantity(`${number}${suffix}`));

  it('read back what they write', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(compareQuantities(quantity(formatQuantity(amount)), amount)).toBe(0);
      }),
    );
  });

  it('add and subtract exactly', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        expect(compareQuantities(subtractQuantities(addQuantities(a, b), b), a)).toBe(0);
        expect(compareQuantities(addQuantities(a, b), addQuantities(b, a))).toBe(0);
        expect(compareQuantities(a, b)).toBe(-compareQuantities(b, a) + 0);
      }),
    );
  });

  it('take whole numbers', () => {
    expect(formatQuantity(quantityOfInt(1500n))).toBe('1500');
    expect(formatQuantity(quantityOfInt(2048n, 'BinarySI'))).toBe('2Ki');
  });
});
