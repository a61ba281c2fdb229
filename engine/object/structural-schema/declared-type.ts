import { parseDuration } from '../../cel/run/duration.ts';
import { parseTimestamp } from '../../cel/run/timestamp.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  object,
  STRING,
  type StructType,
  TIMESTAMP,
  type TypeProvider,
} from '../../cel/types.ts';
import { type CelValue, double } from '../../cel/values.ts';
import { isJsonObject, type Json, ownValue, setOwn } from '../json.ts';
import { escapePropertyName } from '../property-name.ts';
import { numberOf, readStructuralSchema, type StructuralSchema, text, textList } from './structural.ts';

/**
 * What rules in CEL know of the values of a schema: their type, and how large they may be, from which the cost of a rule is
 * estimated. Kubernetes: apiserver pkg/cel/common/schemas.go SchemaDeclType.
 */
export interface DeclaredType {
  readonly cel: CelType;
  /** Bytes of the smallest value as JSON. */
  readonly minSize: number;
  /** Most elements of a list or map, most bytes of a string. */
  readonly maxElements: number;
  readonly element?: DeclaredType;
  readonly key?: DeclaredType;
  /** By the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclaredType>;
  /** A value as CEL has it; undefined where JSON already is. */
  readonly toCel?: (value: Json) => CelValue;
}

/** The structures among declared types, for the checker. */
export class DeclaredStructs implements TypeProvider {
  readonly #structs = new Map<string, StructType>();

  structType(name: string): StructType | undefined {
    return this.#structs.get(name);
  }

  /** The type of a structure with these fields; `name` is used only within messages. */
  add(name: string, fields: ReadonlyMap<string, DeclaredType>): CelType {
    let free = name;
    for (let n = 2; this.#structs.has(free); n++) free = `${name}#${n}`;
    this.#structs.set(free, { name: free, field: (field) => fields.get(field)?.cel, fieldNames: () => fields.keys() });
    return object(free);
  }
}

/** Kubernetes: apiserver pkg/apis/cel/config.go MaxRequestSizeBytes. */
const MAX_REQUEST = 3 * 1024 * 1024;
const MIN_STRING = 2;
const MAX_NAME = 253;

const NUMBER = {
  cel: DOUBLE,
  minSize: 1,
  maxElements: 1,
  toCel: (value: Json) => (typeof value === 'number' ? double(value) : (value as CelValue)),
};

/**
 * The declared type of a schema; undefined for values of which too little is known, which rules can't see. `isRoot`: a whole
 * Kubernetes object, of which apiVersion, kind and names are always known.
 */
export function declareType(
  schema: StructuralSchema,
  isRoot: boolean,
  structs: DeclaredStructs,
  name = 'selfType',
): DeclaredType | undefined {
  if (schema.isIntOrString) {
    const maxLength = numberOf(schema.source, 'maxLength');
    return { cel: DYN, minSize: 1, maxElements: maxLength === undefined ? MAX_REQUEST - 2 : Math.max(0, maxLength) * 4 };
  }
  const known = isRoot ? withObjectFields(schema) : schema;
  switch (known.type) {
    case 'array':
      return declareList(known, structs, name);
    case 'object':
      return known.additional === undefined || known.additional === true
        ? declareStruct(known, structs, name)
        : declareMap(known, known.additional, structs, name);
    case 'string':
      return declareString(known);
    case 'boolean':
      return { cel: BOOL, minSize: 4, maxElements: 1 };
    case 'number':
      return NUMBER;
    case 'integer':
      return { cel: INT, minSize: 1, maxElements: 1 };
    default:
      return undefined;
  }
}

function declareList(schema: StructuralSchema, structs: DeclaredStructs, name: string): DeclaredType | undefined {
  const { items } = schema;
  const element = items && declareType(items, items.isEmbedded, structs, `${name}.@idx`);
  if (element === undefined) return undefined;
  const maxItems = numberOf(schema.source, 'maxItems');
  const { toCel } = element;
  return {
    cel: listOf(element.cel),
    minSize: 2,
    maxElements: maxItems === undefined ? Math.floor((MAX_REQUEST - 2) / (element.minSize + 1)) : Math.max(0, maxItems),
    element,
    ...(toCel === undefined
      ? {}
      : { toCel: (value) => (Array.isArray(value) ? value.map((item: Json) => orNull(toCel, item)) : (value as CelValue)) }),
  };
}

const orNull = (toCel: (value: Json) => CelValue, value: Json): CelValue => (value === null ? null : toCel(value));

function declareMap(schema: StructuralSchema, values: StructuralSchema, structs: DeclaredStructs, name: string): DeclaredType | undefined {
  const element = declareType(values, values.isEmbedded, structs, `${name}.@elem`);
  if (element === undefined) return undefined;
  const maxProperties = numberOf(schema.source, 'maxProperties');
  const { toCel } = element;
  return {
    cel: mapOf(STRING, element.cel),
    minSize: 2,
    maxElements: maxProperties === undefined ? Math.floor((MAX_REQUEST - 2) / (element.minSize + 6)) : Math.max(0, maxProperties),
    element,
    key: { cel: STRING, minSize: MIN_STRING, maxElements: MAX_REQUEST - 2 },
    ...(toCel === undefined ? {} : { toCel: (value) => (isJsonObject(value) ? mapValues(value, toCel) : (value as CelValue)) }),
  };
}

function mapValues(value: { readonly [key: string]: Json }, toCel: (value: Json) => CelValue): CelValue {
  const out: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) setOwn(out, key, orNull(toCel, value[key] as Json) as Json);
  return out;
}

