import { toText } from '../cel/run/convert.ts';
import { formatDuration } from '../cel/run/duration.ts';
import { formatTimestamp } from '../cel/run/timestamp.ts';
import { typeName } from '../cel/run/type-of.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  Double,
  Duration,
  LazyStruct,
  Opaque,
  Optional,
  Struct,
  Timestamp,
  TypeValue,
  Uint,
} from '../cel/values.ts';
import { type Json, type JsonObject, MAX_JSON_DEPTH, setOwn } from './json.ts';

/** What {@link celToJson} answers where there is to be no value: the field or the list element is left out. */
export const OMIT = Symbol('omit');

/** Library types whose text is their whole value. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['kubernetes.Quantity', 'kubernetes.Semver', 'kubernetes.URL', 'net.IP', 'net.CIDR']);

/**
 * A value of an expression as JSON, for templates: timestamps and durations become text, bytes base64, quantities, versions,
 * addresses and URLs their text, keys that are numbers or bools text. An absent optional is {@link OMIT}, inside lists and
 * maps the element or entry is left out. JSON from a request comes back as it is, not copied.
 *
 * Throws a {@link CelError} for what has no JSON form: types, NaN and infinities, authorizer values; and when the room is used up, which a
 * part of a larger value shares with the rest of it.
 */
export function celToJson(value: CelValue, room: JsonRoom = jsonRoom()): Json | typeof OMIT {
  return convert(value, 0, room);
}

/**
 * Values and characters that a value may have as JSON: more than an object of the API server may have. Values share their parts, so that
 * thirty variables of the form `[variables.v, variables.v]` are small in memory and gigabytes when written out.
 */
export const MAX_JSON_SIZE = 4 * 1024 * 1024;

/** What may still be written: one for a whole value, handed on to its parts. */
export interface JsonRoom {
  left: number;
}

export const jsonRoom = (): JsonRoom => ({ left: MAX_JSON_SIZE });

/** Takes what a value needs of the room there is. Throws a {@link CelError} when that is used up. */
export function takeRoom(room: JsonRoom, size: number): void {
  room.left -= size;
  if (room.left < 0) throw new CelError(`the value has more than ${MAX_JSON_SIZE} characters as JSON`);
}

/** A value put into text: what `string(x)` gives, and the text of library types. Throws a {@link CelError} for the rest. */
export function celToText(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof Optional && value.present) return celToText(value.value);
  if (value instanceof Opaque && TEXT_TYPES.has(value.typeName)) return value.toString();
  if (isScalar(value)) return toText(value);
  const hint =
    value instanceof Optional ? 'give it a value with orValue()' : 'only strings, numbers, bools, times and the like can stand inside text';
  throw new CelError(`a value of type ${typeName(value)} can't be put into text: ${hint}`);
}

function isScalar(value: CelValue): boolean {
  if (typeof value !== 'object') return true;
  return (
    value instanceof Double ||
    value instanceof Uint ||
    value instanceof Timestamp ||
    value instanceof Duration ||
    value instanceof Uint8Array
  );
}

function convert(value: CelValue, depth: number, room: JsonRoom): Json | typeof OMIT {
  takeRoom(room, typeof value === 'string' ? value.length + 2 : 1);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new CelError(`${String(value)} has no JSON form`);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_JSON_DEPTH) throw new CelError(`the value nests deeper than ${MAX_JSON_DEPTH} levels`);
  if (Array.isArray(value)) return convertList(value as readonly CelValue[], depth, room);
  if (value instanceof Optional) return value.present ? convert(value.value, depth + 1, room) : OMIT;
  if (value instanceof Double) return convert(value.value, depth, room);
  if (value instanceof Uint) return value.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value.value) : value.value;
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Struct) return convertObject(value.fields, depth, room);
  if (value instanceof CelMap) return convertMap(value, depth, room);
  if (value instanceof Opaque && TEXT_TYPES.has(value.typeName)) return value.toString();
  if (value instanceof Opaque || value instanceof LazyStruct || value instanceof TypeValue) {
    throw new CelError(`a value of type ${typeName(value)} has no JSON form`);
  }
  return convertObject(value as { readonly [key: string]: CelValue }, depth, room);
}

/** Copies only from the first element that is not JSON already. */
function convertList(list: readonly CelValue[], depth: number, room: JsonRoom): readonly Json[] {
  let copy: Json[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const json = convert(list[i] as CelValue, depth + 1, room);
    if (copy === undefined && json !== list[i]) copy = list.slice(0, i) as Json[];
    if (copy !== undefined && json !== OMIT) copy.push(json);
  }
  return copy ?? (list as readonly Json[]);
}

function convertObject(object: { readonly [key: string]: CelValue }, depth: number, room: JsonRoom): JsonObject {
  const keys = Object.keys(object);
  let copy: { [key: string]: Json } | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    takeRoom(room, key.length);
    const json = convert(object[key] as CelValue, depth + 1, room);
    if (copy === undefined && json !== object[key]) {
      copy = {};
      for (let j = 0; j < i; j++) setOwn(copy, keys[j] as string, object[keys[j] as string] as Json);
    }
    if (copy !== undefined && json !== OMIT) setOwn(copy, key, json);
  }
  return copy ?? (object as JsonObject);
}

function convertMap(map: CelMap, depth: number, room: JsonRoom): JsonObject {
  const copy: { [key: string]: Json } = {};
  for (const [key, value] of map.entries.values()) {
    const text = toText(key);
    takeRoom(room, text.length);
    const json = convert(value, depth + 1, room);
    if (json !== OMIT) setOwn(copy, text, json);
  }
  return copy;
}

/** RFC 4648 with padding: what Kubernetes expects of bytes. */
function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
