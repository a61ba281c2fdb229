/** Digits of a rounded number: `digits` without point, of which the last `fraction` stand behind it. */
interface Rounded {
  readonly digits: string;
  readonly fraction: number;
}

/** No double has more digits than these behind the point. */
const MAX_FRACTION = 1074;

/** The exact value of a finite double >= 0 as `numerator / denominator`. */
function exactValue(value: number): { numerator: bigint; denominator: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (biased === 0 ? 0n : 1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  return exponent >= 0
    ? { numerator: mantissa << BigInt(exponent), denominator: 1n }
    : { numerator: mantissa, denominator: 1n << BigInt(-exponent) };
}

/** Rounds to the nearest, a tie to the even neighbour. */
function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  return twice > denominator || (twice === denominator && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

function roundToFraction(value: number, precision: number): Rounded {
  const fraction = Math.min(precision, MAX_FRACTION);
  const { numerator, denominator } = exactValue(value);
  const digits = divideHalfEven(numerator * 10n ** BigInt(fraction), denominator).toString();
  return { digits: digits.padStart(fraction + 1, '0'), fraction };
}

const isNegative = (value: number): boolean => value < 0;

/** Go's `%.6f`: six digits behind the point, exactly rounded. */
export function formatFixed6(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const { digits } = roundToFraction(Math.abs(value), 6);
  return `${isNegative(value) || Object.is(value, -0) ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** How numbers that are none look in English. */
function nonFinite(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '∞' : '-∞';
}

/**
 * `%f` in American English: digits grouped by thousands. cel-go prints through golang.org/x/text, which keeps the number of
 * required digits in a byte: `%.256f` shows as many as there are.
 */
export function formatGrouped(value: number, precision: number): string {
  const special = nonFinite(value);
  if (special !== undefined) return special;
  const { digits, fraction } = roundToFraction(Math.abs(value), precision);
  const integer = digits.slice(0, digits.length - fraction);
  const required = precision % 256;
  let behind = digits.slice(digits.length - fraction).padEnd(required, '0');
  while (behind.length > required && behind.endsWith('0')) behind = behind.slice(0, -1);
  const grouped = integer.replace(/\B(?=(?:[0-9]{3})+$)/g, ',');
  return `${isNegative(value) ? '-' : ''}${grouped}${behind === '' ? '' : `.${behind}`}`;
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/**
 * `%e` in American English: `1.500000×10⁰³`. The precision of the clause is taken for a width (cel-go's string formatting up to
 * version 3), so there are always six digits, padded with spaces in front.
 */
export function formatScientific(value: number, width: number): string {
  return (nonFinite(value) ?? scientific(value)).padStart(Math.min(width, MAX_WIDTH), ' ');
}

/** Go refuses widths beyond a million; nobody needs a thousandth of that. */
const MAX_WIDTH = 1_000_000;

function scientific(value: number): string {
  const { numerator, denominator } = exactValue(Math.abs(value));
  let exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  let digits = significant(numerator, denominator, exponent);
  // The logarithm may be off by one near a power of ten, and rounding may add a digit.
  if (digits.length < 7 && value !== 0) digits = significant(numerator, denominator, --exponent);
  if (digits.length > 7) digits = significant(numerator, denominator, ++exponent);
  const shown = digits.padEnd(7, '0');
  const power = Array.from(String(Math.abs(exponent)).padStart(2, '0'), (digit) => SUPERSCRIPT[Number(digit)]).join('');
  return `${isNegative(value) ? '-' : ''}${shown[0]}.${shown.slice(1)}×10${exponent < 0 ? '⁻' : ''}${power}`;
}

/** The value times `10 ** (6 - exponent)`, rounded. */
function significant(numerator: bigint, denominator: bigint, exponent: number): string {
  const shift = 6 - exponent;
  return (
    shift >= 0
      ? divideHalfEven(numerator * 10n ** BigInt(shift), denominator)
      : divideHalfEven(numerator, denominator * 10n ** BigInt(-shift))
  ).toString();
}
