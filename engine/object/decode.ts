import { goQuote } from '../cel/go-quote.ts';
import { parseQuantity } from '../cel/libraries/quantity/parse.ts';
import { parseTimestamp } from '../cel/run/timestamp.ts';
import { isJsonObject, type Json, type JsonObject, setOwn } from './json.ts';
import type { ListSchema, MapSchema, ScalarSchema, Schema } from './schema.ts';

export type DecodeResult =
  /** The object itself where decoding changes nothing. */
  | { readonly ok: true; readonly object: JsonObject }
  /** In the API server's words. */
  | { readonly ok: false; readonly message: string };

/**
 * Decodes an object into a built-in kind as the API server does. It decodes strictly: an unknown field is an error, and all of
 * them are told; of wrong types the first is. Null fields are dropped, null values in maps and lists become the zero value
 * of their type. Empty lists and maps in optional fields are dropped, as Go drops them when it writes the object again: a later
 * patch does not find them.
 *
 * Go's names of string types (`v1.PullPolicy`) and of embedded structures are not in a schema: where the API server names
 * those, a message says `string`, or leaves the name out.
 *
 * Kubernetes: sigs.k8s.io/json, as apimachinery's strict JSON serializer uses it.
 */
export function decodeObject(object: JsonObject, schema: MapSchema): DecodeResult {
  const message = decodeError(object, schema);
  return message === undefined ? { ok: true, object: withoutNulls(object, schema) as JsonObject } : { ok: false, message };
}

export type LenientDecodeResult =
  | { readonly ok: true; readonly object: JsonObject; readonly unknown: readonly string[] }
  /** In the API server's words. */
  | { readonly ok: false; readonly message: string };

/**
 * As {@link decodeObject}, but unknown fields are dropped and told: paths as `spec.containers[0].imge`, at most a hundred. So the
 * API server decodes what clients send, who say what is to become of such fields.
 */
export function decodeLeniently(object: JsonObject, schema: MapSchema): LenientDecodeResult {
  const decoder: Decoder = { wrongType: undefined, unknown: [] };
  const refused = refusal(object, schema, decoder);
  if (refused !== undefined) return { ok: false, message: refused };
  return { ok: true, object: withoutNulls(object, schema) as JsonObject, unknown: decoder.unknown };
}

function decodeError(object: JsonObject, schema: MapSchema): string | undefined {
  const decoder: Decoder = { wrongType: undefined, unknown: [] };
  const refused = refusal(object, schema, decoder);
  if (refused !== undefined) return refused;
  if (decoder.unknown.length === 0) return undefined;
  return `strict decoding error: ${decoder.unknown.map((path) => `unknown field ${goQuote(path)}`).join(', ')}`;
}

/** Why the object is none of the kind, whatever fields are unknown. */
function refusal(object: JsonObject, schema: MapSchema, decoder: Decoder): string | undefined {
  try {
    decodeMap(object, schema, { field: '', strict: '', struct: '' }, decoder);
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
  return decoder.wrongType;
}

/** A list or a map without elements; a structure without fields is one still. */
function isEmpty(value: Json, schema: Schema): boolean {
  if (Array.isArray(value)) return schema.kind === 'list' && value.length === 0;
  if (!isJsonObject(value) || schema.kind !== 'map' || schema.fields.size > 0) return false;
  return schema.rest !== undefined && Object.keys(value).length === 0;
}

/** Without nulls, what Go leaves out as empty, and unknown fields. */
function withoutNulls(value: Json, schema: Schema): Json {
  if (schema.kind === 'list' && Array.isArray(value)) {
    let copy: Json[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item = value[i] === null ? zeroOf(schema.items) : withoutNulls(value[i] as Json, schema.items);
      if (item === value[i]) continue;
      copy ??= value.slice();
      copy[i] = item;
    }
    return copy ?? value;
  }
  if (schema.kind !== 'map' || !isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key);
    const child = value[key] as Json;
    const isUnknown = field === undefined && schema.rest === undefined && schema.fields.size > 0;
    if (isUnknown || (field !== undefined && (child === null || (isEmpty(child, field.schema) && !schema.required.includes(key))))) {
      copy ??= { ...value };
      delete copy[key];
      continue;
    }
    const type = field?.schema ?? schema.rest;
    if (type === undefined) continue;
    const item = child === null ? zeroOf(type) : withoutNulls(child, type);
    if (item === child) continue;
    copy ??= { ...value };
    setOwn(copy, key, item);
  }
  return copy ?? value;
}

