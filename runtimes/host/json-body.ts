import { parseJson } from '../../engine/text/json.ts';
import { DEFAULT_LIMITS } from '../../engine/text/limits.ts';

/** Integers of fewer digits are below 2^53, so `JSON.parse` keeps them. */
const LONG_INTEGER = 16;

const LIMITS = { ...DEFAULT_LIMITS, maxDepth: 1000, maxDocuments: 1 };

/**
 * The JSON of a body, UTF-8; integers beyond 2^53 as `bigint`. Throws an error that does not quote the body, which may be
 * an object's content.
 *
 * Bodies are read by `JSON.parse`, which is many times faster than any parser in JavaScript; only one that may hold a
 * longer integer is read a second time.
 */
export function parseJsonBody(body: Buffer): unknown {
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError('the body is not valid JSON');
  }
  if (!mayHoldInteger(body, LONG_INTEGER)) return value;
  const { documents } = parseJson({ name: '<body>', text }, LIMITS);
  const [document] = documents;
  if (document === undefined) throw new SyntaxError('the body is not JSON that can be read without loss');
  return document.value;
}

/**
 * Whether at least `length` digits stand where a JSON number could begin. Most long runs of digits stand elsewhere: in
 * digests, in names. Such a run covers an index divisible by `length`, so only those are looked at.
 */
export function mayHoldInteger(text: Uint8Array, length: number): boolean {
  for (let probe = length - 1; probe < text.length; probe += length) {
    if (!isDigit(text[probe]!)) continue;
    let start = probe;
    while (start > 0 && isDigit(text[start - 1]!)) start--;
    let end = probe + 1;
    while (end < text.length && isDigit(text[end]!)) end++;
    if (end - start >= length && (start === 0 || mayPrecedeNumber(text[start - 1]!))) return true;
    // The rest of a long run need not be walked again.
    while (probe + length < end) probe += length;
  }
  return false;
}

/** White space, `,`, `-`, `:` and `[`. */
function mayPrecedeNumber(byte: number): boolean {
  return byte <= 0x20 || byte === 0x2c || byte === 0x2d || byte === 0x3a || byte === 0x5b;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** `JSON.stringify` for values that {@link parseJsonBody} returned: a `bigint` is written as the integer it is. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return stringifyWithBigints(value) ?? 'null';
  }
}

function stringifyWithBigints(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => stringifyWithBigints(item) ?? 'null').join(',')}]`;
  const fields: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    const text = stringifyWithBigints(item);
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}
