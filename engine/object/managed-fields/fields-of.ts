import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { ANY, type ListSchema, type MapSchema, type Schema, UNKNOWN_OBJECT } from '../schema.ts';
import { type FieldNode, type FieldSet, LEAF, NO_FIELDS } from './field-set.ts';
import { fieldElement, listElement, type PathElement } from './path-element.ts';

/** How a value of a schema is taken apart; what has no type of its own is what it looks like. */
export type Shape =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'list'; readonly schema: ListSchema | undefined }
  | { readonly kind: 'map'; readonly schema: MapSchema; readonly atomic: boolean };

const SCALAR: Shape = { kind: 'scalar' };
/** Lists in free-form JSON are one value. */
const UNTYPED_LIST: Shape = { kind: 'list', schema: undefined };
const UNTYPED_MAP: Shape = { kind: 'map', schema: UNKNOWN_OBJECT, atomic: false };
const RAW_MAP: Shape = { kind: 'map', schema: UNKNOWN_OBJECT, atomic: true };

const shapes = new WeakMap<Schema, Shape>();

/** The shape of a value; null, and a value that is not there, take any shape. Kubernetes: typed/helpers.go deduceAtom. */
export function shapeOf(schema: Schema, value: Json | undefined): Shape {
  switch (schema.kind) {
    case 'map':
    case 'list': {
      let shape = shapes.get(schema);
      if (shape === undefined) {
        shape = schema.kind === 'map' ? { kind: 'map', schema, atomic: schema.atomic } : { kind: 'list', schema };
        shapes.set(schema, shape);
      }
      return shape;
    }
    case 'any':
    case 'int-or-string': {
      if (Array.isArray(value)) return UNTYPED_LIST;
      if (value !== null && value !== undefined && typeof value !== 'object') return SCALAR;
      return schema.kind === 'any' && schema.atomic ? RAW_MAP : UNTYPED_MAP;
    }
    default:
      return SCALAR;
  }
}

/** The type of the values under a key of a map. */
export function fieldType(schema: MapSchema, name: string): Schema {
  return schema.fields.get(name)?.schema ?? schema.rest ?? ANY;
}

/**
 * Every field that an object mentions: its leaves, the elements of its lists, and maps that are empty or null. Structures
 * are not fields themselves, only what they hold is. Kubernetes: structured-merge-diff typed/tofieldset.go.
 */
export function fieldsOf(object: JsonObject, schema: MapSchema): FieldSet {
  return nodeOf(object, schema)?.children ?? NO_FIELDS;
}

function nodeOf(value: Json, schema: Schema): FieldNode | undefined {
  const shape = shapeOf(schema, value);
  if (shape.kind === 'scalar') return LEAF;
  if (shape.kind === 'list') {
    if (shape.schema === undefined || shape.schema.listType === 'atomic') return LEAF;
    return Array.isArray(value) ? inner(fieldsOfList(value, shape.schema)) : undefined;
  }
  if (shape.atomic) return LEAF;
  return isJsonObject(value) ? inner(fieldsOfMap(value, shape.schema)) : undefined;
}

function inner(children: FieldSet | undefined): FieldNode | undefined {
  return children && { isMember: false, children };
}

function fieldsOfMap(value: JsonObject, schema: MapSchema): FieldSet | undefined {
  let set: Map<PathElement, FieldNode> | undefined;
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const node = nodeOf(child, fieldType(schema, name));
    const isMember = child === null || isEmptyMap(child) || !schema.fields.has(name);
    const own = isMember ? asMember(node) : node;
    if (own === undefined) continue;
    set ??= new Map();
    set.set(fieldElement(name), own);
  }
  return set;
}

function fieldsOfList(value: readonly Json[], list: ListSchema): FieldSet | undefined {
  let set: Map<PathElement, FieldNode> | undefined;
  for (const item of value) {
    const element = listElement(list, item);
    if (element === undefined) continue;
    set ??= new Map();
    // Of several elements with one key, no field is told apart.
    set.set(element, set.has(element) ? LEAF : asMember(nodeOf(item, list.items)));
  }
  return set;
}

function asMember(node: FieldNode | undefined): FieldNode {
  if (node === undefined) return LEAF;
  return node.isMember ? node : { isMember: true, children: node.children };
}

function isEmptyMap(value: Json): boolean {
  if (!isJsonObject(value)) return false;
  for (const _ in value) return false;
  return true;
}

/**
 * The set with the named fields of structures as members, where something inside them is: what a manager gives up together
 * with the last field inside. Kubernetes: fieldpath/set.go EnsureNamedFieldsAreMembers.
 */
export function withNamedFields(set: FieldSet, schema: Schema | undefined): FieldSet {
  let out: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of set) {
    if (node.children === undefined) continue;
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    let type: Schema | undefined;
    let isNamed = false;
    if (name !== undefined && (schema?.kind === 'map' || schema?.kind === 'any')) {
      type = schema.kind === 'map' ? fieldType(schema, name) : schema;
      isNamed = schema.kind === 'map' && schema.fields.has(name);
    } else if (element.startsWith('k:') && schema?.kind === 'list') type = schema.items;
    const children = withNamedFields(node.children, type);
    const isMember = node.isMember || isNamed;
    if (children === node.children && isMember === node.isMember) continue;
    out ??= new Map(set);
    out.set(element, { isMember, children });
  }
  return out ?? set;
}
