import { isJsonObject, type Json, type JsonObject, setOwn } from '../json.ts';
import { type FieldNode, type FieldSet, LEAF, NO_FIELDS } from './field-set.ts';
import { type PathElement, parsePathElement, sortElements } from './path-element.ts';

/** Objects share the `fieldsV1` that a write does not change, and so what was read once is often read again. */
const decoded = new WeakMap<JsonObject, FieldSet>();

/**
 * Reads `fieldsV1`. What it can't understand is passed over, as the API server does with steps of a kind it does not know.
 * Kubernetes: structured-merge-diff fieldpath/serialize.go.
 */
export function decodeFieldsV1(fields: Json | undefined): FieldSet {
  if (!isJsonObject(fields)) return NO_FIELDS;
  let set = decoded.get(fields);
  if (set === undefined) {
    set = decode(fields) ?? NO_FIELDS;
    decoded.set(fields, set);
  }
  return set;
}

function decode(fields: JsonObject): FieldSet | undefined {
  let set: Map<PathElement, FieldNode> | undefined;
  for (const key of Object.keys(fields)) {
    if (key === '.') continue;
    const element = parsePathElement(key);
    if (element === undefined) continue;
    const below = fields[key] as Json;
    const children = isJsonObject(below) ? decode(below) : undefined;
    set ??= new Map();
    // A field with nothing below is owned itself; one with something only where a dot says so.
    set.set(element, children === undefined ? LEAF : { isMember: Object.hasOwn(below as JsonObject, '.'), children });
  }
  return set;
}

/** Writes `fieldsV1`, in the order in which the API server writes it. */
export function encodeFieldsV1(set: FieldSet): JsonObject {
  const fields = encode(set, false);
  decoded.set(fields, set);
  return fields;
}

function encode(set: FieldSet, isMember: boolean): JsonObject {
  const fields: { [key: string]: Json } = isMember ? { '.': {} } : {};
  for (const element of sortElements(set.keys())) {
    const node = set.get(element) as FieldNode;
    setOwn(fields, element, node.children === undefined ? {} : encode(node.children, node.isMember));
  }
  return fields;
}