function declareStruct(schema: StructuralSchema, structs: DeclaredStructs, name: string): DeclaredType {
  const required = new Set(textList(ownValue(schema.source, 'required')));
  const fields = new Map<string, DeclaredType>();
  const plain = new Map<string, { readonly name: string; readonly type: DeclaredType }>();
  let minSize = 2;
  let isJson = true;
  for (const [key, property] of schema.properties) {
    const type = declareType(property, property.isEmbedded, structs, `${name}.${key}`);
    if (type === undefined) continue;
    const escaped = escapePropertyName(key);
    if (escaped !== undefined) {
      fields.set(escaped, type);
      plain.set(key, { name: escaped, type });
      if (escaped !== key || type.toCel !== undefined) isJson = false;
    }
    if (required.has(key) && property.default === undefined) minSize += key.length + type.minSize + 4;
  }
  const cel = structs.add(name, fields);
  return {
    cel,
    minSize,
    // Structures have no elements: nothing iterates over them.
    maxElements: fields.size,
    fields,
    ...(isJson ? {} : { toCel: (value) => structToCel(value, plain) }),
  };
}

function structToCel(value: Json, fields: ReadonlyMap<string, { readonly name: string; readonly type: DeclaredType }>): CelValue {
  if (!isJsonObject(value)) return value as CelValue;
  const out: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const field = fields.get(key);
    if (field === undefined) continue;
    const child = value[key] as Json;
    const { toCel } = field.type;
    setOwn(out, field.name, toCel === undefined ? child : (orNull(toCel, child) as Json));
  }
  return out;
}

function declareString(schema: StructuralSchema): DeclaredType {
  const maxLength = numberOf(schema.source, 'maxLength');
  switch (text(schema.source, 'format')) {
    case 'byte':
      return {
        cel: BYTES,
        minSize: MIN_STRING,
        maxElements: maxLength === undefined ? MAX_REQUEST - 2 : Math.max(0, maxLength),
        toCel: decodeBase64,
      };
    case 'duration':
      return {
        cel: DURATION,
        minSize: 3,
        maxElements: 32,
        toCel: (value) => (typeof value === 'string' ? (parseDuration(value) ?? value) : (value as CelValue)),
      };
    case 'date':
      return { cel: TIMESTAMP, minSize: 12, maxElements: 12, toCel: (value) => timestampOf(value, 'T00:00:00Z') };
    case 'date-time':
      return { cel: TIMESTAMP, minSize: 21, maxElements: 32, toCel: (value) => timestampOf(value, '') };
    default:
      return { cel: STRING, minSize: MIN_STRING, maxElements: maxLength === undefined ? longestText(schema) : Math.max(0, maxLength) * 4 };
  }
}

function longestText(schema: StructuralSchema): number {
  const values = ownValue(schema.source, 'enum');
  if (!Array.isArray(values) || values.length === 0) return MAX_REQUEST - 2;
  return Math.max(0, ...values.map((value: Json) => (typeof value === 'string' ? new TextEncoder().encode(value).length : 0)));
}

/** What is no time was refused for its format before a rule sees it. */
function timestampOf(value: Json, suffix: string): CelValue {
  if (typeof value !== 'string') return value as CelValue;
  try {
    return parseTimestamp(value + suffix) ?? value;
  } catch {
    return value;
  }
}

function decodeBase64(value: Json): CelValue {
  if (typeof value !== 'string') return value as CelValue;
  try {
    return Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
  } catch {
    return value;
  }
}

/** What every Kubernetes object has, whatever its schema says. */
function withObjectFields(schema: StructuralSchema): StructuralSchema {
  const metadata = schema.properties.get('metadata');
  const name = (key: string, limit: number): StructuralSchema => {
    const own = metadata?.properties.get(key);
    const maxLength = Math.min(limit, (own && numberOf(own.source, 'maxLength')) ?? limit);
    return readStructuralSchema({ type: 'string', maxLength });
  };
  const properties = new Map(schema.properties);
  for (const key of ['apiVersion', 'kind']) properties.set(key, readStructuralSchema({ type: 'string' }));
  properties.set('metadata', {
    ...readStructuralSchema({ type: 'object' }),
    properties: new Map([
      ['name', name('name', MAX_NAME)],
      ['generateName', name('generateName', MAX_NAME - 1)],
    ]),
  });
  return { ...schema, properties };
}
