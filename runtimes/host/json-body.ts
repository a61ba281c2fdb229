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
  if (!hasDigits(body, LONG_INTEGER)) return value;
  const { documents } = parseJson({ name: '<body>', text }, LIMITS);
  const [document] = documents;
  if (document === undefined) throw new SyntaxError('the body is not JSON that can be read without loss');
  return document.value;
}

/**
 * Whether a run of at least `length` digits is anywhere in the text. Such a run covers an index divisible by `length`, so
 * only those are looked at.
 */
export function hasDigits(text: Uint8Array, length: number): boolean {
  for (let probe = length - 1; probe < text.length; probe += length) {
    if (!isDigit(text[probe]!)) continue;
    let start = probe;
    while (start > 0 && isDigit(text[start - 1]!)) start--;
    let end = probe + 1;
    while (end < text.length && isDigit(text[end]!)) end++;
    if (end - start >= length) return true;
  }
  return false;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
