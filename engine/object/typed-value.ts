import { goSyntax, goTypeName, goValue } from './go-format.ts';
import { type Json, type JsonObject, ownValue } from './json.ts';
import { elementKey } from './list-element.ts';
import type { ListSchema, MapSchema, ScalarSchema, Schema } from './schema.ts';

export interface TypedValueOptions {
  /** Several elements of one key in a set or map list are no error: objects that exist may have them. */
  readonly allowDuplicates?: boolean;
  /**
   * `refuse`: null is no null but a value of its own that fits nowhere, which is what CEL's null becomes on its way into an
   * apply configuration. Default: `accept`.
   */
  readonly nulls?: 'accept' | 'refuse';
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
  check(value, schema, '', { errors, allowDuplicates: options.allowDuplicates ?? false, acceptNulls: options.nulls !== 'refuse' });
  return errors;
}

/** The errors as one text, as the API server puts them into a message. */
export function formatTypedValueErrors(errors: readonly TypedValueError[]): string {
  const lines = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return lines.length === 1 ? (lines[0] as string) : ['errors:', ...lines.map((line) => `  ${line}`)].join('\n');
}

interface Check {
  readonly errors: TypedValueError[];
  readonly allowDuplicates: boolean;
  readonly acceptNulls: boolean;
}

function check(value: Json, schema: Schema, path: string, state: Check): void {
  const { errors } = state;
  if (value === null) {
    if (!state.acceptNulls) errors.push({ path, message: celNullError(schema) });
    return;
  }
  switch (schema.kind) {
    case 'any':
      return;
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) errors.push({ path, message: `expected map, got ${goPointer(value)}` });
      else checkMap(value as JsonObject, schema, path, state);
      return;
    case 'list':
      if (!Array.isArray(value)) errors.push({ path, message: `expected list, got ${goPointer(value)}` });
      else checkList(value, schema, path, state);
      return;
    default: {
      const message = scalarError(value, schema);
      if (message !== undefined) errors.push({ path, message });
    }
  }
}

function checkMap(value: JsonObject, schema: MapSchema, path: string, state: Check): void {
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key)?.schema ?? schema.rest;
    if (field === undefined) {
      // The API server stops at the first unknown field of a map too.
      state.errors.push({ path: `${path}.${key}`, message: 'field not declared in schema' });
      return;
    }
    check(ownValue(value, key) as Json, field, `${path}.${key}`, state);
  }
}

function checkList(value: readonly Json[], schema: ListSchema, path: string, state: Check): void {
  const seen = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const element = value[i] as Json;
    let place = `[${i}]`;
    if (schema.listType !== 'atomic') {
      const found = elementKey(schema, element);
      if ('error' in found) {
        state.errors.push({ path, message: `element ${i}: ${found.error}` });
        return;
      }
      place = found.key;
      if (seen.has(place) && !state.allowDuplicates) state.errors.push({ path, message: `duplicate entries for key ${place}` });
      seen.add(place);
    }
    check(element, schema.items, path + place, state);
  }
}

/** CEL's null arrives as a protobuf enum, and the messages show it. */
function celNullError(schema: Schema): string {
  switch (schema.kind) {
    case 'list':
      return 'expected list, got &{NULL_VALUE}';
    case 'string':
      if (schema.format === undefined || schema.format === 'byte') return 'expected string, got &value.valueUnstructured{Value:0}';
      return 'expected any scalar, got &{NULL_VALUE}';
    case 'integer':
    case 'number':
      return 'expected numeric (int or float), got structpb.NullValue';
    case 'boolean':
      return 'expected boolean, got &{NULL_VALUE}';
    case 'quantity':
      return 'expected any scalar, got &{NULL_VALUE}';
    default:
      return 'expected map, got &{NULL_VALUE}';
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
