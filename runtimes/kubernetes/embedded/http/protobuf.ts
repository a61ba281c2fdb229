import { builtInTypes } from '../../../../engine/bundle/built-in-types.ts';
import { type Json, type JsonObject, ownValue, setOwn } from '../../../../engine/object/json.ts';
import { parseApiVersion } from '../../../../engine/object/type-table.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import { type GoField, goFields } from '../kinds/go-types.ts';
import { ProtobufError, ProtobufReader } from './protobuf-reader.ts';

/** The media type in which Go clients send built-in kinds. Answers are in JSON, which they take as well. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

const MAGIC = Buffer.from('k8s\0');
/** Messages inside one another. Custom resource schemas nest; nothing else comes near. */
const MAX_DEPTH = 200;

/** The object of a body in Kubernetes' protobuf. Throws a {@link ProtobufError} that does not quote the body. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(MAGIC)) throw new ProtobufError('the body does not begin as protobuf of Kubernetes does');
  const envelope = new ProtobufReader(body, 4);
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  for (let next = envelope.next(); next !== undefined; next = envelope.next()) {
    if (next.field === 1 && next.wire === 2) {
      const type = new ProtobufReader(envelope.bytes());
      for (let inner = type.next(); inner !== undefined; inner = type.next()) {
        if (inner.field === 1) apiVersion = type.text();
        else if (inner.field === 2) kind = type.text();
        else type.skip(inner.wire);
      }
    } else if (next.field === 2 && next.wire === 2) raw = envelope.bytes();
    else envelope.skip(next.wire);
  }
  const { group, version } = parseApiVersion(apiVersion);
  const name = kind === 'DeleteOptions' ? 'meta.v1.DeleteOptions' : builtInTypes([]).kind(group, version, kind)?.name;
  if (name === undefined || goFields(name) === undefined)
    throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...(decodeMessage(raw, name, 0) as JsonObject) };
}

/** Field numbers to fields, made when a message is first met. */
const indexes = new Map<string, ReadonlyMap<number, GoField>>();

function fieldsOf(name: string): ReadonlyMap<number, GoField> {
  let index = indexes.get(name);
  if (index === undefined) {
    const fields = goFields(name);
    if (fields === undefined) throw new ProtobufError(`a message ${name} is not known`);
    index = new Map(fields.map((field) => [field[0], field]));
    indexes.set(name, index);
  }
  return index;
}

function decodeMessage(bytes: Uint8Array, name: string, depth: number): Json {
  if (depth > MAX_DEPTH) throw new ProtobufError('the messages nest too deep');
  const special = SPECIAL.get(name);
  if (special !== undefined) return special(bytes, depth);
  const object: { [key: string]: Json } = {};
  const reader = new ProtobufReader(bytes);
  const fields = fieldsOf(name);
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    const field = fields.get(next.field);
    if (field === undefined) {
      reader.skip(next.wire);
      continue;
    }
    const [, key, type, flags = ''] = field;
    if (flags.includes('m')) {
      const entry = new ProtobufReader(reader.bytes());
      const [entryKey, value] = decodeEntry(entry, type, depth);
      const map = (ownValue(object, key) ?? {}) as { [key: string]: Json };
      setOwn(map, entryKey, value);
      object[key] = map;
      continue;
    }
    const value = decodeValue(reader, next.wire, type, depth);
    if (flags.includes('r')) {
      const list = ownValue(object, key) as Json[] | undefined;
      if (list === undefined) object[key] = [value];
      else list.push(value);
    } else if (key === '') Object.assign(object, value as JsonObject);
    // Go writes its zero values, and JSON leaves them out.
    else if (!isAbsent(value) && !(flags.includes('z') && isZero(value))) setOwn(object, key, value);
  }
  return object;
}

/** A time that is not set. */
function isAbsent(value: Json): boolean {
  return value === null;
}

function isZero(value: Json): boolean {
  return value === '' || value === 0 || value === false;
}

function decodeEntry(reader: ProtobufReader, type: string, depth: number): [string, Json] {
  let key = '';
  let value: Json | undefined;
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1) key = reader.text();
    else if (next.field === 2) value = decodeValue(reader, next.wire, type, depth);
    else reader.skip(next.wire);
  }
  return [
    key,
    value ??
      (type === 'string' || type === 'bytes' ? '' : type.startsWith('#') ? decodeMessage(new Uint8Array(), type.slice(1), depth + 1) : 0),
  ];
}

