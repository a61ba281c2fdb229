import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from '../json.ts';
import { ANY, type ListSchema, type MapSchema, type Schema } from '../schema.ts';
import { type FieldNode, type FieldSet, LEAF, NO_FIELDS, unionFields } from './field-set.ts';
import { fieldType, shapeOf } from './fields-of.ts';
import { decodeManagers } from './managers.ts';
import { metadataField } from './metadata.ts';
import { elementKeys, fieldElement, listElement, type PathElement, setValue } from './path-element.ts';

/**
 * The fields that a manager owns of an object, by its own `metadata.managedFields`. Only what it applies counts; `subresource`
 * asks for one entry, default `` for that of the object itself.
 */
export function ownedFields(object: JsonObject, manager: string, subresource = ''): FieldSet {
  const entries = metadataField(object, 'managedFields');
  if (!Array.isArray(entries)) return NO_FIELDS;
  // Others' entries are passed over unread.
  const ofManager = (entries as readonly Json[]).filter((entry) => isJsonObject(entry) && (ownValue(entry, 'manager') ?? '') === manager);
  const decoded = decodeManagers(ofManager);
  if ('error' in decoded) return NO_FIELDS;
  let owned = NO_FIELDS;
  for (const entry of decoded.managers.values()) {
    if (entry.operation !== 'Apply' || entry.manager !== manager || entry.subresource !== subresource) continue;
    owned = unionFields(owned, entry.fields);
  }
  return owned;
}

/**
 * The part of an object that a set names, in the order of the object: list elements are found by the keys in the set, and keep
 * them. A map or list that is named itself is there even where nothing of it is left. `{}` where nothing is left at all.
 *
 * A field with nothing named below it stands for its whole value; where a schema tells that it is a map or list of which others
 * may own parts, for the empty one.
 */
export function projectOwned(object: JsonObject, fields: FieldSet, schema?: MapSchema): JsonObject {
  return projectMap(object, fields, schema) ?? {};
}

function project(value: Json, node: FieldNode, schema: Schema | undefined): Json | undefined {
  if (node.children === undefined && (schema === undefined || isOneValue(schema, value))) return value;
  const children = node.children ?? NO_FIELDS;
  if (Array.isArray(value)) {
    return projectList(value, children, schema?.kind === 'list' ? schema : undefined) ?? (node.isMember ? [] : undefined);
  }
  if (isJsonObject(value)) return projectMap(value, children, schema) ?? (node.isMember ? {} : undefined);
  return node.isMember ? value : undefined;
}

function isOneValue(schema: Schema, value: Json): boolean {
  const shape = shapeOf(schema, value);
  if (shape.kind === 'list') return shape.schema === undefined || shape.schema.listType === 'atomic';
  return shape.kind === 'scalar' || shape.atomic;
}

function projectMap(value: JsonObject, fields: FieldSet, schema: Schema | undefined): JsonObject | undefined {
  let out: { [key: string]: Json } | undefined;
  for (const name of Object.keys(value)) {
    const node = fields.get(fieldElement(name));
    if (node === undefined) continue;
    const part = project(value[name] as Json, node, schema?.kind === 'map' ? fieldType(schema, name) : schema && ANY);
    if (part === undefined) continue;
    out ??= {};
    setOwn(out, name, part);
  }
  return out;
}

function projectList(value: readonly Json[], fields: FieldSet, list: ListSchema | undefined): readonly Json[] | undefined {
  const wanted = elementsOf(fields);
  const out: Json[] = [];
  value.forEach((item, i) => {
    const element = list && list.listType !== 'atomic' ? listElement(list, item) : undefined;
    const found = element === undefined ? wanted.find(({ matches }) => matches(item, i)) : wanted.find((each) => each.element === element);
    const part = found && project(item, found.node, list?.items);
    if (part !== undefined) out.push(part);
  });
  return out.length === 0 ? undefined : out;
}

interface WantedElement {
  readonly element: PathElement;
  readonly node: FieldNode;
  /** Without a schema. */
  readonly matches: (item: Json, index: number) => boolean;
}

/** Sets are read again and again, by every look for drift. */
const wantedOf = new WeakMap<FieldSet, readonly WantedElement[]>();

function elementsOf(fields: FieldSet): readonly WantedElement[] {
  let elements = wantedOf.get(fields);
  if (elements === undefined) {
    elements = Array.from(fields, ([element, node]) => wantedElement(element, node));
    wantedOf.set(fields, elements);
  }
  return elements;
}

function wantedElement(element: PathElement, node: FieldNode): WantedElement {
  const keys = elementKeys(element);
  if (keys !== undefined) {
    const names = Object.keys(keys);
    const keyNode = node.children === undefined ? node : { isMember: node.isMember, children: withKeys(node.children, names) };
    return { element, node: keyNode, matches: (item) => isJsonObject(item) && hasKeys(item, keys, names) };
  }
  const value = setValue(element);
  if (value !== undefined) return { element, node, matches: (item) => jsonEqual(item, value) };
  const position = element.startsWith('i:') ? Number(element.slice(2)) : -1;
  return { element, node, matches: (_, index) => index === position };
}

function withKeys(fields: FieldSet, names: readonly string[]): FieldSet {
  return unionFields(fields, new Map(names.map((name) => [fieldElement(name), LEAF])));
}

/** A key that the element lacks was taken from its default, which only the set knows; one key at least is there. */
function hasKeys(item: JsonObject, keys: JsonObject, names: readonly string[]): boolean {
  let some = false;
  for (const name of names) {
    const value = ownValue(item, name);
    if (value === undefined) continue;
    if (!jsonEqual(value, keys[name])) return false;
    some = true;
  }
  return some;
}
