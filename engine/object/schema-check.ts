import type { DocumentPath } from '../text/document.ts';
import { suggest } from '../text/suggest.ts';
import { isJsonObject, type Json, ownValue } from './json.ts';
import { elementKey } from './list-element.ts';
import type { ListSchema, MapSchema, ScalarSchema, Schema } from './schema.ts';

export interface SchemaIssue {
  readonly code: 'schema-unknown-field' | 'schema-wrong-type' | 'schema-missing-field' | 'schema-duplicate-item';
  readonly path: DocumentPath;
  /** Whether the key at {@link path} is meant, or its value. */
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly hint?: string;
}

export interface SchemaCheckOptions {
  /** Values whose type is not known yet: they are passed over (strings with templates). */
  readonly skip?: (value: Json) => boolean;
  /** Whether missing required fields are told; not for what is merged into something else. Default: true. */
  readonly required?: boolean;
}

/**
 * Everything about a value that its schema does not allow: unknown fields (with a suggestion), wrong types, missing fields,
 * list items with the same key. Null is allowed wherever a field may be missing. In document order.
 */
export function checkSchema(value: Json, schema: Schema, options: SchemaCheckOptions = {}): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  check(value, schema, [], { issues, skip: options.skip ?? (() => false), required: options.required ?? true });
  return issues;
}

interface Check {
  readonly issues: SchemaIssue[];
  readonly skip: (value: Json) => boolean;
  readonly required: boolean;
}

function check(value: Json, schema: Schema, path: DocumentPath, state: Check): void {
  if (value === null || state.skip(value)) return;
  switch (schema.kind) {
    case 'any':
      return;
    case 'map':
      if (isJsonObject(value)) checkMap(value, schema, path, state);
      else wrongType(value, schema.fields.size > 0 ? 'an object' : 'a map', path, state);
      return;
    case 'list':
      if (Array.isArray(value)) checkList(value, schema, path, state);
      else wrongType(value, 'a list', path, state);
      return;
    default:
      checkScalar(value, schema, path, state);
  }
}

function checkMap(value: { readonly [key: string]: Json }, schema: MapSchema, path: DocumentPath, state: Check): void {
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key)?.schema ?? schema.rest;
    if (field !== undefined) check(value[key] as Json, field, [...path, key], state);
    else if (!state.skip(key)) {
      const similar = suggest(key, schema.fields.keys());
      const of = schema.name === undefined ? '' : ` of ${schema.name.slice(schema.name.lastIndexOf('.') + 1)}`;
      const hint = similar === undefined ? {} : { hint: `did you mean ${similar}?` };
      state.issues.push({ code: 'schema-unknown-field', path: [...path, key], part: 'key', message: `unknown field ${key}${of}`, ...hint });
    }
  }
  if (!state.required) return;
  for (const key of schema.required) {
    // A published default is set before anything is validated.
    if (ownValue(value, key) === undefined && schema.fields.get(key)?.default === undefined) {
      state.issues.push({ code: 'schema-missing-field', path, part: 'value', message: `missing field ${key}` });
    }
  }
}

function checkList(value: readonly Json[], schema: ListSchema, path: DocumentPath, state: Check): void {
  const seen = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const element = value[i] as Json;
    check(element, schema.items, [...path, i], state);
    if (schema.listType === 'atomic' || hasTemplate(element, state)) continue;
    const found = elementKey(schema, element);
    if ('error' in found) continue;
    if (seen.has(found.key)) {
      const message = `a second item ${found.key}: items of this list are told apart by ${schema.keys.join(' and ') || 'their value'}`;
      state.issues.push({ code: 'schema-duplicate-item', path: [...path, i], part: 'value', message });
    }
    seen.add(found.key);
  }
}

/** Two templates may be equal as text and different as values. */
function hasTemplate(element: Json, state: Check): boolean {
  return state.skip(element) || (isJsonObject(element) && Object.values(element).some((item) => state.skip(item)));
}

function checkScalar(value: Json, schema: ScalarSchema, path: DocumentPath, state: Check): void {
  switch (schema.kind) {
    case 'string':
      if (typeof value !== 'string') wrongType(value, 'a string', path, state, quoteHint(value));
      return;
    case 'integer':
      if (!isInteger(value)) wrongType(value, 'an integer', path, state);
      return;
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') wrongType(value, 'a number', path, state);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') wrongType(value, 'true or false', path, state);
      return;
    case 'int-or-string':
      if (typeof value !== 'string' && !isInteger(value)) wrongType(value, 'an integer or a string', path, state);
      return;
    case 'quantity':
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
        wrongType(value, 'a quantity, as 500m or 2Gi', path, state);
  }
}

function isInteger(value: Json): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** YAML's best-known trap: `"true"` and `"1"` lose their quotes. */
function quoteHint(value: Json): string | undefined {
  return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint'
    ? `write "${String(value)}" in quotes`
    : undefined;
}

function wrongType(value: Json, expected: string, path: DocumentPath, state: Check, hint?: string): void {
  const message = `expected ${expected}, found ${describe(value)}`;
  state.issues.push({ code: 'schema-wrong-type', path, part: 'value', message, ...(hint === undefined ? {} : { hint }) });
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return value.length <= 40 ? `the string ${JSON.stringify(value)}` : 'a string';
  return String(value);
}
