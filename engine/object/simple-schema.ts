import { suggest } from '../text/suggest.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { readRules, type SchemaRules } from './simple-schema-rules.ts';
import { checkValue } from './simple-schema-value.ts';

/*
 * The short way to write a schema: `integer | default=1 minimum=0`, nested maps for structures, `[]string` for lists,
 * `map[string]integer` for maps, `[{ name: string }]` for lists of structures.
 */

/** A schema in short form, read. */
export type SimpleSchema =
  | { readonly kind: ScalarKind; readonly rules: SchemaRules }
  | { readonly kind: 'any'; readonly rules: SchemaRules }
  | { readonly kind: 'list'; readonly item: SimpleSchema; readonly rules: SchemaRules }
  | { readonly kind: 'map'; readonly value: SimpleSchema; readonly rules: SchemaRules }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, SimpleSchema>; readonly rules: SchemaRules }
  /** OpenAPI as it stands, from below `openAPIV3Schema`. */
  | { readonly kind: 'openapi'; readonly schema: JsonObject; readonly rules: SchemaRules };

export type ScalarKind = 'string' | 'integer' | 'number' | 'boolean' | 'int-or-string' | 'quantity';

/** A mistake in a schema or in a value, at a path below it. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

export interface SimpleSchemaOptions {
  /** Schemas with a name, as they are written, to be used as types. */
  readonly types?: JsonObject | undefined;
  /** Further names of types. */
  readonly aliases?: Readonly<Record<string, string>>;
}

const MAX_DEPTH = 32;

/** Reads a schema in short form. Problems are added to the list; what is wrong is read as `any`. */
export function readSimpleSchema(
  source: unknown,
  problems: SchemaProblem[],
  path: readonly (string | number)[] = [],
  options: SimpleSchemaOptions = {},
): SimpleSchema {
  return new SchemaReader(problems, options).read(source, path);
}

const ANY: SimpleSchema = { kind: 'any', rules: {} };

class SchemaReader {
  readonly #problems: SchemaProblem[];
  readonly #options: SimpleSchemaOptions;
  /** Names of the types that are being read, so that one inside itself is told and not followed. */
  readonly #within: string[] = [];
  /** Types that were found to contain each other. */
  #circle: readonly string[] | undefined;

  constructor(problems: SchemaProblem[], options: SimpleSchemaOptions) {
    this.#problems = problems;
    this.#options = options;
  }

  read(source: unknown, path: readonly (string | number)[]): SimpleSchema {
    if (path.length + this.#within.length > MAX_DEPTH) return this.#wrong(path, 'the schema nests too deeply');
    if (typeof source === 'string') return this.#text(source, path);
    if (Array.isArray(source)) {
      if (source.length === 1) return { kind: 'list', item: this.read(source[0], [...path, 0]), rules: {} };
      return this.#wrong(path, `a list of structures is written as a list of one, as [{ name: string }], found ${source.length} items`);
    }
    if (!isJsonObject(source)) {
      const hint = source === null ? 'inside of { }, text with a comma must be quoted: "string | enum=a,b"' : undefined;
      return this.#wrong(path, 'expected a type, as "string | default=x", or a map of types', hint);
    }
    const names = Object.keys(source);
    const openApi = source['openAPIV3Schema'];
    if (names.length === 1 && isJsonObject(openApi)) return { kind: 'openapi', schema: openApi, rules: {} };
    return {
      kind: 'object',
      fields: new Map(names.map((name): [string, SimpleSchema] => [name, this.read(source[name], [...path, name])])),
      rules: {},
    };
  }

  #wrong(path: readonly (string | number)[], message: string, hint?: string): SimpleSchema {
    this.#problems.push({ path, message, ...(hint === undefined ? {} : { hint }) });
    return ANY;
  }

  #text(text: string, path: readonly (string | number)[]): SimpleSchema {
    const bar = text.indexOf('|');
    const type = (bar < 0 ? text : text.slice(0, bar)).trim();
    const schema = this.#type(type, path);
    if (schema === undefined) return ANY;
    const rules = bar < 0 ? {} : readRules(text.slice(bar + 1), schema.kind, this.#problems, path);
    const ruled = { ...schema, rules: { ...schema.rules, ...rules } };
    const problem = rules.default === undefined ? undefined : checkValue(ruled, rules.default, [])[0];
    if (problem !== undefined) this.#problems.push({ path, message: `the default does not fit: ${problem.message}` });
    return ruled;
  }

  #type(written: string, path: readonly (string | number)[]): SimpleSchema | undefined {
    const type = this.#options.aliases?.[written] ?? written;
    switch (type) {
      case 'string':
      case 'integer':
      case 'number':
      case 'boolean':
      case 'int-or-string':
      case 'quantity':
      case 'any':
        return { kind: type, rules: {} };
    }
    if (type.startsWith('[]')) {
      const item = this.#type(type.slice(2).trim(), path);
      return item && { kind: 'list', item, rules: {} };
    }
    if (type.startsWith('map[string]')) {
      const value = this.#type(type.slice('map[string]'.length).trim(), path);
      return value && { kind: 'map', value, rules: {} };
    }
    const { types } = this.#options;
    if (types !== undefined && Object.hasOwn(types, type)) return this.#named(type, types[type], path);
    this.#wrong(
      path,
      `unknown type ${JSON.stringify(type)}: expected string, integer, number, boolean, quantity, int-or-string, any, []type or map[string]type`,
      hintFor(type, types),
    );
    return undefined;
  }

  #named(name: string, source: unknown, path: readonly (string | number)[]): SimpleSchema | undefined {
    if (this.#within.includes(name)) {
      this.#circle ??= [...this.#within.slice(this.#within.indexOf(name)), name];
      return undefined;
    }
    this.#within.push(name);
    // What is wrong inside a type is told where the type stands, once; here only its form matters.
    const before = this.#problems.length;
    const schema = this.read(source, path);
    this.#problems.length = before;
    this.#within.pop();
    if (this.#circle !== undefined && this.#within.length === 0) {
      this.#wrong(path, `the type ${name} contains itself: ${this.#circle.join(', ')}`);
      this.#circle = undefined;
    }
    return schema;
  }
}

const WORDS = ['string', 'integer', 'number', 'boolean', 'int-or-string', 'quantity', 'any'];

function hintFor(type: string, types: JsonObject | undefined): string | undefined {
  const known: Readonly<Record<string, string>> = {
    int: 'integer',
    int32: 'integer',
    int64: 'integer',
    bool: 'boolean',
    float: 'number',
    double: 'number',
    str: 'string',
    text: 'string',
    object: 'map[string]any',
    map: 'map[string]string',
    list: '[]string',
    array: '[]string',
  };
  const found = Object.hasOwn(known, type.toLowerCase())
    ? known[type.toLowerCase()]
    : suggest(type, [...WORDS, ...Object.keys(types ?? {})]);
  return found === undefined ? undefined : `did you mean ${found}?`;
}
