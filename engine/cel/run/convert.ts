import { CelError, type CelValue, Duration, double, int, Timestamp, TypeValue, Uint } from '../values.ts';
import { checkedInt, checkedUint } from './arithmetic.ts';
import { formatDouble } from './double-format.ts';
import { formatDuration, MAX_UNIX_SECONDS, MIN_UNIX_SECONDS, parseDuration } from './duration.ts';
import { conversionError, intOverflow, uintOverflow } from './errors.ts';
import { formatTimestamp, parseTimestamp } from './timestamp.ts';
import { doubleValue, isDouble, isInt, typeName } from './type-of.ts';

const TWO_63 = 2 ** 63;
const TWO_64 = 2 ** 64;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX_FLOAT = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d{1,6})$/;
const INTEGER = /^[+-]?\d{1,400}$/;

/** `int(x)` of a number, a string, a timestamp (seconds since 1970) or a duration (nanoseconds). */
export function toInt(value: CelValue): CelValue {
  if (isInt(value)) return value;
  if (isDouble(value)) {
    const number = doubleValue(value);
    if (!(number > -TWO_63 && number < TWO_63)) throw intOverflow();
    return int(BigInt(Math.trunc(number)));
  }
  if (value instanceof Uint) return checkedInt(value.value);
  if (value instanceof Timestamp) return value.seconds;
  if (value instanceof Duration) return int(value.nanos);
  if (typeof value === 'string' && INTEGER.test(value)) {
    const number = BigInt(value.replace(/^\+/, ''));
    if (number >= -(2n ** 63n) && number < 2n ** 63n) return int(number);
  }
  throw conversionError(typeName(value), 'int');
}

/** `uint(x)` of a number or a string. */
export function toUint(value: CelValue): CelValue {
  if (value instanceof Uint) return value;
  if (isInt(value)) return checkedUint(BigInt(value));
  if (isDouble(value)) {
    const number = doubleValue(value);
    if (!(number >= 0 && number < TWO_64)) throw uintOverflow();
    return new Uint(BigInt(Math.trunc(number)));
  }
  if (typeof value === 'string' && /^\d{1,400}$/.test(value)) {
    const number = BigInt(value);
    if (number < 2n ** 64n) return new Uint(number);
  }
  throw conversionError(typeName(value), 'uint');
}

/** `double(x)` of a number or a string (Go's syntax: decimal, hexadecimal, `Inf`, `NaN`). */
export function toDouble(value: CelValue): CelValue {
  if (isDouble(value)) return value;
  if (isInt(value)) return double(Number(value));
  if (value instanceof Uint) return double(Number(value.value));
  const number = typeof value === 'string' ? parseDouble(value) : undefined;
  if (number === undefined) throw conversionError(typeName(value), 'double');
  return double(number);
}

function parseDouble(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  const hex = HEX_FLOAT.exec(text);
  if (!hex) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = hex;
  if (whole === '' && fraction === '') return undefined;
  const number = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return Number.isFinite(number) ? (sign === '-' ? -number : number) : undefined;
}

const TRUE_WORDS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** `bool(x)` of a bool or one of Go's words for one. */
export function toBool(value: CelValue): CelValue {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (TRUE_WORDS.has(value)) return true;
    if (FALSE_WORDS.has(value)) return false;
  }
  throw conversionError(typeName(value), 'bool');
}

/** `string(x)` of a scalar, bytes in UTF-8, a timestamp or a duration. */
export function toText(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || isInt(value)) return String(value);
  if (isDouble(value)) return formatDouble(doubleValue(value));
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
    }
  }
  throw conversionError(typeName(value), 'string');
}

/** `bytes(x)` of bytes or a string, which becomes UTF-8. */
export function toBytes(value: CelValue): CelValue {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new TextEncoder().encode(value);
  throw conversionError(typeName(value), 'bytes');
}

/** `timestamp(x)` of a timestamp, an RFC 3339 string or seconds since 1970. */
export function toTimestamp(value: CelValue): CelValue {
  if (value instanceof Timestamp) return value;
  if (isInt(value)) {
    if (value < MIN_UNIX_SECONDS || value > MAX_UNIX_SECONDS) throw new CelError('timestamp overflow');
    return new Timestamp(Number(value), 0);
  }
  const parsed = typeof value === 'string' ? parseTimestamp(value) : undefined;
  if (!parsed) throw conversionError(typeName(value), 'google.protobuf.Timestamp');
  return parsed;
}

/** `duration(x)` of a duration or a string in Go's syntax. */
export function toDuration(value: CelValue): CelValue {
  if (value instanceof Duration) return value;
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  if (!parsed) throw conversionError(typeName(value), 'google.protobuf.Duration');
  return parsed;
}

/** `type(x)`. */
export const toType = (value: CelValue): TypeValue => new TypeValue(typeName(value));