/** What Go leaves where null is decoded: the zero value, which is null again for lists, maps and free-form JSON. */
function zeroOf(schema: Schema): Json {
  switch (schema.kind) {
    case 'string':
      return schema.format === undefined ? '' : null;
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'map':
      return schema.fields.size > 0 ? {} : null;
    default:
      return null;
  }
}

interface Decoder {
  wrongType: string | undefined;
  readonly unknown: string[];
}

/** Where the decoder is: path of declared fields, path for unknown fields, name of the innermost structure. */
interface Place {
  readonly field: string;
  readonly strict: string;
  readonly struct: string;
}

/** From types that decode themselves: ends the decoding at once. */
class Refused {
  constructor(readonly message: string) {}
}

/** More are not told. */
const MAX_UNKNOWN_FIELDS = 100;

function decode(value: Json, schema: Schema, place: Place, decoder: Decoder): void {
  if (value === null) return;
  if (schema.kind === 'any') return;
  if (schema.kind === 'map') {
    if (isJsonObject(value)) decodeMap(value, schema, place, decoder);
    else wrongType(value, goType(schema), place, decoder);
  } else if (schema.kind === 'list') {
    if (Array.isArray(value)) decodeList(value, schema, place, decoder);
    else wrongType(value, goType(schema), place, decoder);
  } else decodeScalar(value, schema, place, decoder);
}

function decodeMap(value: JsonObject, schema: MapSchema, place: Place, decoder: Decoder): void {
  const isStruct = schema.fields.size > 0;
  // The API server meets the keys in this order: it has written the object as JSON before it reads it.
  for (const key of Object.keys(value).sort()) {
    const child = value[key] as Json;
    const strict = place.strict === '' ? key : `${place.strict}.${key}`;
    const field = schema.fields.get(key);
    if (field !== undefined) {
      const path = place.field === '' ? key : `${place.field}.${key}`;
      decode(child, field.schema, { field: path, strict, struct: structName(schema) }, decoder);
    } else if (schema.rest !== undefined) decode(child, schema.rest, { ...place, strict }, decoder);
    else if (isStruct && decoder.unknown.length < MAX_UNKNOWN_FIELDS) decoder.unknown.push(strict);
  }
}

function decodeList(value: readonly Json[], schema: ListSchema, place: Place, decoder: Decoder): void {
  for (let i = 0; i < value.length; i++) decode(value[i] as Json, schema.items, { ...place, strict: `${place.strict}[${i}]` }, decoder);
}

function decodeScalar(value: Json, schema: ScalarSchema, place: Place, decoder: Decoder): void {
  switch (schema.kind) {
    case 'string':
      if (schema.format === 'date-time') checkTime(value, place);
      else if (typeof value !== 'string') wrongType(value, goType(schema), place, decoder);
      else if (schema.format === 'byte') checkBase64(value, decoder);
      return;
    case 'integer':
      if (typeof value !== 'number' && typeof value !== 'bigint') wrongType(value, goType(schema), place, decoder);
      else if (!fits(value, schema)) wrongType(value, goType(schema), place, decoder, `number ${String(value)}`);
      return;
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') wrongType(value, 'float64', place, decoder);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') wrongType(value, 'bool', place, decoder);
      return;
    case 'int-or-string':
      if (typeof value === 'string') return;
      if (typeof value !== 'number') throw new Refused(typeError(jsonKind(value), 'int32', place));
      if (!fits(value, INT32)) throw new Refused(typeError(`number ${String(value)}`, 'int32', place));
      return;
    case 'quantity':
      checkQuantity(value);
  }
}

