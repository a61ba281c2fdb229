import { CelError, type CelValue, Double, Duration, Timestamp, Uint } from '../values.ts';
import { noSuchOperator, noSuchOverload } from './errors.ts';
import { compareText } from './text.ts';

/** The four ordering operators by internal name. */
export type OrderOperator = '_<_' | '_<=_' | '_>_' | '_>=_';

/**
 * Orders two values: negative, 0 or positive. Numbers order across int, uint and double; NaN and mixed types are errors with
 * cel-go's texts (`operator` names the operator for a left operand that has no order).
 */
export function compare(operator: OrderOperator, a: CelValue, b: CelValue): number {
  switch (typeof a) {
    case 'string':
      if (typeof b !== 'string') throw noSuchOverload();
      return compareText(a, b);
    case 'boolean':
      if (typeof b !== 'boolean') throw noSuchOverload();
      return Number(a) - Number(b);
    case 'number':
    case 'bigint':
      return compareNumbers(a, b);
  }
  if (a instanceof Double || a instanceof Uint) return compareNumbers(a.value, b);
  if (a instanceof Timestamp) {
    if (!(b instanceof Timestamp)) throw noSuchOverload();
    return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds - b.seconds;
  }
  if (a instanceof Duration) {
    if (!(b instanceof Duration)) throw noSuchOverload();
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  }
  if (a instanceof Uint8Array) {
    if (!(b instanceof Uint8Array)) throw noSuchOverload();
    return compareBytes(a, b);
  }
  throw noSuchOperator(operator, a);
}

function compareNumbers(a: number | bigint, b: CelValue): number {
  const other = b instanceof Double || b instanceof Uint ? b.value : b;
  if (typeof other !== 'number' && typeof other !== 'bigint') throw noSuchOverload();
  const [left, right] = comparableNumbers(a, other);
  if (left < right) return -1;
  if (left > right) return 1;
  if (Number.isNaN(left) || Number.isNaN(right)) throw new CelError('NaN values cannot be ordered');
  return 0;
}

/**
 * Two numbers as they are compared: an integer becomes a double beside a double, so that 2^63-1 equals 2^63 as it does in cel-go.
 * cel-go: common/types/compare.go.
 */
export function comparableNumbers(a: number | bigint, b: number | bigint): readonly [number | bigint, number | bigint] {
  if (typeof a === typeof b) return [a, b];
  // A number beside a bigint is a double or a small int; neither suffers.
  return [Number(a), Number(b)];
}

/** Lexicographic order of bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return a.length - b.length;
}

export const less = (a: CelValue, b: CelValue): boolean => compare('_<_', a, b) < 0;
export const lessOrEqual = (a: CelValue, b: CelValue): boolean => compare('_<=_', a, b) <= 0;
export const greater = (a: CelValue, b: CelValue): boolean => compare('_>_', a, b) > 0;
export const greaterOrEqual = (a: CelValue, b: CelValue): boolean => compare('_>=_', a, b) >= 0;
