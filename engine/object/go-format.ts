import { goQuote } from '../cel/go-quote.ts';
import type { Json, JsonObject } from './json.ts';

/** Go's strconv.Atoi: a decimal int64 with an optional sign, or the text of its error. */
export function goAtoi(text: string): number | string {
  if (!/^[+-]?[0-9]+$/.test(text)) return `strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`;
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > 9223372036854775807n || value < -9223372036854775808n) return `strconv.Atoi: parsing ${goQuote(text)}: value out of range`;
  return Number(value);
}

/** Go's `%v` of a float64: six digits at most before an exponent takes over at 21. Go: strconv.FormatFloat(v, 'g', -1, 64) with %e at 21. */
export function goFloat(value: number): string {
  const text = String(value);
  const [mantissa = '', exponent] = text.split('e');
  if (exponent === undefined) {
    const magnitude = Math.abs(value);
    if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) return goExponent(value.toExponential());
    return text;
  }
  return goExponent(`${mantissa}e${exponent}`);
}

/** Go writes at least two digits of an exponent, and its sign. */
function goExponent(text: string): string {
  return text.replace(/e([+-]?)([0-9]+)$/, (_, sign: string, digits: string) => `e${sign === '-' ? '-' : '+'}${digits.padStart(2, '0')}`);
}

/** Go's `%T` of a JSON value held in an `interface{}`. */
export function goTypeName(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'object') return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int64' : 'float64';
}

/** Go's `%#v` of a JSON value held in an `interface{}`. */
export function goSyntax(value: Json, top = true): string {
  if (value === null) return top ? '<nil>' : 'interface {}(nil)';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map((item: Json) => goSyntax(item, false)).join(', ')}}`;
  const entries = sortedEntries(value as JsonObject).map(([key, item]) => `${goQuote(key)}:${goSyntax(item, false)}`);
  return `map[string]interface {}{${entries.join(', ')}}`;
}

/** Go's `%v` of a JSON value held in an `interface{}`. */
export function goValue(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => goValue(item)).join(' ')}]`;
  return `map[${sortedEntries(value as JsonObject)
    .map(([key, item]) => `${key}:${goValue(item)}`)
    .join(' ')}]`;
}

function sortedEntries(object: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}
