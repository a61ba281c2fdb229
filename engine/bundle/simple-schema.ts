import { compileRe2 } from '../cel/run/re2.ts';
import { BOOL, type CelType, DYN, INT, listOf, mapOf, object, STRING, type StructType } from '../cel/types.ts';
import { CelError } from '../cel/values.ts';
import { isJsonObject, type Json, setOwn } from '../object/json.ts';

/*
 * The short way to write a schema: `integer | default=1 minimum=0`, nested maps for structures, `[]string` for lists,
 * `map[string]integer` for maps.
 */

/** A schema in short form, read. */
export type SimpleSchema =
  | { readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'any'; readonly rules: SchemaRules }
  | { readonly kind: 'list'; readonly item: SimpleSchema; readonly rules: SchemaRules }
  | { readonly kind: 'map'; readonly value: SimpleSchema; readonly rules: SchemaRules }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, SimpleSchema> };

/** What stands after the `|`. */
export interface SchemaRules {
  readonly default?: Json;
  readonly required?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly Json[];
  /** RE2; found anywhere in the string, as in OpenAPI, unless anchored. */
  readonly pattern?: string;
  readonly description?: string;
}

/** A mistake in a schema or in a value, at a path below it. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

const MAX_DEPTH = 32;

/** Reads a schema in short form. Problems are added to the list; what is wrong is read as `any`. */
export function readSimpleSchema(source: unknown, problems: SchemaProblem[], path: readonly (string | number)[] = []): SimpleSchema {
  const any: SimpleSchema = { kind: 'any', rules: {} };
  if (path.length > MAX_DEPTH) {
    problems.push({ path, message: 'the schema nests too deeply' });
    return any;
  }
  if (typeof source === 'string') return readText(source, problems, path) ?? any;
  if (isJsonObject(source)) {
    const fields = Object.entries(source).map(([name, field]): [string, SimpleSchema] => [
      name,
      readSimpleSchema(field, problems, [...path, name]),
    ]);
    return { kind: 'object', fields: new Map(fields) };
  }
  problems.push({ path, message: 'expected a type, as "string | default=x", or a map of types' });
  return any;
}

function readText(text: string, problems: SchemaProblem[], path: readonly (string | number)[]): SimpleSchema | undefined {
  const bar = text.indexOf('|');
  const type = (bar < 0 ? text : text.slice(0, bar)).trim();
  const schema = readType(type, problems, path);
  if (schema === undefined) return undefined;
  const rules = bar < 0 ? {} : readRules(text.slice(bar + 1), schema.kind, problems, path);
  const ruled = schema.kind === 'object' ? schema : { ...schema, rules };
  const problem = rules.default === undefined ? undefined : checkValue(ruled, rules.default, [])[0];
  if (problem !== undefined) problems.push({ path, message: `the default does not fit: ${problem.message}` });
  return ruled;
}

function readType(type: string, problems: SchemaProblem[], path: readonly (string | number)[]): SimpleSchema | undefined {
  if (type === 'string' || type === 'integer' || type === 'number' || type === 'boolean' || type === 'any')
    return { kind: type, rules: {} };
  if (type.startsWith('[]')) {
    const item = readType(type.slice(2), problems, path);
    return item && { kind: 'list', item, rules: {} };
  }
  if (type.startsWith('map[string]')) {
    const value = readType(type.slice('map[string]'.length), problems, path);
    return value && { kind: 'map', value, rules: {} };
  }
  const hint = type === 'int' ? 'integer' : type === 'bool' ? 'boolean' : type === 'float' || type === 'double' ? 'number' : undefined;
  problems.push({
    path,
    message: `unknown type ${JSON.stringify(type)}: expected string, integer, number, boolean, any, []type or map[string]type`,
    ...(hint === undefined ? {} : { hint: `did you mean ${hint}?` }),
  });
  return undefined;
}

