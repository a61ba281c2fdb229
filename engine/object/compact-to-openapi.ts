import type { CompactObject, CompactSchema } from './compact-schema.ts';
import { type Json, type JsonObject, setOwn } from './json.ts';

/**
 * A compact schema as OpenAPI publishes it, with the extensions from which clients and {@link compactOpenApi} read how it merges.
 * Descriptions are not in it. `refOf` names a definition where `$ref` stands: `core.v1.PodSpec` →
 * `#/components/schemas/io.k8s.api.core.v1.PodSpec`; it is also asked for `quantity`, `int-or-string` and `raw`.
 */
export function compactSchemaToOpenApi(compact: CompactSchema, refOf: (name: string) => string): JsonObject {
  if (typeof compact === 'string') return wordToOpenApi(compact, refOf);
  if ('ref' in compact) {
    return { allOf: [{ $ref: refOf(compact.ref) }], 'x-kubernetes-map-type': compact.atomic ? 'atomic' : 'granular' };
  }
  if ('list' in compact) {
    const { list, by, set, patch } = compact;
    return {
      type: 'array',
      items: compactSchemaToOpenApi(list, refOf),
      ...(by === undefined ? {} : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': by }),
      ...(by === undefined ? { 'x-kubernetes-list-type': set === undefined ? 'atomic' : 'set' } : {}),
      ...(patch === undefined ? {} : { 'x-kubernetes-patch-strategy': 'merge' }),
      ...(patch === undefined || patch === '' ? {} : { 'x-kubernetes-patch-merge-key': patch }),
    };
  }
  if ('map' in compact) {
    const values = compact.map === 'any' ? {} : { additionalProperties: compactSchemaToOpenApi(compact.map, refOf) };
    return { type: 'object', ...values, ...atomic(compact) };
  }
  return structToOpenApi(compact, refOf);
}

function wordToOpenApi(word: string, refOf: (name: string) => string): JsonObject {
  if (word.startsWith('#')) return { $ref: refOf(word.slice(1)) };
  if (word === 'any') return {};
  if (word === 'raw' || word === 'quantity' || word === 'int-or-string') return { $ref: refOf(word) };
  const [type = '', format] = word.split('/');
  return { type, ...(format === undefined ? {} : { format }) };
}

function structToOpenApi(compact: CompactObject, refOf: (name: string) => string): JsonObject {
  const properties: { [name: string]: Json } = {};
  const { fields, defaults = {}, zero = [], required = [], rest } = compact;
  for (const name of Object.keys(fields)) {
    const schema = compactSchemaToOpenApi(fields[name] as CompactSchema, refOf);
    const value = Object.hasOwn(defaults, name) ? defaults[name] : zero.includes(name) ? zeroOf(schema) : undefined;
    setOwn(properties, name, value === undefined ? schema : withDefault(schema, value));
  }
  return {
    type: 'object',
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
    ...(rest === undefined ? {} : { additionalProperties: rest === 'any' ? true : compactSchemaToOpenApi(rest, refOf) }),
    ...atomic(compact),
    ...(compact.embedded ? { 'x-kubernetes-embedded-resource': true } : {}),
  };
}

/** Nothing may stand beside a `$ref`. */
function withDefault(schema: JsonObject, value: Json): JsonObject {
  return Object.hasOwn(schema, '$ref') ? { allOf: [schema], default: value } : { ...schema, default: value };
}

function zeroOf(schema: JsonObject): Json {
  if (schema['type'] === 'boolean') return false;
  return schema['type'] === 'integer' || schema['type'] === 'number' ? 0 : '';
}

function atomic(compact: { readonly atomic?: true }): JsonObject {
  return compact.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {};
}
