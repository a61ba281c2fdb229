import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from './json.ts';
import { diffJson } from './json-diff.ts';
import type { PatchOperation } from './json-patch.ts';
import { elementKey } from './list-element.ts';
import { type ListSchema, type MapSchema, RAW, type Schema, UNKNOWN_OBJECT } from './schema.ts';
import { checkTypedValue, formatTypedValueErrors } from './typed-value.ts';

export interface ApplyOptions {
  /**
   * What happens to lists, maps and structures that are one value to server-side apply (`command`, `nodeSelector`, ...).
   *
   * `refuse`: an error, as in a MutatingAdmissionPolicy, lest fields vanish that the author did not think of. As there, too,
   * `apiVersion` and `kind` of the configuration do not count, and null is refused.
   *
   * `replace`: the configuration's value takes the place of the object's, as server-side apply itself does. `apiVersion` and
   * `kind` may be left out, else they must be the object's.
   */
  readonly atomics: 'refuse' | 'replace';
}

export type ApplyOutcome =
  | {
      readonly ok: true;
      /** The object itself when the configuration changes nothing. */
      readonly object: JsonObject;
      readonly patch: readonly PatchOperation[];
    }
  | {
      readonly ok: false;
      /** The text of the API server behind `error applying patch: `. */
      readonly message: string;
    };

/**
 * Merges an apply configuration into an object as server-side apply would, without field ownership: maps by key, map lists
 * by their key fields, sets as a union, scalars and atomics replaced. It adds and replaces; it can't delete. Elements that
 * both have stand in the configuration's order, elements of the object alone keep their place among their neighbours, new ones
 * come where the configuration has them. Duplicates in the object's lists are left alone.
 *
 * Without a schema, maps merge and lists are replaced, as the API server does for kinds it has no schema for.
 *
 * Kubernetes: pkg/admission/plugin/policy/mutating/patch/smd.go; structured-merge-diff typed/merge.go.
 */
export function applyConfiguration(
  object: JsonObject,
  configuration: JsonObject,
  schema: MapSchema | undefined,
  options: ApplyOptions,
): ApplyOutcome {
  const type = schema ?? UNKNOWN_OBJECT;
  const policy = options.atomics === 'refuse';
  const wanted = policy ? withKindOf(object, configuration) : configuration;
  for (const key of KIND_FIELDS) {
    const given = ownValue(wanted, key);
    if (given !== undefined && !jsonEqual(given, ownValue(object, key))) {
      return {
        ok: false,
        message: `patch (${describeKind(wanted, object)}) and original object (${describeKind(object, {})}) are not of the same gvk`,
      };
    }
  }
  const errors = checkTypedValue(wanted, type, { nulls: policy ? 'refuse' : 'accept' });
  if (errors.length > 0) return { ok: false, message: `failed to convert patch object to typed object: ${formatTypedValueErrors(errors)}` };
  if (policy) {
    const atomics: string[] = [];
    findAtomics(wanted, type, '', atomics);
    if (atomics.length > 0) {
      return { ok: false, message: `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}` };
    }
  }
  const merged = mergeApplied(object, wanted, type);
  return { ok: true, object: merged, patch: merged === object ? [] : diffJson(object, merged) };
}

const KIND_FIELDS = ['apiVersion', 'kind'] as const;

function withKindOf(object: JsonObject, configuration: JsonObject): JsonObject {
  if (KIND_FIELDS.every((key) => !Object.hasOwn(configuration, key))) return configuration;
  const copy: { [key: string]: Json } = { ...configuration };
  for (const key of KIND_FIELDS) {
    const value = ownValue(object, key);
    if (value === undefined) delete copy[key];
    else copy[key] = value;
  }
  return copy;
}

function describeKind(object: JsonObject, fallback: JsonObject): string {
  const read = (key: string): string => String(ownValue(object, key) ?? ownValue(fallback, key) ?? '');
  return `${read('apiVersion')}, Kind=${read('kind')}`;
}

