import { goMapJson } from '../go-json.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../json.ts';
import { type StructuralSchema, schemaOfField } from './structural.ts';

/**
 * A value of an update together with the old value it comes from. What an update leaves as it was is not held against it.
 * Undefined where there is no old value, or none that could be told. Kubernetes: apiserver pkg/cel/common/equality.go.
 */
export interface Correlation {
  readonly value: Json;
  readonly old: Json;
  readonly schema: StructuralSchema;
}

export function isUnchanged(correlation: Correlation | undefined): boolean {
  return correlation !== undefined && jsonEqual(correlation.value, correlation.old);
}

/** The correlation of a field of a map. */
export function correlateField(parent: Correlation | undefined, name: string): Correlation | undefined {
  if (parent === undefined || !isJsonObject(parent.value) || !isJsonObject(parent.old)) return undefined;
  const value = ownValue(parent.value, name);
  const old = ownValue(parent.old, name);
  const schema = schemaOfField(parent.schema, name);
  return value === undefined || old === undefined || schema === undefined ? undefined : { value, old, schema };
}

/** The correlation of an element of a map list; elements of other lists have none. */
export function correlateItem(parent: Correlation | undefined, index: number): Correlation | undefined {
  if (parent === undefined || !Array.isArray(parent.value) || !Array.isArray(parent.old)) return undefined;
  const { schema } = parent;
  const value = parent.value[index] as Json;
  const old = oldElement(schema, parent.old, value);
  return old === undefined || schema.items === undefined ? undefined : { value, old, schema: schema.items };
}

const byKeys = new WeakMap<readonly Json[], ReadonlyMap<string, Json>>();

/** The element of an old map list that has the keys of a new one. */
export function oldElement(list: StructuralSchema, old: readonly Json[], element: Json): Json | undefined {
  if (list.listType !== 'map' || !isJsonObject(element)) return undefined;
  let index = byKeys.get(old);
  if (index === undefined) {
    const entries = new Map<string, Json>();
    for (const each of old) if (isJsonObject(each)) entries.set(keyText(list.mapKeys, each), each);
    index = entries;
    byKeys.set(old, index);
  }
  return index.get(keyText(list.mapKeys, element));
}

function keyText(keys: readonly string[], element: JsonObject): string {
  return goMapJson(keys.map((key) => ownValue(element, key) ?? null));
}