const INT32: ScalarSchema = { kind: 'integer', format: 'int32' };

function fits(value: number | bigint, schema: ScalarSchema): boolean {
  if (typeof value === 'number' && !Number.isInteger(value)) return false;
  const bits = schema.format === 'int32' ? 31n : 63n;
  const integer = BigInt(value);
  return integer >= -(2n ** bits) && integer < 2n ** bits;
}

/** Fields of type MicroTime, which OpenAPI does not tell from Time. Kubernetes: apimachinery pkg/apis/meta/v1/micro_time.go. */
const MICRO_TIMES: ReadonlySet<string> = new Set(['acquireTime', 'renewTime', 'pingTime', 'eventTime', 'lastObservedTime']);
const SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;

function checkTime(text: Json, place: Place): void {
  if (typeof text !== 'string') throw new Refused(typeError(jsonKind(text), 'string', place));
  const isMicro = MICRO_TIMES.has(place.field.slice(place.field.lastIndexOf('.') + 1));
  const refuse = (rest: string, expected: string): never => {
    const layout = `2006-01-02T15:04:05${isMicro ? '.000000' : ''}Z07:00`;
    throw new Refused(`parsing time ${goQuote(text)} as "${layout}": cannot parse ${goQuote(rest)} as "${expected}"`);
  };
  let isTime: boolean;
  try {
    isTime = parseTimestamp(text) !== undefined;
  } catch {
    // A moment that is too far away for CEL; Go's years have four digits as well.
    isTime = true;
  }
  if (!isTime) refuse(text, '2006');
  const rest = text.replace(SECONDS, '');
  if (isMicro && !/^\.\d{6}\D/.test(rest)) refuse(rest, '.000000');
}

/** Go's strict base64: groups of four with padding; line breaks are passed over. */
function checkBase64(text: string, decoder: Decoder): void {
  const plain = text.replace(/[\r\n]/g, '');
  if (plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain)) return;
  const bad = plain.search(/[^A-Za-z0-9+/]/);
  decoder.wrongType ??= `illegal base64 data at input byte ${bad < 0 ? plain.length - (plain.length % 4) : bad}`;
}

function checkQuantity(value: Json): void {
  const text = typeof value === 'string' ? value.trim() : typeof value === 'object' ? '{}' : String(value);
  const parsed = text === '' ? undefined : parseQuantity(text);
  if (parsed?.ok === false) throw new Refused(parsed.error);
}

function wrongType(value: Json, type: string, place: Place, decoder: Decoder, found: string = jsonKind(value)): void {
  decoder.wrongType ??= typeError(found, type, place);
}

function typeError(found: string, type: string, { field, struct }: Place): string {
  const into = field === '' ? 'Go value' : `Go struct field ${struct}.${field}`;
  return `json: cannot unmarshal ${found} into ${into} of type ${type}`;
}

function jsonKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** `core.v1.PodSpec` → `PodSpec`. */
function structName(schema: MapSchema): string {
  return schema.name === undefined ? '' : schema.name.slice(schema.name.lastIndexOf('.') + 1);
}

function goType(schema: Schema): string {
  switch (schema.kind) {
    case 'map': {
      // Packages are called by their version: core.v1.PodSpec is v1.PodSpec.
      if (schema.fields.size > 0) return schema.name === undefined ? 'struct' : schema.name.split('.').slice(-2).join('.');
      return `map[string]${schema.rest === undefined ? 'interface {}' : goType(schema.rest)}`;
    }
    case 'list':
      return `[]${goType(schema.items)}`;
    case 'any':
      return 'interface {}';
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'string':
      return schema.format === 'byte' ? '[]uint8' : 'string';
    case 'quantity':
      return 'resource.Quantity';
    case 'int-or-string':
      return 'intstr.IntOrString';
  }
}
