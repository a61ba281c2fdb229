import { CelError, type CelValue, Duration, double, int, Timestamp, Uint } from '../values.ts';
import { addDurations, addToTimestamp, negateDuration, subtractTimestamps } from './duration.ts';
import { intOverflow, noSuchOperator, noSuchOverload, uintOverflow } from './errors.ts';
import { doubleValue, isDouble, isInt } from './type-of.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** The canonical int of an exact result, or the overflow error beyond int64. */
export function checkedInt(value: bigint): number | bigint {
  if (value < INT64_MIN || value > INT64_MAX) throw intOverflow();
  return int(value);
}

/** A uint of an exact result, or the overflow error outside uint64. */
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > UINT64_MAX) throw uintOverflow();
  return new Uint(value);
}

type Integers = (a: bigint, b: bigint) => bigint;
type Doubles = (a: number, b: number) => number;

/** Numeric part of a binary operator whose left operand is a number; the right one must have the same type. */
function numeric(a: CelValue, b: CelValue, integers: Integers, doubles?: Doubles): CelValue | undefined {
  if (isInt(a)) {
    if (!isInt(b)) throw noSuchOverload();
    return checkedInt(integers(BigInt(a), BigInt(b)));
  }
  if (a instanceof Uint) {
    if (!(b instanceof Uint)) throw noSuchOverload();
    return checkedUint(integers(a.value, b.value));
  }
  if (isDouble(a) && doubles) {
    if (!isDouble(b)) throw noSuchOverload();
    return double(doubles(doubleValue(a), doubleValue(b)));
  }
  return undefined;
}

const bothIntegral = (a: CelValue, b: CelValue): boolean => Number.isSafeInteger(a) && Number.isSafeInteger(b);

/** Lists and bytes beyond this are not built: `v + v` in thirty variables asks for gigabytes, and costs next to nothing in CEL. */
const MAX_LIST_LENGTH = 4 * 1024 * 1024;
const MAX_BYTES_LENGTH = 64 * 1024 * 1024;

function bounded(length: number, limit: number): void {
  if (length > limit) throw new CelError('operation cancelled: result is too large');
}

/** `a + b`: numbers of one type, strings, bytes, lists, durations and timestamps. */
export function add(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'number' && typeof b === 'number' && bothIntegral(a, b)) {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  if (typeof a === 'string') {
    if (typeof b !== 'string') throw noSuchOverload();
    return a + b;
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b)) throw noSuchOverload();
    if (a.length === 0) return b;
    if (b.length === 0) return a;
    bounded(a.length + b.length, MAX_LIST_LENGTH);
    return a.concat(b);
  }
  const number = numeric(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  );
  if (number !== undefined) return number;
  if (a instanceof Uint8Array) {
    if (!(b instanceof Uint8Array)) throw noSuchOverload();
    bounded(a.length + b.length, MAX_BYTES_LENGTH);
    const joined = new Uint8Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    return joined;
  }
  if (a instanceof Duration) {
    if (b instanceof Duration) return addDurations(a, b);
    if (b instanceof Timestamp) return addToTimestamp(b, a);
    throw noSuchOverload();
  }
  if (a instanceof Timestamp) {
    if (b instanceof Duration) return addToTimestamp(a, b);
    throw noSuchOverload();
  }
  throw noSuchOperator('_+_', a);
}

/** `a - b`: numbers of one type, durations, timestamp minus duration or timestamp. */
export function subtract(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'number' && typeof b === 'number' && bothIntegral(a, b)) {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  const number = numeric(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
  );
  if (number !== undefined) return number;
  if (a instanceof Duration) {
    if (!(b instanceof Duration)) throw noSuchOverload();
    const nanos = a.nanos - b.nanos;
    if (nanos < INT64_MIN || nanos > INT64_MAX) throw intOverflow();
    return new Duration(nanos);
  }
  if (a instanceof Timestamp) {
    if (b instanceof Timestamp) return subtractTimestamps(a, b);
    if (b instanceof Duration) return addToTimestamp(a, negateDuration(b));
    throw noSuchOverload();
  }
  throw noSuchOperator('_-_', a);
}

/** `a * b` of two numbers of one type. */
export function multiply(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'number' && typeof b === 'number' && bothIntegral(a, b)) {
    const product = a * b;
    // `+ 0` turns -0 into 0, which is the only zero an int has.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const number = numeric(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
  );
  if (number !== undefined) return number;
  throw noSuchOperator('_*_', a);
}

/** `a / b`: integers truncate toward zero and refuse a zero divisor, doubles follow IEEE 754. */
export function divide(a: CelValue, b: CelValue): CelValue {
  const number = numeric(
    a,
    b,
    (x, y) => {
      if (y === 0n) throw new CelError('division by zero');
      return x / y;
    },
    (x, y) => x / y,
  );
  if (number !== undefined) return number;
  throw noSuchOperator('_/_', a);
}

/** `a % b` of two integers; the result has the sign of `a`. */
export function modulo(a: CelValue, b: CelValue): CelValue {
  const number = numeric(a, b, (x, y) => {
    if (y === 0n) throw new CelError('modulus by zero');
    // The one division that overflows int64 does so for the remainder too.
    if (x === INT64_MIN && y === -1n) throw intOverflow();
    return x % y;
  });
  if (number !== undefined) return number;
  throw noSuchOperator('_%_', a);
}

/** `-a` of an int, a double or a duration. */
export function negate(a: CelValue): CelValue {
  if (isInt(a)) return typeof a === 'number' && Number.isSafeInteger(a) ? 0 - a : checkedInt(-BigInt(a));
  if (isDouble(a)) return double(-doubleValue(a));
  if (a instanceof Duration) return negateDuration(a);
  if (typeof a === 'boolean') throw noSuchOverload();
  throw noSuchOperator('-_', a);
}

/** `!a` of a bool. */
export function not(a: CelValue): boolean {
  if (typeof a !== 'boolean') throw noSuchOverload();
  return !a;
}
