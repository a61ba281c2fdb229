import { goQuote } from '../../go-quote.ts';
import { toText } from '../../run/convert.ts';
import { doubleValue, isDouble, isInt, isPlainObject, typeName } from '../../run/type-of.ts';
import { CelError, CelMap, type CelValue, type Double, Duration, Timestamp, TypeValue, Uint } from '../../values.ts';
import { formatFixed6, formatGrouped, formatScientific } from './decimal.ts';
import { type FormatClause, interpolate } from './interpolate.ts';

/** Why a clause cannot take a value of some type; cel-go's texts. */
export const CLAUSE_ERRORS: Readonly<Record<FormatClause['verb'], string>> = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  X: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
};

/** `text.format(args)`. cel-go: ext/formatting.go, the form of string libraries before version 4. */
export function formatText(format: string, args: readonly CelValue[]): string {
  return interpolate(format, args.length, (clause, index) => {
    try {
      return clauseText(clause, args[index] as CelValue);
    } catch (error) {
      if (error instanceof CelError) throw new CelError(`error during formatting: ${error.message}`);
      throw error;
    }
  });
}

function clauseText(clause: FormatClause, value: CelValue): string {
  const { verb } = clause;
  const integer = integerOf(value);
  switch (verb) {
    case 's':
      return stringText(value);
    case 'd':
      if (integer !== undefined) return String(integer);
      break;
    case 'f':
    case 'e': {
      const number = doubleOf(value);
      if (number === undefined) break;
      return verb === 'f' ? formatGrouped(number, clause.precision) : formatScientific(number, clause.precision);
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      if (integer !== undefined) return integer.toString(2);
      break;
    case 'o':
      if (integer !== undefined) return integer.toString(8);
      break;
    case 'x':
    case 'X': {
      const hex = integer?.toString(16) ?? hexOfBytes(value);
      if (hex === undefined) break;
      return verb === 'x' ? hex : hex.toUpperCase();
    }
  }
  throw new CelError(`${CLAUSE_ERRORS[verb]}, was given ${typeName(value)}`);
}

function integerOf(value: CelValue): bigint | undefined {
  if (value instanceof Uint) return value.value;
  return isInt(value) ? BigInt(value) : undefined;
}

function doubleOf(value: CelValue): number | undefined {
  if (isDouble(value)) return doubleValue(value);
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}

function hexOfBytes(value: CelValue): string | undefined {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `%s` of a value that is not part of a list or map: strings bare, doubles as `string()` gives them. */
function stringText(value: CelValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return listText(value);
  if (value instanceof CelMap || isPlainObject(value)) return mapText(value);
  if (value instanceof TypeValue) return value.name;
  if (!isScalar(value)) throw new CelError(`${CLAUSE_ERRORS.s}, was given ${typeName(value)}`);
  return scalarText(value);
}

type Scalar = string | boolean | number | bigint | Uint | Double | Uint8Array | Timestamp | Duration;

function isScalar(value: CelValue): value is Scalar {
  return (
    typeof value !== 'object' ||
    value instanceof Uint ||
    isDouble(value) ||
    value instanceof Uint8Array ||
    value instanceof Timestamp ||
    value instanceof Duration
  );
}

function scalarText(value: Scalar): string {
  try {
    return toText(value);
  } catch (error) {
    if (error instanceof CelError) throw new CelError(`could not convert argument ${goQuote(error.message)} to string`);
    throw error;
  }
}

const listText = (list: readonly CelValue[]): string => `[${list.map(elementText).join(', ')}]`;

function mapText(map: CelValue): string {
  const entries = map instanceof CelMap ? [...map.entries.values()] : Object.entries(map as Record<string, CelValue>);
  const pairs = entries.map(([key, value]) => [keyText(key), elementText(value)] as const);
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${pairs.map(([key, value]) => `${key}:${value}`).join(', ')}}`;
}

function keyText(key: CelValue): string {
  if (typeof key === 'string') return goQuote(key);
  if (typeof key === 'boolean' || integerOf(key) !== undefined) return String(key instanceof Uint ? key.value : key);
  throw new CelError(`no formatting function for map key of type ${typeName(key)}`);
}

/** A value inside a list or map, written so that CEL could read it. */
function elementText(value: CelValue): string {
  if (typeof value === 'string') return goQuote(value);
  if (value instanceof Uint8Array) return `b${goQuote(scalarText(value))}`;
  if (isDouble(value)) {
    const number = doubleValue(value);
    return Number.isFinite(number) ? formatFixed6(number) : `"${formatFixed6(number)}"`;
  }
  if (value instanceof Timestamp) return `timestamp(${goQuote(toText(value))})`;
  if (value instanceof Duration) return `duration(${goQuote(toText(value))})`;
  if (value === null || Array.isArray(value) || value instanceof TypeValue || isScalar(value)) return stringText(value);
  if (value instanceof CelMap || isPlainObject(value)) return mapText(value);
  throw new CelError(`no formatting function for ${typeName(value)}`);
}
