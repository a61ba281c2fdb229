import { goSyntax, goTypeName, goValue } from './go-format.ts';
import { type Json, type JsonObject, ownValue } from './json.ts';
import { elementKey } from './list-element.ts';
import type { ListSchema, MapSchema, ScalarSchema, Schema } from './schema.ts';

export interface TypedValueOptions {
  /** Several elements of one key in a set or map list are no error: objects that exist may have them. */
  readonly allowDuplicates?: boolean;
}

/** An error of the merge's own type check: `.spec.containers[name="a"].image`, `expected string, got ...`. */
export interface TypedValueError {
  readonly path: string;
  readonly message: string;
}

/**
 * Whether a value fits a schema as server-side apply asks it to: declared fields, kinds of scalars, distinct list keys; null
 * fits everywhere. Texts are those of the API server. Kubernetes: structured-merge-diff typed/validate.go.
 */
export function checkTypedValue(value: Json, schema: Schema, options: TypedValueOptions = {}): readonly TypedValueError[] {
  const errors: TypedValueError[] = [];
  check(value, schema, '', options.allowDuplicates ?? false, errors);
  return errors;
}

/** The errors as one text, as the API server puts them into a message. */
export function formatTypedValueErrors(errors: readonly TypedValueError[]): string {
  const lines = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return lines.length === 1 ? (lines[0] as string) : ['errors:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function check(value: Json, schema: Schema, path: string, allowDuplicates: boolean, errors: TypedValueError[]): void {
  if (value === null) return;
  switch (schema.kind) {
    case 'any':
      return;
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) errors.push({ path, message: `expected map, got ${goPointer(value)}` });
      else checkMap(value as JsonObject, schema, path, allowDuplicates, errors);
      return;
    case 'list':
      if (!Array.isArray(value)) errors.push({ path, message: `expected list, got ${goPointer(value)}` });
      else checkList(value, schema, path, allowDuplicates, errors);
      return;
    default: {
      const message = scalarError(value, schema);
      if (message !== undefined) errors.push({ path, message });
    }
  }
}

function checkMap(value: JsonObject, schema: MapSchema, path: string, allowDuplicates: boolean, errors: TypedValueError[]): void {
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key)?.schema ?? schema.rest;
    if (field === undefined) {
      // The API server stops at the first unknown field of a map too.
      errors.push({ path: `${path}.${key}`, message: 'field not declared in schema' });
      return;
    }
    check(ownValue(value, key) as Json, field, `${path}.${key}`, allowDuplicates, errors);
  }
}

function checkList(value: readonly Json[], schema: ListSchema, path: string, allowDuplicates: boolean, errors: TypedValueError[]): void {
  const seen = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const element = value[i] as Json;
    let place = `[${i}]`;
    if (schema.listType !== 'atomic') {
      const found = elementKey(schema, element);
      if ('error' in found) {
        errors.push({ path, message: `element ${i}: ${found.error}` });
        return;
      }
      place = found.key;
      if (seen.has(place) && !allowDuplicates) errors.push({ path, message: `duplicate entries for key ${place}` });
      seen.add(place);
    }
    check(element, schema.items, path + place, allowDuplicates, errors);
  }
}

function scalarError(value: Json, schema: ScalarSchema): string | undefined {
  switch (schema.kind) {
    case 'integer':
    case 'number':
      if (typeof value === 'number' || typeof value === 'bigint') return undefined;
      return `expected numeric (int or float), got ${goTypeName(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${goPointer(value)}`;
    case 'int-or-string':
      // Published without a type, so that the API server's merge takes it for anything at all.
      return undefined;
    case 'string':
      if (schema.format === undefined || schema.format === 'byte') {
        return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
      }
      return anyScalarError(value);
    case 'quantity':
      return anyScalarError(value);
  }
}

/** Strings with a format and quantities: any scalar will do. */
function anyScalarError(value: Json): string | undefined {
  return typeof value === 'object' ? `expected any scalar, got ${goPointer(value)}` : undefined;
}

/** Go's `%v` of a pointer to the merge's own wrapper of a value. */
function goPointer(value: Json): string {
  return `&{${goValue(value)}}`;
}
