import { type FieldError, fieldDuplicate, fieldInvalid } from '../field-error.ts';
import { goMapJson } from '../go-json.ts';
import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../json.ts';
import { type StructuralSchema, schemaOfField } from './structural.ts';

/**
 * Elements of sets that are there twice, and elements of map lists that share their keys; each is told once. Kubernetes:
 * apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go.
 */
export function checkListUniqueness(object: JsonObject, schema: StructuralSchema): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.holds.listTypes) walk(object, schema, '', errors);
  return errors;
}

function walk(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (!schema.holds.listTypes) return;
  if (Array.isArray(value)) {
    if (schema.listType === 'set') checkSet(value, path, errors);
    else if (schema.listType === 'map') checkMapList(value, schema.mapKeys, path, errors);
    const { items } = schema;
    if (items === undefined) return;
    value.forEach((item: Json, i: number) => {
      walk(item, items, `${path}[${i}]`, errors);
    });
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      const field = schemaOfField(schema, name);
      if (field === undefined) continue;
      walk(value[name] as Json, field, schema.properties.has(name) ? childPath(path, name) : `${path}[${name}]`, errors);
    }
  }
}

/** `spec`, `name` → `spec.name`. */
export function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function checkSet(list: readonly Json[], path: string, errors: FieldError[]): void {
  for (const i of repeated(list)) errors.push(fieldDuplicate(`${path}[${i}]`, list[i] as Json));
}

/** Indices of the second element of each kind. */
function repeated(list: readonly Json[]): readonly number[] {
  if (list.length < 2) return [];
  const seen = new Map<string, number>();
  const found: number[] = [];
  list.forEach((item, i) => {
    const key = goMapJson(item);
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times === 2) found.push(i);
  });
  return found;
}

function checkMapList(list: readonly Json[], keys: readonly string[], path: string, errors: FieldError[]): void {
  const wrong = list.findIndex((item) => item !== null && !isJsonObject(item));
  if (wrong >= 0) {
    errors.push(fieldInvalid(`${path}[${wrong}]`, list[wrong] as Json, 'must be an object for an array of list-type map'));
    return;
  }
  const identities = list.map((item) => {
    const identity: { [key: string]: Json } = {};
    for (const key of keys) {
      const value = isJsonObject(item) ? ownValue(item, key) : undefined;
      if (value !== undefined) setOwn(identity, key, value);
    }
    return identity;
  });
  for (const i of repeated(identities)) errors.push(fieldDuplicate(`${path}[${i}]`, identities[i] as Json));
}
