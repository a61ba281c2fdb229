import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../../../../engine/object/json.ts';
import type { MapSchema, Schema } from '../../../../../engine/object/schema.ts';

/** Fills in what a structure leaves out. Answers the same object where nothing is missing. */
export type Defaulter = (object: JsonObject) => JsonObject;

/** Sets the fields that are missing or null. The object itself where none is. */
export function fill(object: JsonObject, values: { readonly [field: string]: Json | undefined }): JsonObject {
  let copy: { [field: string]: Json } | undefined;
  for (const [field, value] of Object.entries(values)) {
    if (value === undefined || (ownValue(object, field) ?? null) !== null) continue;
    copy ??= { ...object };
    setOwn(copy, field, value);
  }
  return copy ?? object;
}

/** As {@link fill}; an empty text counts as missing, too. */
export function fillText(object: JsonObject, values: { readonly [field: string]: string }): JsonObject {
  const missing = Object.entries(values).filter(([field]) => (ownValue(object, field) ?? '') === '');
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** Changes the map in a field, where there is one. */
export function inside(object: JsonObject, field: string, change: Defaulter): JsonObject {
  const value = ownValue(object, field);
  if (!isJsonObject(value)) return object;
  const changed = change(value);
  return changed === value ? object : { ...object, [field]: changed };
}

/** Changes each map in a list, where there is one. */
export function each(object: JsonObject, field: string, change: Defaulter): JsonObject {
  const list = ownValue(object, field);
  if (!Array.isArray(list)) return object;
  let copy: Json[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as Json;
    const changed = isJsonObject(item) ? change(item) : item;
    if (changed === item) continue;
    copy ??= list.slice();
    copy[i] = changed;
  }
  return copy === undefined ? object : { ...object, [field]: copy };
}

/**
 * Fills in defaults at every depth: those that the schema publishes, and those of the named structures in `defaulters`, outer ones
 * first. Kubernetes calls its defaulting functions in the same way, wherever their type occurs.
 */
export function withDefaults(value: Json, schema: Schema, defaulters: ReadonlyMap<string, Defaulter>): Json {
  if (schema.kind === 'list' && Array.isArray(value)) {
    if (!reaches(schema, defaulters)) return value;
    let copy: Json[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const changed = withDefaults(value[i] as Json, schema.items, defaulters);
      if (changed === value[i]) continue;
      copy ??= value.slice();
      copy[i] = changed;
    }
    return copy ?? value;
  }
  if (schema.kind !== 'map' || !isJsonObject(value) || !reaches(schema, defaulters)) return value;
  const own = schema.name === undefined ? undefined : defaulters.get(schema.name);
  const object = publishedDefaults(own === undefined ? value : own(value), schema);
  let copy: { [key: string]: Json } | undefined;
  for (const key of Object.keys(object)) {
    const type = schema.fields.get(key)?.schema ?? schema.rest;
    if (type === undefined) continue;
    const changed = withDefaults(object[key] as Json, type, defaulters);
    if (changed === object[key]) continue;
    copy ??= { ...object };
    setOwn(copy, key, changed);
  }
  return copy ?? object;
}

function publishedDefaults(object: JsonObject, schema: MapSchema): JsonObject {
  let copy: { [key: string]: Json } | undefined;
  for (const [key, field] of schema.fields) {
    if (field.default === undefined || (ownValue(object, key) ?? null) !== null) continue;
    copy ??= { ...object };
    setOwn(copy, key, field.default);
  }
  return copy ?? object;
}

/** Whether there is anything to fill in within a type; most of a pod has nothing. By defaulters, since tests have their own. */
const reached = new WeakMap<ReadonlyMap<string, Defaulter>, Map<Schema, boolean>>();

function reaches(schema: Schema, defaulters: ReadonlyMap<string, Defaulter>): boolean {
  let known = reached.get(defaulters);
  if (known === undefined) {
    known = new Map();
    reached.set(defaulters, known);
  }
  const found = known.get(schema);
  if (found !== undefined) return found;
  // A type inside itself adds nothing to what the outer one reaches.
  known.set(schema, false);
  const answer =
    schema.kind === 'list'
      ? reaches(schema.items, defaulters)
      : schema.kind === 'map' &&
        ((schema.name !== undefined && defaulters.has(schema.name)) ||
          [...schema.fields.values()].some((field) => field.default !== undefined || reaches(field.schema, defaulters)) ||
          (schema.rest !== undefined && reaches(schema.rest, defaulters)));
  known.set(schema, answer);
  return answer;
}
