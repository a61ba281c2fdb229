import { isJsonObject, type Json, ownValue, setOwn } from './json.ts';
import type { MapSchema, Schema } from './schema.ts';

/**
 * The value with the defaults of its schema where fields are missing, at any depth, also inside defaults; a null where the
 * default is set counts as missing. Shares what it does not change, and is the value itself when nothing is missing.
 *
 * These are the defaults that a schema publishes: all of a custom resource's, few of the built-in kinds', whose defaulting is code.
 * Kubernetes: apiextensions-apiserver pkg/apiserver/schema/defaulting.
 */
export function applyDefaults(value: Json, schema: Schema): Json {
  if (Array.isArray(value)) return schema.kind === 'list' ? defaultList(value, schema.items) : value;
  return isJsonObject(value) && schema.kind === 'map' ? defaultMap(value, schema) : value;
}

function defaultList(value: readonly Json[], items: Schema): readonly Json[] {
  let copy: Json[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const changed = applyDefaults(value[i] as Json, items);
    if (changed === value[i]) continue;
    copy ??= value.slice();
    copy[i] = changed;
  }
  return copy ?? value;
}

function defaultMap(value: { readonly [key: string]: Json }, schema: MapSchema): { readonly [key: string]: Json } {
  let copy: { [key: string]: Json } | undefined;
  for (const [key, field] of schema.fields) {
    if (field.default === undefined || (ownValue(value, key) ?? null) !== null) continue;
    copy ??= { ...value };
    setOwn(copy, key, applyDefaults(field.default, field.schema));
  }
  for (const key of Object.keys(value)) {
    const child = schema.fields.get(key)?.schema ?? schema.rest;
    if (child === undefined) continue;
    const old = (copy ?? value)[key] as Json;
    const changed = applyDefaults(old, child);
    if (changed === old) continue;
    copy ??= { ...value };
    setOwn(copy, key, changed);
  }
  return copy ?? value;
}