/** Pointers to what the configuration says of atomic lists, maps and structures; only declared fields are looked into. */
function findAtomics(value: Json, schema: Schema, path: string, found: string[]): void {
  if (Array.isArray(value)) {
    // Lists in free-form JSON are atomic, and so is all inside them.
    const items = schema.kind === 'list' ? schema.items : schema.kind === 'any' || schema.kind === 'int-or-string' ? RAW : undefined;
    if (items === undefined) return;
    if (schema.kind !== 'list' || schema.listType === 'atomic') found.push(path);
    for (let i = 0; i < value.length; i++) findAtomics(value[i] as Json, items, `${path}[${i}]`, found);
    return;
  }
  if (!isJsonObject(value)) return;
  if (schema.kind === 'any' && schema.atomic) found.push(path);
  if (schema.kind !== 'map') return;
  if (schema.atomic) found.push(path);
  for (const key of Object.keys(value)) {
    const field = schema.fields.get(key);
    if (field) findAtomics(ownValue(value, key) as Json, field.schema, `${path}.${key}`, found);
  }
}

/**
 * Merges an object that fits a schema into another by the rules of {@link applyConfiguration}; `live` itself when nothing
 * changes. `nulls`: whether a null in a declared field stays, as in custom resources, or takes the field away, as decoding
 * into a built-in kind does.
 */
export function mergeApplied(live: JsonObject, wanted: JsonObject, schema: MapSchema, nulls: 'drop' | 'keep' = 'drop'): JsonObject {
  return merge(live, wanted, schema, nulls === 'keep') as JsonObject;
}

/** The merged value; `live` itself when nothing changes, so that what is equal is also identical. */
function merge(live: Json | undefined, wanted: Json | undefined, schema: Schema, keepNulls: boolean): Json {
  if (wanted === undefined) return live as Json;
  const kind = schema.kind === 'any' || schema.kind === 'int-or-string' ? shapeOf(wanted, live) : schema.kind;
  if (kind === 'map' && !(schema.kind === 'map' && schema.atomic) && !(schema.kind === 'any' && schema.atomic)) {
    return mergeMaps(live, wanted, schema.kind === 'map' ? schema : UNKNOWN_OBJECT, keepNulls);
  }
  if (kind === 'list' && schema.kind === 'list' && schema.listType !== 'atomic') return mergeLists(live, wanted, schema, keepNulls);
  return jsonEqual(live, wanted) ? (live as Json) : wanted;
}

/** How a value without a type merges: as what it is. A null wanted in place of a map is merged as a map, and so changes nothing. */
function shapeOf(wanted: Json, live: Json | undefined): 'map' | 'scalar' {
  if (isJsonObject(wanted)) return 'map';
  return wanted === null && isJsonObject(live) ? 'map' : 'scalar';
}

function mergeMaps(live: Json | undefined, wanted: Json, schema: MapSchema, keepNulls: boolean): Json {
  const before: JsonObject = isJsonObject(live) ? live : EMPTY;
  const changes: JsonObject = isJsonObject(wanted) ? wanted : EMPTY;
  // Where both are empty the wanted one stands, null or {}: the difference between them is kept.
  if (isEmpty(before) && isEmpty(changes)) return jsonEqual(live, wanted) ? (live as Json) : wanted;
  let merged: { [key: string]: Json } | undefined;
  for (const key of Object.keys(changes)) {
    const field = schema.fields.get(key)?.schema ?? schema.rest;
    const old = ownValue(before, key);
    const value = field === undefined ? (changes[key] as Json) : merge(old, ownValue(changes, key), field, keepNulls);
    if (old === value) continue;
    merged ??= { ...before };
    // A structure has no null fields: the API server drops them when it decodes the result.
    if (value === null && !keepNulls && schema.fields.has(key)) {
      if (old === undefined) continue;
      delete merged[key];
    } else setOwn(merged, key, value);
  }
  return merged ?? (isJsonObject(live) ? live : { ...before });
}

