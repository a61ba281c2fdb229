import type { CompactSchema } from './compact-schema.ts';
import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from './json.ts';

/**
 * Reads an OpenAPI v3 schema (of an API server, or of a CustomResourceDefinition) into the compact form, by the same rules
 * by which the API server derives how server-side apply merges. Unknown and contradictory keywords are passed over.
 *
 * Kubernetes: k8s.io/kube-openapi/pkg/schemaconv/openapi.go.
 */
export function compactOpenApi(schema: JsonObject, options: OpenApiOptions = {}): CompactSchema {
  return convert(schema, { nameOf: options.nameOf ?? ((ref) => ref), goTypes: options.goTypes ?? false, preserve: false });
}

export interface OpenApiOptions {
  /** Shortens what `$ref` names. */
  readonly nameOf?: (ref: string) => string;
  /**
   * The schema was generated from Go types (the built-in kinds): a default that is a zero value says no more than that the
   * field is required, and nothing sets it.
   */
  readonly goTypes?: boolean;
}

interface Context {
  readonly nameOf: (ref: string) => string;
  readonly goTypes: boolean;
  /** `x-kubernetes-preserve-unknown-fields` is in force for this schema and all below. */
  readonly preserve: boolean;
}

function convert(schema: JsonObject, outer: Context): CompactSchema {
  const ref = referenceOf(schema);
  if (ref !== undefined) {
    const name = outer.nameOf(ref);
    if (name === 'int-or-string' || name === 'quantity' || name === 'raw') return name;
    const mapType = schema['x-kubernetes-map-type'];
    return mapType === undefined ? `#${name}` : { ref: name, atomic: mapType === 'atomic' };
  }
  if (schema['x-kubernetes-int-or-string'] === true || schema['format'] === 'int-or-string') return 'int-or-string';
  const preserve = outer.preserve || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const context = preserve === outer.preserve ? outer : { ...outer, preserve };
  const type = schema['type'];
  switch (type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return typeof schema['format'] === 'string' && schema['format'] !== '' ? `${type}/${schema['format']}` : type;
    case 'array':
      return convertList(schema, context);
    case 'object':
      return convertMap(schema, context);
    default:
      return hasShape(schema) ? convertMap(schema, context) : 'any';
  }
}

/** The name behind `$ref`, also where it is wrapped into an `allOf` of one, as Kubernetes does beside defaults. */
function referenceOf(schema: JsonObject): string | undefined {
  const direct = schema['$ref'];
  if (typeof direct === 'string') return direct.slice(direct.lastIndexOf('/') + 1);
  const all = schema['allOf'];
  if (!Array.isArray(all) || all.length !== 1) return undefined;
  const inner = all[0] as Json;
  return isJsonObject(inner) && typeof inner['$ref'] === 'string' ? referenceOf(inner) : undefined;
}

function hasShape(schema: JsonObject): boolean {
  return isJsonObject(schema['properties']) || schema['additionalProperties'] !== undefined;
}

function convertList(schema: JsonObject, context: Context): CompactSchema {
  const items = schema['items'];
  const list = isJsonObject(items) ? convert(items, context) : 'any';
  const patch = strategicKey(schema);
  const strategic = patch === undefined ? {} : { patch };
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'map') return { list, by: stringList(schema['x-kubernetes-list-map-keys']), ...strategic };
  if (listType === 'set') return { list, set: true, ...strategic };
  // What the API server does for lists without list type: the strategic merge key becomes the only map key.
  if (listType === undefined && patch !== undefined) return patch === '' ? { list, set: true, patch } : { list, by: [patch], patch };
  return { list, ...strategic };
}

function strategicKey(schema: JsonObject): string | undefined {
  const strategy = schema['x-kubernetes-patch-strategy'];
  if (typeof strategy !== 'string' || !strategy.split(',').includes('merge')) return undefined;
  const key = schema['x-kubernetes-patch-merge-key'];
  return typeof key === 'string' ? key : '';
}

function convertMap(schema: JsonObject, context: Context): CompactSchema {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic' ? { atomic: true as const } : {};
  const embedded = schema['x-kubernetes-embedded-resource'] === true ? { embedded: true as const } : {};
  const properties = schema['properties'];
  const additional = schema['additionalProperties'];
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  // A Go structure without fields is one; a schema without properties allows any.
  const isOpen = (names.length === 0 && !context.goTypes) || context.preserve;
  const rest = restOf(additional, isOpen, context);
  if (names.length === 0 && rest !== undefined && schema['x-kubernetes-embedded-resource'] !== true) return { map: rest, ...atomic };
  const fields: { [name: string]: CompactSchema } = {};
  const defaults: { [name: string]: Json } = {};
  const zero: string[] = [];
  for (const name of names) {
    const property = (properties as JsonObject)[name] as Json;
    if (!isJsonObject(property)) continue;
    setOwn(fields as { [name: string]: Json }, name, convert(property, context) as unknown as Json);
    const value = ownValue(property, 'default');
    if (value === undefined || value === null) continue;
    if (!context.goTypes) setOwn(defaults, name, value);
    else if (value === '' || value === 0 || value === false) zero.push(name);
    else if (!isEmptyMap(value)) setOwn(defaults, name, value);
  }
  const required = stringList(schema['required']);
  return {
    fields,
    ...(required.length > 0 ? { required } : {}),
    ...(Object.keys(defaults).length > 0 ? { defaults } : {}),
    ...(zero.length > 0 ? { zero } : {}),
    ...(rest === undefined ? {} : { rest }),
    ...atomic,
    ...embedded,
  };
}

function restOf(additional: Json | undefined, open: boolean, context: Context): CompactSchema | undefined {
  if (additional === undefined) return open ? 'any' : undefined;
  if (isJsonObject(additional)) return convert(additional, context);
  return additional === true ? 'any' : undefined;
}

function isEmptyMap(value: Json): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function stringList(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === 'string') : [];
}
