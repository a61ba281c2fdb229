import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import type { MapSchema, Schema } from '../../../../engine/object/schema.ts';
import { type FieldError, fieldRequired } from '../field-error.ts';

/** Structures that are pointers in Go: missing is missing, and not an empty one. */
const POINTERS = new Set(['meta.v1.LabelSelector', 'core.v1.NodeSelector']);

/**
 * Required fields that an object does not have, where that shows in the schema: missing or empty texts and lists. A missing
 * structure counts as an empty one, as it does in Go. What controllers write (metadata, status) is not looked at.
 */
export function requiredFieldErrors(object: JsonObject, schema: MapSchema): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, field] of schema.fields) {
    if (key === 'apiVersion' || key === 'kind' || key === 'metadata' || key === 'status') continue;
    const value = ownValue(object, key);
    if (value !== undefined) visit(value, field.schema, key, errors);
    else if (schema.required.includes(key)) missing(field.schema, key, errors);
  }
  return errors;
}

function visit(value: Json, schema: Schema, path: string, errors: FieldError[]): void {
  if (schema.kind === 'list' && Array.isArray(value)) {
    (value as readonly Json[]).forEach((item, i) => {
      visit(item, schema.items, `${path}[${i}]`, errors);
    });
    return;
  }
  if (schema.kind !== 'map' || !isJsonObject(value)) return;
  for (const key of schema.required) {
    const field = schema.fields.get(key);
    if (field === undefined) continue;
    const child = ownValue(value, key);
    if (child === undefined || (child === '' && field.schema.kind === 'string') || (Array.isArray(child) && child.length === 0)) {
      missing(field.schema, `${path}.${key}`, errors);
    }
  }
  for (const [key, child] of Object.entries(value)) {
    const type = schema.fields.get(key)?.schema ?? schema.rest;
    if (type !== undefined) visit(child, type, `${path}.${key}`, errors);
  }
}

/** Depth at which an empty structure inside an empty structure stops: types may hold themselves. */
const MAX_EMPTY = 8;

function missing(schema: Schema, path: string, errors: FieldError[]): void {
  if (path.split('.').length > MAX_EMPTY) return;
  // A number that is missing is zero, and may be good.
  if (schema.kind === 'integer' || schema.kind === 'number' || schema.kind === 'boolean' || schema.kind === 'int-or-string') return;
  if (schema.kind === 'map' && schema.fields.size > 0 && !POINTERS.has(schema.name ?? '')) visit({}, schema, path, errors);
  else errors.push(fieldRequired(path));
}
