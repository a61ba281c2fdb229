import type { CompactObject, CompactSchema } from './compact-schema.ts';
import type { Json } from './json.ts';

/**
 * The structure of an object: what the CEL checker, the merge, the strict check and the defaults need to know of it.
 * Made from the compact form when first asked for; recursive types are recursive here too.
 */
export type Schema = ScalarSchema | ListSchema | MapSchema | AnySchema;

export interface ScalarSchema {
  /** `int-or-string` and `quantity` stand for JSON that is a number or a string. */
  readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'int-or-string' | 'quantity';
  /** OpenAPI's `format`: `int32`, `int64`, `date-time`, `byte`, ... */
  readonly format: string | undefined;
}

export interface ListSchema {
  readonly kind: 'list';
  readonly items: Schema;
  /** `map`: elements are told apart by {@link keys}; `set`: by their value; `atomic`: the list is one value. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  /** Merge key of kubectl's strategic merge patch: `` for a set of scalars, undefined where it replaces the list. */
  readonly strategicKey: string | undefined;
}

/** A structure (declared fields), a map (`rest` only), or both. */
export interface MapSchema {
  readonly kind: 'map';
  /** Name of the definition, such as `core.v1.Container`; undefined for what is declared in place. */
  readonly name: string | undefined;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** Type of fields that are not declared; undefined where those are an error. */
  readonly rest: Schema | undefined;
  /** One value to server-side apply: replaced as a whole. */
  readonly atomic: boolean;
  readonly required: readonly string[];
  /** A whole Kubernetes object inside another. */
  readonly embedded: boolean;
}

export interface FieldSchema {
  readonly schema: Schema;
  /** What the API server sets where the field is missing. */
  readonly default: Json | undefined;
  /** What a missing field counts as when it is a key of a map list: the default, or the zero value of a Go type. */
  readonly keyDefault: Json | undefined;
}

/** JSON of any shape. Not atomic: maps merge key by key, as the API server does for what it has no schema for. */
export interface AnySchema {
  readonly kind: 'any';
  readonly atomic: boolean;
}

export const ANY: AnySchema = Object.freeze({ kind: 'any', atomic: false });
export const RAW: AnySchema = Object.freeze({ kind: 'any', atomic: true });
/** The type of an object of which nothing is known. */
export const UNKNOWN_OBJECT: MapSchema = Object.freeze({
  kind: 'map',
  name: undefined,
  fields: new Map(),
  rest: ANY,
  atomic: false,
  required: [],
  embedded: false,
});

/** Finds the definition behind `#name`. */
export type ResolveDefinition = (name: string) => Schema | undefined;

/**
 * Expands a compact schema, one level at a time: fields are expanded when they are first read. A reference to a definition
 * that does not exist is `any`.
 */
export function expandSchema(compact: CompactSchema, resolve: ResolveDefinition, name?: string): Schema {
  if (typeof compact === 'string') return expandWord(compact, resolve);
  if ('ref' in compact) return withAtomic(resolve(compact.ref) ?? ANY, compact.atomic);
  if ('list' in compact) return new LazyList(compact, resolve);
  if ('map' in compact) return new LazyMap({ fields: {}, rest: compact.map, ...(compact.atomic ? { atomic: true } : {}) }, resolve, name);
  return new LazyMap(compact, resolve, name);
}

const SCALARS = new Map<string, ScalarSchema>();

function expandWord(word: string, resolve: ResolveDefinition): Schema {
  if (word[0] === '#') return resolve(word.slice(1)) ?? ANY;
  if (word === 'any') return ANY;
  if (word === 'raw') return RAW;
  let scalar = SCALARS.get(word);
  if (scalar === undefined) {
    const slash = word.indexOf('/');
    const kind = (slash < 0 ? word : word.slice(0, slash)) as ScalarSchema['kind'];
    scalar = { kind, format: slash < 0 ? undefined : word.slice(slash + 1) };
    SCALARS.set(word, scalar);
  }
  return scalar;
}

class LazyList implements ListSchema {
  readonly kind = 'list';
  readonly listType: ListSchema['listType'];
  readonly keys: readonly string[];
  readonly strategicKey: string | undefined;
  readonly #compact: CompactSchema;
  readonly #resolve: ResolveDefinition;
  #items: Schema | undefined;

  constructor(compact: { list: CompactSchema; by?: readonly string[]; set?: true; patch?: string }, resolve: ResolveDefinition) {
    this.listType = compact.by ? 'map' : compact.set ? 'set' : 'atomic';
    this.keys = compact.by ?? [];
    this.strategicKey = compact.patch;
    this.#compact = compact.list;
    this.#resolve = resolve;
  }

  get items(): Schema {
    this.#items ??= expandSchema(this.#compact, this.#resolve);
    return this.#items;
  }
}

class LazyMap implements MapSchema {
  readonly kind = 'map';
  readonly name: string | undefined;
  readonly atomic: boolean;
  readonly required: readonly string[];
  readonly embedded: boolean;
  readonly #compact: CompactObject;
  readonly #resolve: ResolveDefinition;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;
  #rest: Schema | undefined;

  constructor(compact: CompactObject, resolve: ResolveDefinition, name: string | undefined) {
    this.name = name;
    this.atomic = compact.atomic ?? false;
    this.required = compact.required ?? [];
    this.embedded = compact.embedded ?? false;
    this.#compact = compact;
    this.#resolve = resolve;
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    if (this.#fields === undefined) {
      const fields = new Map<string, FieldSchema>();
      const { fields: declared, defaults = {}, zero = [] } = this.#compact;
      for (const name of Object.keys(declared)) {
        const schema = expandSchema(declared[name] as CompactSchema, this.#resolve);
        const value = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
        fields.set(name, { schema, default: value, keyDefault: value ?? (zero.includes(name) ? zeroValue(schema) : undefined) });
      }
      if (this.embedded) addObjectFields(fields, this.#resolve);
      this.#fields = fields;
    }
    return this.#fields;
  }

  get rest(): Schema | undefined {
    const { rest } = this.#compact;
    if (rest === undefined) return undefined;
    this.#rest ??= expandSchema(rest, this.#resolve);
    return this.#rest;
  }
}

/** What every Kubernetes object has, whether its schema says so or not. */
function addObjectFields(fields: Map<string, FieldSchema>, resolve: ResolveDefinition): void {
  for (const name of ['apiVersion', 'kind']) {
    if (!fields.has(name)) fields.set(name, { schema: expandWord('string', resolve), default: undefined, keyDefault: undefined });
  }
  const metadata = resolve('meta.v1.ObjectMeta');
  if (metadata) fields.set('metadata', { schema: metadata, default: undefined, keyDefault: undefined });
}

function zeroValue(schema: Schema): Json {
  if (schema.kind === 'boolean') return false;
  return schema.kind === 'integer' || schema.kind === 'number' ? 0 : '';
}

function withAtomic(schema: Schema, atomic: boolean): Schema {
  if (schema.kind === 'any') return atomic ? RAW : ANY;
  if (schema.kind !== 'map' || schema.atomic === atomic) return schema;
  return {
    kind: 'map',
    name: schema.name,
    get fields() {
      return schema.fields;
    },
    get rest() {
      return schema.rest;
    },
    atomic,
    required: schema.required,
    embedded: schema.embedded,
  };
}