const EMPTY: JsonObject = Object.freeze({});

function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}

function mergeLists(live: Json | undefined, wanted: Json, schema: ListSchema, keepNulls: boolean): Json {
  const before: readonly Json[] = Array.isArray(live) ? live : [];
  const changes: readonly Json[] = Array.isArray(wanted) ? wanted : [];
  if (before.length === 0 && changes.length === 0) return jsonEqual(live, wanted) ? (live as Json) : wanted;
  const merged = new ListMerge(schema, before, changes, keepNulls).run();
  return merged.length === before.length && merged.every((element, i) => element === before[i]) ? before : merged;
}

/**
 * Zips two keyed lists. A shared element is taken when the wanted list reaches it; until then an element of the object
 * alone goes out where it stands.
 */
class ListMerge {
  readonly #schema: ListSchema;
  readonly #live: readonly Json[];
  readonly #wanted: readonly Json[];
  readonly #keepNulls: boolean;
  readonly #liveKeys: readonly string[];
  readonly #wantedKeys: readonly string[];
  /** First element of each key; undefined for a key that several elements have: those are not merged but replaced. */
  readonly #liveByKey: ReadonlyMap<string, Json | undefined>;
  readonly #wantedSet: ReadonlySet<string>;
  readonly #taken = new Set<string>();
  readonly #out: Json[] = [];

  constructor(schema: ListSchema, live: readonly Json[], wanted: readonly Json[], keepNulls: boolean) {
    this.#keepNulls = keepNulls;
    this.#schema = schema;
    this.#live = live;
    this.#wanted = wanted;
    this.#wantedKeys = wanted.map((element, i) => keyOrPosition(schema, element, i));
    this.#liveKeys = live.map((element, i) => keyOrPosition(schema, element, i));
    const byKey = new Map<string, Json | undefined>();
    for (let i = 0; i < live.length; i++) {
      const key = this.#liveKeys[i] as string;
      byKey.set(key, byKey.has(key) ? undefined : (live[i] as Json));
    }
    this.#liveByKey = byKey;
    this.#wantedSet = new Set(this.#wantedKeys);
  }

  run(): Json[] {
    const shared = this.#wantedKeys.filter((key) => this.#liveByKey.has(key));
    let nextShared = 0;
    let l = 0;
    let w = 0;
    while (l < this.#live.length || w < this.#wanted.length) {
      const liveKey = this.#liveKeys[l];
      const wantedKey = this.#wantedKeys[w];
      if (liveKey !== undefined && wantedKey !== undefined) {
        if (liveKey === wantedKey) {
          this.#take(w++);
          l++;
          nextShared++;
          continue;
        }
        if (this.#wantedSet.has(liveKey) && nextShared < shared.length && shared[nextShared] !== liveKey) {
          // Wanted too, but not next: it goes out when the wanted list reaches it, or has already.
          l++;
          continue;
        }
      }
      if (liveKey !== undefined) {
        if (!this.#wantedSet.has(liveKey)) {
          this.#out.push(this.#live[l++] as Json);
          continue;
        }
        if (this.#taken.has(liveKey)) l++;
      }
      if (wantedKey !== undefined) {
        this.#take(w++);
        if (shared[nextShared] === wantedKey) nextShared++;
      }
    }
    return this.#out;
  }

  #take(w: number): void {
    const key = this.#wantedKeys[w] as string;
    this.#taken.add(key);
    this.#out.push(merge(this.#liveByKey.get(key), this.#wanted[w], this.#schema.items, this.#keepNulls));
  }
}

/** Elements without a usable key are told apart by position; the type check has refused them in configurations. */
function keyOrPosition(schema: ListSchema, element: Json, index: number): string {
  const found = elementKey(schema, element);
  return 'key' in found ? found.key : `${index}`;
}
