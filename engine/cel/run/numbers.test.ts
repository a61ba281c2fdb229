import { describe, expect, test } from 'vitest';
import { CelError, type CelValue, Double, double, Uint } from '../values.ts';
import { add, divide, modulo, multiply, negate, subtract } from './arithmetic.ts';
import { toDouble, toInt, toText, toUint } from './convert.ts';
import { formatDouble } from './double-format.ts';
import { equals } from './equality.ts';
import { mapKey } from './map-key.ts';
import { less } from './order.ts';

const MAX = 9223372036854775807n;
const MIN = -9223372036854775808n;
const UMAX = new Uint(18446744073709551615n);

function result(run: () => CelValue): CelValue {
  try {
    return run();
  } catch (error) {
    if (error instanceof CelError) return `error: ${error.message}`;
    throw error;
  }
}

describe('int64 and uint64', () => {
  test.each<[string, () => CelValue, CelValue]>([
    ['max + 1', () => add(MAX, 1), 'error: integer overflow'],
    ['min - 1', () => subtract(MIN, 1), 'error: integer overflow'],
    ['max * 2', () => multiply(MAX, 2), 'error: integer overflow'],
    ['min / -1', () => divide(MIN, -1), 'error: integer overflow'],
    ['min % -1', () => modulo(MIN, -1), 'error: integer overflow'],
    ['-min', () => negate(MIN), 'error: integer overflow'],
    ['1 / 0', () => divide(1, 0), 'error: division by zero'],
    ['1 % 0', () => modulo(1, 0), 'error: modulus by zero'],
    ['beyond 2^53 and back', () => subtract(add(9007199254740991, 10), 10), 9007199254740991],
    ['2^53 exactly', () => add(9007199254740991, 1), 9007199254740992n],
    ['2^62', () => multiply(2147483648, 2147483648), 4611686018427387904n],
    ['truncation', () => divide(-7, 2), -3],
    ['sign of the remainder', () => modulo(-7, 2), -1],
    ['no negative zero', () => multiply(0, -5), 0],
    ['-0', () => negate(0), 0],
    ['0u - 1u', () => subtract(new Uint(0n), new Uint(1n)), 'error: unsigned integer overflow'],
    ['umax + 1u', () => add(UMAX, new Uint(1n)), 'error: unsigned integer overflow'],
    ['1 + 1.0', () => add(1, double(1)), 'error: no such overload'],
    ['1 + 1u', () => add(1, new Uint(1n)), 'error: no such overload'],
    ['true + 1', () => add(true, 1), 'error: no such overload: _+_'],
  ])('%s', (_, run, expected) => {
    expect(result(run)).toEqual(expected);
    if (expected === 0) expect(Object.is(run(), 0)).toBe(true);
  });
});

describe('equality and order across types', () => {
  test.each<[CelValue, CelValue, boolean]>([
    [1, double(1), true],
    [1, new Uint(1n), true],
    [double(1), new Uint(1n), true],
    [1, 1.5, false],
    [double(Number.NaN), double(Number.NaN), false],
    [MAX, new Double(2 ** 63), true],
    [MAX, new Uint(2n ** 63n), false],
    [1, '1', false],
    [true, 1, false],
    [null, 0, false],
    [[1, 2], [double(1), new Uint(2n)], true],
    [{ a: 1 }, { a: double(1) }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{}, [], false],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2]), true],
  ])('%o == %o is %s', (a, b, expected) => {
    expect(equals(a, b)).toBe(expected);
    expect(equals(b, a)).toBe(expected);
  });

  test.each<[CelValue, CelValue, CelValue]>([
    [1, 1.5, true],
    [new Uint(1n), 2, true],
    [UMAX, MAX, false],
    [1, double(Number.NaN), 'error: NaN values cannot be ordered'],
    [1, '2', 'error: no such overload'],
    [null, 1, 'error: no such overload: _<_'],
    ['\uffff', '😀', true],
    ['a', 'ab', true],
  ])('%o < %o is %s', (a, b, expected) => {
    expect(result(() => less(a, b))).toBe(expected);
  });

  test('equal keys have one identity', () => {
    expect([1, double(1), new Uint(1n)].map(mapKey)).toEqual(['n1', 'n1', 'n1']);
    expect([mapKey('1'), mapKey(true), mapKey(1.5), mapKey(double(Number.NaN)), mapKey(null)]).toEqual([
      's1',
      'true',
      'd1.5',
      undefined,
      undefined,
    ]);
  });
});

describe('conversions', () => {
  test.each<[string, () => CelValue, CelValue]>([
    ['int("-9223372036854775808")', () => toInt('-9223372036854775808'), MIN],
    ['int("9223372036854775808")', () => toInt('9223372036854775808'), "error: type conversion error from 'string' to 'int'"],
    ['int("1.5")', () => toInt('1.5'), "error: type conversion error from 'string' to 'int'"],
    ['int("+5")', () => toInt('+5'), 5],
    ['int(1.9)', () => toInt(1.9), 1],
    ['int(-1.9)', () => toInt(-1.9), -1],
    ['int(2^63)', () => toInt(new Double(2 ** 63)), 'error: integer overflow'],
    ['int(NaN)', () => toInt(Number.NaN), 'error: integer overflow'],
    ['int(umax)', () => toInt(UMAX), 'error: integer overflow'],
    ['uint(-1)', () => toUint(-1), 'error: unsigned integer overflow'],
    ['uint("5")', () => toUint('5'), new Uint(5n)],
    ['double("1e400")', () => toDouble('1e400'), "error: type conversion error from 'string' to 'double'"],
    ['double("0x1p-2")', () => toDouble('0x1p-2'), 0.25],
    ['double("-Inf")', () => toDouble('-Inf'), -Infinity],
    ['double("3")', () => toDouble('3'), double(3)],
    ['string(max)', () => toText(MAX), '9223372036854775807'],
    ['string(bytes)', () => toText(new Uint8Array([0xff])), 'error: invalid UTF-8 in bytes, cannot convert to string'],
  ])('%s', (_, run, expected) => {
    expect(result(run)).toEqual(expected);
  });

  test.each<[number, string]>([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [1.5, '1.5'],
    [12300, '12300'],
    [123456, '123456'],
    [1e6, '1e+06'],
    [1234567.5, '1.2345675e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e300, '1.5e+300'],
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
  ])('string(%d) is %s', (value, text) => {
    expect(formatDouble(value)).toBe(text);
  });
});
