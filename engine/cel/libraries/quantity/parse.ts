import { divideAwayFromZero, fitsInt64, MAX_SCALE, powerOfTen, type Quantity } from './quantity.ts';
import { interpretSuffix } from './suffix.ts';

/** Kubernetes' three texts for what is not a quantity. */
export type QuantityParseError =
  | "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  | 'unable to parse numeric part of quantity'
  | "unable to parse quantity's suffix";

export type QuantityParseResult =
  | { readonly ok: true; readonly quantity: Quantity }
  | { readonly ok: false; readonly error: QuantityParseError };

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const MAX_INT64 = 9223372036854775807n;
const NANO = -9;

const FORMAT_ERROR: QuantityParseResult = {
  ok: false,
  error: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
};
const SUFFIX_ERROR: QuantityParseResult = { ok: false, error: "unable to parse quantity's suffix" };
const NUMERIC_ERROR: QuantityParseResult = { ok: false, error: 'unable to parse numeric part of quantity' };

/** Objects say the same few amounts again and again, and most of what reading one takes is arithmetic with big integers. */
const known = new Map<string, QuantityParseResult>();
const MOST_KNOWN = 512;
/** Shorter than what engines cut out of another text without copying, which would keep the whole of that text alive. */
const LONGEST_KNOWN = 12;

/**
 * Reads a quantity (`100m`, `1.5Gi`, `12e6`). What is finer than nano is rounded away from zero; binary amounts are capped at
 * int64. Kubernetes: apimachinery pkg/api/resource ParseQuantity.
 */
export function parseQuantity(text: string): QuantityParseResult {
  if (text.length > LONGEST_KNOWN) return readQuantity(text);
  let result = known.get(text);
  if (result === undefined) {
    result = readQuantity(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, result);
  }
  return result;
}

function readQuantity(text: string): QuantityParseResult {
  if (text === '0') return { ok: true, quantity: { unscaled: 0n, scale: 0, format: 'DecimalSI', small: true, text } };
  const shape = text === '' ? null : SHAPE.exec(text);
  if (!shape) return FORMAT_ERROR;
  const [, sign, integer, fraction = '', suffix] = shape as unknown as [string, string, string, string | undefined, string];
  const meaning = interpretSuffix(suffix);
  if (!meaning) return SUFFIX_ERROR;
  const { base, exponent, format } = meaning;
  const negative = sign === '-';
  const integerDigits = integer.replace(/^0+/, '') || '0';
  const digits = integerDigits + fraction;
  if (digits.length > MAX_SCALE) return NUMERIC_ERROR;

  // The amounts that Kubernetes keeps in an int64; the others go through arbitrary precision.
  const decimalScale = (base === 10 ? exponent : 0) - fraction.length;
  const room =
    base === 10
      ? 18 - digits.length
      : fraction === ''
        ? 15 - integerDigits.length - Math.trunc(Math.fround(Math.fround(exponent * 3) / 10)) - 1
        : -1;
  if (Math.abs(decimalScale) > MAX_SCALE) return /[1-9]/.test(digits) ? NUMERIC_ERROR : zero(format);
  if (room >= 0 && decimalScale >= NANO) {
    const unsigned = BigInt(digits) * (base === 2 ? 1n << BigInt(exponent) : 1n);
    if (fitsInt64(unsigned)) {
      const keepsText =
        format === 'BinarySI' ? (BigInt(digits) & 7n) !== 0n : decimalScale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
      const amount = { unscaled: negative ? -unsigned : unsigned, scale: decimalScale, format, small: true };
      return { ok: true, quantity: keepsText ? { ...amount, text } : amount };
    }
  }

  if (integer + fraction === '') return NUMERIC_ERROR;
  let unscaled = BigInt(digits) * (base === 2 ? 1n << BigInt(exponent) : 1n);
  let scale = decimalScale;
  if (scale < NANO) {
    unscaled = divideAwayFromZero(unscaled, powerOfTen(NANO - scale));
    scale = NANO;
  } else if (unscaled !== 0n) {
    // Kubernetes rounds to nano in any case, and the scale stays there.
    unscaled *= powerOfTen(scale - NANO);
    scale = NANO;
  }
  const one = scale < 0 ? powerOfTen(-scale) : 1n;
  if (format === 'BinarySI' && unscaled > MAX_INT64 * one) {
    return { ok: true, quantity: { unscaled: negative ? -MAX_INT64 : MAX_INT64, scale: 0, format, small: false } };
  }
  const shown = format === 'BinarySI' && unscaled < one && unscaled > 0n ? 'DecimalSI' : format;
  return { ok: true, quantity: { unscaled: negative ? -unscaled : unscaled, scale, format: shown, small: false } };
}

const zero = (format: Quantity['format']): QuantityParseResult => ({
  ok: true,
  quantity: { unscaled: 0n, scale: 0, format, small: false },
});
