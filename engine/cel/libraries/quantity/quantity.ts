import type { QuantityFormat } from './suffix.ts';

/**
 * An exact amount: `unscaled * 10 ** scale`. Immutable. `text` is the form it was read from, where that is already canonical
 * enough for Kubernetes to keep. `small` is true while Kubernetes holds the amount in an int64, which is what `isInteger` and
 * `asInteger` look at (`1.0` and `1Pi` are not integers there, `1k` and `1Gi` are).
 * Kubernetes: apimachinery pkg/api/resource/quantity.go.
 */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  readonly small: boolean;
  readonly text?: string;
}

const MAX_INT64 = 9223372036854775807n;
const MIN_INT64 = -9223372036854775808n;

/** Numbers of more digits, before or behind the point, are refused by the parser: no rule means them, and they take long to compute with. */
export const MAX_SCALE = 10_000;

export const fitsInt64 = (value: bigint): boolean => value >= MIN_INT64 && value <= MAX_INT64;

/** `10n ** BigInt(exponent)` for an exponent >= 0. */
export const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** The quantity of a whole number. Kubernetes: resource.NewQuantity. */
export const quantityOfInt = (value: bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  unscaled: value,
  scale: 0,
  format,
  small: true,
});

/** Compares the amounts, whatever their formats. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const [x, y] = a.scale === b.scale ? [a.unscaled, b.unscaled] : atOneScale(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** -1, 0 or 1. */
export const quantitySign = (quantity: Quantity): -1 | 0 | 1 => (quantity.unscaled < 0n ? -1 : quantity.unscaled > 0n ? 1 : 0);

/** Adds; the sum keeps the format of `a`, unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = a.unscaled === 0n ? b.format : a.format;
  if (a.small && b.small) {
    // Kubernetes skips a zero without looking at its scale.
    if (b.unscaled === 0n) return { unscaled: a.unscaled, scale: a.scale, format, small: true };
    if (a.unscaled === 0n) return { unscaled: b.unscaled, scale: b.scale, format, small: true };
  }
  const scale = Math.min(a.scale, b.scale);
  const [x, y] = atOneScale(a, b);
  const sum = x + y;
  return { unscaled: sum, scale, format, small: a.small && b.small && fitsInt64(x) && fitsInt64(y) && fitsInt64(sum) };
}

/** Subtracts `b` from `a`; the difference keeps the format of `a`, unless that is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, { unscaled: -b.unscaled, scale: b.scale, format: b.format, small: b.small });
}

/** The amount as an int64, or undefined when Kubernetes does not hold it as one. Kubernetes: Quantity.AsInt64. */
export function quantityAsInt64(quantity: Quantity): bigint | undefined {
  if (!quantity.small || quantity.scale < 0) return undefined;
  const value = quantity.unscaled * powerOfTen(quantity.scale);
  return fitsInt64(value) ? value : undefined;
}

/** The nearest integer away from zero, clamped to int64. Kubernetes: Quantity.Value. */
export const quantityValue = (quantity: Quantity): bigint => scaledValue(quantity, 0);

/** The amount in thousandths, rounded away from zero. Kubernetes: Quantity.MilliValue. */
export const quantityMilliValue = (quantity: Quantity): bigint => scaledValue(quantity, -3);

function scaledValue(quantity: Quantity, scale: number): bigint {
  const shift = quantity.scale - scale;
  const value = shift >= 0 ? quantity.unscaled * powerOfTen(shift) : divideAwayFromZero(quantity.unscaled, powerOfTen(-shift));
  return value > MAX_INT64 ? MAX_INT64 : value < MIN_INT64 ? MIN_INT64 : value;
}

/** The nearest double and a little off where Kubernetes is: it multiplies by a power of ten. Kubernetes: Quantity.AsApproximateFloat64. */
export function quantityToNumber(quantity: Quantity): number {
  const base = Number(quantity.unscaled);
  return quantity.scale === 0 ? base : base * goPow10(quantity.scale);
}

/** Go: math.Pow10. Differs from `10 ** n` in the last place for some exponents. */
function goPow10(exponent: number): number {
  if (exponent < -323) return 0;
  if (exponent > 308) return Infinity;
  return Number(`1e${exponent}`);
}

/** Divides; a remainder makes the result larger in magnitude. `divisor` is positive. */
export function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function atOneScale(a: Quantity, b: Quantity): [bigint, bigint] {
  if (a.scale === b.scale) return [a.unscaled, b.unscaled];
  if (a.scale > b.scale) return [a.unscaled * powerOfTen(a.scale - b.scale), b.unscaled];
  return [a.unscaled, b.unscaled * powerOfTen(b.scale - a.scale)];
}
