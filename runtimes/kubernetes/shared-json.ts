import type { Json } from '../../engine/object/json.ts';
import type { JsonSource } from '../../engine/object/prune-json.ts';
import { parseJsonBody } from '../host/json-body.ts';

/** Values that are remembered: as many as two megabytes hold at worst. A power of two. */
const SLOTS = 4096;
/** Bytes of a value beyond which it is hardly ever the same twice. */
const LONGEST = 512;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

interface Remembered {
  /** The bytes, one a character: strings are made and thrown away much faster than arrays. */
  readonly text: string;
  readonly value: Json;
}

/**
 * Reads JSON values and gives out the same one again where the same bytes come again, as most parts of objects of one kind do: labels,
 * owners, images, conditions. What is shared is neither parsed nor held twice. A value is remembered when it comes for the second time, so
 * that names and versions do not displace what is worth remembering.
 */
export function createSharedJson(): JsonSource {
  const remembered: (Remembered | undefined)[] = new Array(SLOTS).fill(undefined);
  /** By slot, the hash that was looked for in vain last. */
  const missed = new Int32Array(SLOTS);

  return (bytes, start, end) => {
    if (end - start > LONGEST) return parse(bytes, start, end);
    const hash = hashOf(bytes, start, end);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = remembered[slot];
    if (known !== undefined && isText(known.text, bytes, start, end)) return known.value;
    const value = parse(bytes, start, end);
    if (missed[slot] !== hash) missed[slot] = hash;
    else if (value !== undefined) remembered[slot] = { text: asBuffer(bytes).toString('latin1', start, end), value };
    return value;
  };
}

function parse(bytes: Uint8Array, start: number, end: number): Json | undefined {
  const buffer = asBuffer(bytes);
  if (isPlainString(bytes, start, end)) return buffer.toString('latin1', start + 1, end - 1);
  try {
    return parseJsonBody(buffer.subarray(start, end)) as Json;
  } catch {
    return undefined;
  }
}

/** Whether a value is a string of printable ASCII without escapes. */
function isPlainString(bytes: Uint8Array, start: number, end: number): boolean {
  const last = end - 1;
  if (last <= start || bytes[start] !== QUOTE || bytes[last] !== QUOTE) return false;
  for (let at = start + 1; at < last; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 3 < end; at += 4) {
    hash = Math.imul(hash ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)), 0x9e3779b1);
    hash ^= hash >>> 13;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x9e3779b1);
  return hash ^ (hash >>> 16);
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = text;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
