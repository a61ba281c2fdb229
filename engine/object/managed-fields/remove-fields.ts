import { isJsonObject, type Json, type JsonObject, setOwn } from '../json.ts';
import type { ListSchema, MapSchema, Schema } from '../schema.ts';
import { type FieldSet, NO_FIELDS } from './field-set.ts';
import { fieldType, shapeOf } from './fields-of.ts';
import { fieldElement, listElement } from './path-element.ts';

/**
 * The object without the fields of a set. A map or list that this empties becomes null, as it does in the API server, where
 * decoding takes it for a missing one. Kubernetes: structured-merge-diff typed/remove.go.
 */
export function removeFields(object: JsonObject, fields: FieldSet, schema: MapSchema): JsonObject {
  if (fields.size === 0) return object;
  const rest = remove(object, fields, schema);
  return isJsonObject(rest) ? rest : {};
}

function remove(value: Json, fields: FieldSet, schema: Schema): Json {
  const shape = shapeOf(schema, value);
  if (shape.kind === 'scalar') return value;
  if (shape.kind === 'list') {
    if (!Array.isArray(value) || shape.schema === undefined || shape.schema.listType === 'atomic') return null;
    return removeFromList(value, fields, shape.schema);
  }
  return isJsonObject(value) && !shape.atomic ? removeFromMap(value, fields, shape.schema) : null;
}

function removeFromMap(value: JsonObject, fields: FieldSet, schema: MapSchema): Json {
  let copy: { [key: string]: Json } | undefined;
  let left = 0;
  for (const name of Object.keys(value)) {
    const node = fields.get(fieldElement(name));
    const child = value[name] as Json;
    if (node === undefined) {
      left++;
      continue;
    }
    if (node.isMember) {
      copy ??= { ...value };
      delete copy[name];
      continue;
    }
    left++;
    const rest = remove(child, node.children ?? NO_FIELDS, fieldType(schema, name));
    if (rest === child) continue;
    copy ??= { ...value };
    setOwn(copy, name, rest);
  }
  return left === 0 ? null : (copy ?? value);
}

function removeFromList(value: readonly Json[], fields: FieldSet, list: ListSchema): Json {
  const out: Json[] = [];
  let isSame = true;
  for (const item of value) {
    const element = listElement(list, item);
    const node = element === undefined ? undefined : fields.get(element);
    if (node?.isMember) {
      isSame = false;
      continue;
    }
    const rest = node?.children === undefined ? item : remove(item, node.children, list.items);
    if (rest !== item) isSame = false;
    out.push(rest);
  }
  if (out.length === 0) return null;
  return isSame ? value : out;
}

/** The object without nulls in the fields of its structures, where a built-in kind has none. */
export function withoutNullFields(object: JsonObject, schema: MapSchema): JsonObject {
  return dropNulls(object, schema) as JsonObject;
}

function dropNulls(value: Json, schema: Schema): Json {
  if (schema.kind === 'list' && Array.isArray(value)) {
    const items = value.map((item: Json) => dropNulls(item, schema.items));
    return items.every((item: Json, i: number) => item === value[i]) ? value : items;
  }
  if (schema.kind !== 'map' || !isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const rest = dropNulls(child, fieldType(schema, name));
    if (rest === null && schema.fields.has(name)) {
      copy ??= { ...value };
      delete copy[name];
    } else if (rest !== child) {
      copy ??= { ...value };
      setOwn(copy, name, rest);
    }
  }
  return copy ?? value;
}