/** `default=1 minimum=0`: words and JSON values, strings bare or quoted. */
function readRules(text: string, kind: SimpleSchema['kind'], problems: SchemaProblem[], path: readonly (string | number)[]): SchemaRules {
  const rules: { -readonly [K in keyof SchemaRules]: SchemaRules[K] } = {};
  let rest = text.trim();
  while (rest !== '') {
    const name = /^[A-Za-z]+/.exec(rest)?.[0];
    if (name === undefined) {
      problems.push({ path, message: `expected a rule, as default=1, found ${JSON.stringify(rest)}` });
      return rules;
    }
    rest = rest.slice(name.length);
    let value: Json = true;
    if (rest.startsWith('=')) {
      const length = valueLength(rest.slice(1));
      const written = rest.slice(1, length + 1);
      // What is written bare for a string is text, whatever it looks like.
      value = kind === 'string' && name === 'default' && !written.startsWith('"') ? written : readValue(written);
      rest = rest.slice(length + 1);
    }
    rest = rest.trimStart();
    if (name === 'required' && typeof value === 'boolean') rules.required = value;
    else if (name === 'default') rules.default = value;
    else if ((name === 'minimum' || name === 'maximum') && typeof value === 'number') rules[name] = value;
    else if (name === 'enum' && Array.isArray(value)) rules.enum = value;
    else if (name === 'enum' && typeof value === 'string') rules.enum = value.split(',');
    else if (name === 'pattern' && typeof value === 'string' && kind === 'string') readPattern(value, rules, problems, path);
    else if (name === 'description' && typeof value === 'string') rules.description = value;
    else if (!isRuleName(name)) problems.push({ path, message: `unknown rule ${name}: expected ${listed(RULE_NAMES)}` });
    else problems.push({ path, message: `${name} ${REQUIREMENTS[name]}` });
  }
  return rules;
}

/** What each rule asks of its value and of its type. */
const REQUIREMENTS = {
  required: 'is true or false',
  default: 'is a value',
  minimum: 'is a number',
  maximum: 'is a number',
  enum: 'is a list, as enum=a,b or enum=["a","b"]',
  pattern: 'is a regular expression in quotes, for a string',
  description: 'is text in quotes',
} as const;
const RULE_NAMES = Object.keys(REQUIREMENTS) as readonly (keyof typeof REQUIREMENTS)[];
const isRuleName = (name: string): name is keyof typeof REQUIREMENTS => Object.hasOwn(REQUIREMENTS, name);
const listed = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

function readPattern(
  pattern: string,
  rules: { -readonly [K in keyof SchemaRules]: SchemaRules[K] },
  problems: SchemaProblem[],
  path: readonly (string | number)[],
): void {
  try {
    compileRe2(pattern);
    rules.pattern = pattern;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    problems.push({ path, message: error.message });
  }
}

/** How far a value reaches: to the next space that is not inside quotes or brackets. */
function valueLength(text: string): number {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ' ' && depth === 0) return i;
  }
  return text.length;
}

function readValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** What does not fit; nothing when the value fits. Fields that a structure does not declare do not fit. */
export function checkValue(schema: SimpleSchema, value: Json, path: readonly (string | number)[]): readonly SchemaProblem[] {
  const wrong = (expected: string): SchemaProblem[] => [{ path, message: `expected ${expected}, found ${describe(value)}` }];
  switch (schema.kind) {
    case 'any':
      return [];
    case 'list':
      if (!Array.isArray(value)) return wrong('a list');
      return value.flatMap((item: Json, index: number) => checkValue(schema.item, item, [...path, index]));
    case 'map':
      if (!isJsonObject(value)) return wrong('a map');
      return Object.entries(value).flatMap(([key, item]) => checkValue(schema.value, item, [...path, key]));
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

function checkScalar(
  schema: SimpleSchema & { readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'any' },
  value: Json,
  wrong: (expected: string) => SchemaProblem[],
): readonly SchemaProblem[] {
  const { rules } = schema;
  if (schema.kind === 'string' && typeof value !== 'string') return wrong('a string');
  if (schema.kind === 'boolean' && typeof value !== 'boolean') return wrong('true or false');
  if (schema.kind === 'integer' && !(typeof value === 'bigint' || Number.isInteger(value))) return wrong('an integer');
  if (schema.kind === 'number' && typeof value !== 'number' && typeof value !== 'bigint') return wrong('a number');
  if (rules.minimum !== undefined && (value as number) < rules.minimum) return wrong(`at least ${rules.minimum}`);
  if (rules.maximum !== undefined && (value as number) > rules.maximum) return wrong(`at most ${rules.maximum}`);
  if (rules.enum !== undefined && !rules.enum.includes(value)) return wrong(`one of ${rules.enum.join(', ')}`);
  if (rules.pattern !== undefined && !compileRe2(rules.pattern).test(value as string)) return wrong(`text that matches ${rules.pattern}`);
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
    case 'any':
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
