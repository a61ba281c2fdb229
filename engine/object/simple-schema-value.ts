import { compileRe2 } from '../cel/run/re2.ts';
import { codePointLength } from '../cel/run/text.ts';
import { BOOL, type CelType, DYN, INT, listOf, mapOf, object, STRING, type StructType } from '../cel/types.ts';
import { isJsonObject, type Json, jsonEqual, setOwn } from './json.ts';
import type { ScalarKind, SchemaProblem, SimpleSchema } from './simple-schema.ts';

/** What does not fit; nothing when the value fits. Fields that a structure does not declare do not fit. */
export function checkValue(schema: SimpleSchema, value: Json, path: readonly (string | number)[]): readonly SchemaProblem[] {
  const wrong = (expected: string): SchemaProblem[] => [{ path, message: `expected ${expected}, found ${describe(value)}` }];
  if (value === null && schema.rules.nullable) return [];
  switch (schema.kind) {
    case 'any':
    case 'openapi':
      return [];
    case 'list': {
      if (!Array.isArray(value)) return wrong('a list');
      const items = value.flatMap((item: Json, index: number) => checkValue(schema.item, item, [...path, index]));
      return [...items, ...checkSize(schema, value.length, 'items', wrong)];
    }
    case 'map': {
      if (!isJsonObject(value)) return wrong('a map');
      const entries = Object.entries(value).flatMap(([key, item]) => checkValue(schema.value, item, [...path, key]));
      return [...entries, ...checkSize(schema, Object.keys(value).length, 'entries', wrong)];
    }
    case 'object':
      if (!isJsonObject(value)) return wrong('a map');
      return Object.entries(value).flatMap(([key, item]): readonly SchemaProblem[] => {
        const field = schema.fields.get(key);
        return field === undefined ? [{ path: [...path, key], message: `unknown field ${key}` }] : checkValue(field, item, [...path, key]);
      });
    default:
      return checkScalar(schema, value, wrong);
  }
}

function checkSize(
  { kind, rules }: SimpleSchema,
  size: number,
  what: string,
  wrong: (expected: string) => SchemaProblem[],
): readonly SchemaProblem[] {
  const [least, most] = kind === 'list' ? [rules.minItems, rules.maxItems] : [rules.minProperties, rules.maxProperties];
  if (least !== undefined && size < least) return wrong(`at least ${least} ${what}`);
  if (most !== undefined && size > most) return wrong(`at most ${most} ${what}`);
  return [];
}

function checkScalar(
  schema: SimpleSchema & { readonly kind: ScalarKind },
  value: Json,
  wrong: (expected: string) => SchemaProblem[],
): readonly SchemaProblem[] {
  const { kind, rules } = schema;
  const isInteger = typeof value === 'bigint' || Number.isInteger(value);
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  if (kind === 'string' && typeof value !== 'string') return wrong('a string');
  if (kind === 'boolean' && typeof value !== 'boolean') return wrong('true or false');
  if (kind === 'integer' && !isInteger) return wrong('an integer');
  if (kind === 'number' && !isNumber) return wrong('a number');
  if (kind === 'int-or-string' && typeof value !== 'string' && !isInteger) return wrong('an integer or a string');
  if (kind === 'quantity' && typeof value !== 'string' && !isNumber) return wrong('a quantity, as 500m or 2Gi');
  if (rules.minimum !== undefined && (value as number) < rules.minimum) return wrong(`at least ${rules.minimum}`);
  if (rules.maximum !== undefined && (value as number) > rules.maximum) return wrong(`at most ${rules.maximum}`);
  if (rules.enum !== undefined && !rules.enum.some((each) => jsonEqual(each, value))) return wrong(`one of ${rules.enum.join(', ')}`);
  if (typeof value !== 'string') return [];
  if (rules.pattern !== undefined && !compileRe2(rules.pattern).test(value)) return wrong(`text that matches ${rules.pattern}`);
  const length = codePointLength(value);
  if (rules.minLength !== undefined && length < rules.minLength) return wrong(`at least ${rules.minLength} characters`);
  if (rules.maxLength !== undefined && length > rules.maxLength) return wrong(`at most ${rules.maxLength} characters`);
  return [];
}

const describe = (value: Json): string =>
  typeof value === 'object'
    ? value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : 'a map'
    : JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));

/**
 * The value with defaults filled in, and what is missing. A field without value and default is absent.
 */
export function withDefaults(
  schema: SimpleSchema,
  value: Json | undefined,
  path: readonly (string | number)[],
  problems: SchemaProblem[],
): Json | undefined {
  if (schema.kind === 'object') {
    const source = isJsonObject(value) ? value : {};
    const filled: { [key: string]: Json } = {};
    for (const [name, field] of schema.fields) {
      const given = Object.hasOwn(source, name) ? source[name] : undefined;
      const found = withDefaults(field, given, [...path, name], problems);
      if (found !== undefined) setOwn(filled, name, found);
    }
    return filled;
  }
  if (value !== undefined) return value;
  if (schema.rules.default === undefined && schema.rules.required)
    problems.push({ path, message: 'a value is required: it has no default' });
  return schema.rules.default;
}

/** The type that expressions see; structures are named after where they stand, and kept in `structs`. */
export function celTypeOf(schema: SimpleSchema, name: string, structs: Map<string, StructType>): CelType {
  switch (schema.kind) {
    case 'string':
      return STRING;
    case 'integer':
      return INT;
    case 'boolean':
      return BOOL;
    // JSON does not tell 1.0 from 1, and so a number may turn up as an int.
    case 'number':
    case 'int-or-string':
    case 'quantity':
    case 'any':
    case 'openapi':
      return DYN;
    case 'list':
      return listOf(celTypeOf(schema.item, `${name}.@item`, structs));
    case 'map':
      return mapOf(STRING, celTypeOf(schema.value, `${name}.@value`, structs));
    case 'object': {
      const fields = new Map([...schema.fields].map(([field, type]) => [field, celTypeOf(type, `${name}.${field}`, structs)]));
      structs.set(name, { name, field: (field) => fields.get(field), fieldNames: () => fields.keys() });
      return object(name);
    }
  }
}