function decodeValue(reader: ProtobufReader, wire: number, type: string, depth: number): Json {
  switch (type) {
    case 'string':
      return expectWire(wire, 2) ?? reader.text();
    case 'bytes':
      return expectWire(wire, 2) ?? Buffer.from(reader.bytes()).toString('base64');
    case 'bool':
      return expectWire(wire, 0) ?? reader.varint() !== 0n;
    case 'double':
      return expectWire(wire, 1) ?? reader.double();
    case 'uint32':
    case 'uint64':
      return expectWire(wire, 0) ?? whole(reader.varint());
    case 'int32':
    case 'int64':
      return expectWire(wire, 0) ?? whole(BigInt.asIntN(64, reader.varint()));
    default:
      return expectWire(wire, 2) ?? decodeMessage(reader.bytes(), type.slice(1), depth + 1);
  }
}

function expectWire(wire: number, expected: number): undefined {
  if (wire !== expected) throw new ProtobufError('a field has the wrong type');
  return undefined;
}

function whole(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** All scalar fields of a small message, by number. */
function scalars(bytes: Uint8Array): ReadonlyMap<number, bigint | Uint8Array> {
  const reader = new ProtobufReader(bytes);
  const found = new Map<number, bigint | Uint8Array>();
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.wire === 0) found.set(next.field, BigInt.asIntN(64, reader.varint()));
    else if (next.wire === 2) found.set(next.field, reader.bytes());
    else reader.skip(next.wire);
  }
  return found;
}

function textOf(value: bigint | Uint8Array | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
}

function numberOf(value: bigint | Uint8Array | undefined): number {
  return typeof value === 'bigint' ? Number(value) : 0;
}

/** Null where it is not set. */
function time(bytes: Uint8Array, fraction: boolean): Json {
  const fields = scalars(bytes);
  if (fields.size === 0) return null;
  const seconds = numberOf(fields.get(1));
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError('a time is out of range');
  const micros = String(Math.floor(numberOf(fields.get(2)) / 1000)).padStart(6, '0');
  return date.toISOString().replace('.000Z', fraction ? `.${micros}Z` : 'Z');
}

function embeddedJson(bytes: Uint8Array): Json {
  const raw = scalars(bytes).get(1);
  if (!(raw instanceof Uint8Array) || raw.length === 0) return null;
  try {
    return parseJsonBody(Buffer.from(raw)) as Json;
  } catch {
    throw new ProtobufError('JSON inside of the body is not valid');
  }
}

/** A schema (field 1), or a list of something else in its place. */
function schemaOrList(bytes: Uint8Array, depth: number, other: (reader: ProtobufReader) => Json): Json {
  const reader = new ProtobufReader(bytes);
  let schema: Json = null;
  const list: Json[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.wire !== 2) reader.skip(next.wire);
    else if (next.field === 1) schema = decodeMessage(reader.bytes(), SCHEMA, depth + 1);
    else list.push(other(reader));
  }
  return schema ?? list;
}

const SCHEMA = 'apiextensions.v1.JSONSchemaProps';

function stringItems(bytes: Uint8Array): Json {
  const reader = new ProtobufReader(bytes);
  const items: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 2) items.push(reader.text());
    else reader.skip(next.wire);
  }
  return items;
}

/** Messages whose JSON is not an object of their fields. */
const SPECIAL: ReadonlyMap<string, (bytes: Uint8Array, depth: number) => Json> = new Map<
  string,
  (bytes: Uint8Array, depth: number) => Json
>([
  ['meta.v1.Time', (bytes) => time(bytes, false)],
  ['meta.v1.MicroTime', (bytes) => time(bytes, true)],
  ['meta.v1.FieldsV1', embeddedJson],
  ['pkg.runtime.RawExtension', embeddedJson],
  ['apiextensions.v1.JSON', embeddedJson],
  ['api.resource.Quantity', (bytes) => textOf(scalars(bytes).get(1)) || '0'],
  [
    'util.intstr.IntOrString',
    (bytes) => {
      const fields = scalars(bytes);
      return numberOf(fields.get(1)) === 1 ? textOf(fields.get(3)) : numberOf(fields.get(2));
    },
  ],
  ['authentication.v1.ExtraValue', stringItems],
  ['authorization.v1.ExtraValue', stringItems],
  ['certificates.v1.ExtraValue', stringItems],
  ['apiextensions.v1.JSONSchemaPropsOrStringArray', (bytes, depth) => schemaOrList(bytes, depth, (reader) => reader.text())],
  [
    'apiextensions.v1.JSONSchemaPropsOrArray',
    (bytes, depth) => schemaOrList(bytes, depth, (reader) => decodeMessage(reader.bytes(), SCHEMA, depth + 1)),
  ],
  [
    'apiextensions.v1.JSONSchemaPropsOrBool',
    (bytes, depth) => {
      const fields = scalars(bytes);
      const schema = fields.get(2);
      return schema instanceof Uint8Array ? decodeMessage(schema, SCHEMA, depth + 1) : fields.get(1) === 1n;
    },
  ],
]);
