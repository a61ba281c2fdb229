import { isJsonObject, type Json, type JsonObject, setOwn } from '../../engine/object/json.ts';
import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';
import { mergeDemand } from '../../engine/rules/reconcile/reads.ts';

export const NO_FIELDS: FieldDemand = {};

/** Whether a cache that keeps `kept` has everything that `wanted` asks for. */
export function coversDemand(kept: FieldDemand, wanted: FieldDemand): boolean {
  if (kept === true) return true;
  if (wanted === true) return false;
  return Object.entries(wanted).every(([field, demand]) => {
    const own = Object.hasOwn(kept, field) ? kept[field] : undefined;
    const every = Object.hasOwn(kept, '*') ? kept['*'] : undefined;
    return (own !== undefined && coversDemand(own, demand)) || (every !== undefined && coversDemand(every, demand));
  });
}

/** What is always kept of `metadata`, whatever rules read. */
const IDENTITY = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp'] as const;
const IDENTITY_MAPS = ['labels', 'ownerReferences', 'finalizers'] as const;
const OUR_ANNOTATION = /^(?:[a-z0-9-]+\.)?fairlead\.dev\//;

/**
 * The part of an object that rules read: identity, and what `demand` names. What is kept is shared with the original, which
 * must not be changed afterwards. `managedFields` is kept only where it is demanded by name.
 */
export function projectObject(object: JsonObject, demand: FieldDemand): JsonObject {
  const wanted = demand === true ? undefined : demand;
  const result: { [key: string]: Json } = {};
  for (const key of ['apiVersion', 'kind']) if (Object.hasOwn(object, key)) result[key] = object[key]!;
  const metadata = object['metadata'];
  if (isJsonObject(metadata)) result['metadata'] = projectMetadata(metadata, wanted === undefined ? true : wanted['metadata']);
  for (const key of Object.keys(object)) {
    if (key === 'apiVersion' || key === 'kind' || key === 'metadata') continue;
    const below = wanted === undefined ? true : demandOf(wanted, key);
    if (below === undefined) continue;
    const kept = project(object[key]!, below);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  return result;
}

function projectMetadata(metadata: JsonObject, demand: FieldDemand | undefined): JsonObject {
  const result: { [key: string]: Json } = {};
  for (const field of IDENTITY) if (Object.hasOwn(metadata, field)) result[field] = metadata[field]!;
  for (const field of IDENTITY_MAPS) if (Object.hasOwn(metadata, field)) result[field] = metadata[field]!;
  const annotations = metadata['annotations'];
  if (isJsonObject(annotations)) {
    const wanted = demand === undefined || demand === true ? demand : demandOf(demand, 'annotations');
    const kept: { [key: string]: Json } = {};
    let some = false;
    for (const key of Object.keys(annotations)) {
      // The copy of itself that kubectl leaves on an object is read by no rule and as large as the object.
      const read =
        wanted === true
          ? key !== 'kubectl.kubernetes.io/last-applied-configuration'
          : wanted !== undefined && demandOf(wanted, key) !== undefined;
      if (!read && !OUR_ANNOTATION.test(key)) continue;
      setOwn(kept, key, annotations[key]!);
      some = true;
    }
    if (some) result['annotations'] = kept;
  }
  if (demand !== undefined && demand !== true) {
    for (const key of Object.keys(demand)) {
      if (Object.hasOwn(result, key) || !Object.hasOwn(metadata, key)) continue;
      const kept = project(metadata[key]!, demand[key]!);
      if (kept !== undefined) setOwn(result, key, kept);
    }
  }
  return result;
}

function demandOf(demand: { readonly [field: string]: FieldDemand }, key: string): FieldDemand | undefined {
  const own = Object.hasOwn(demand, key) ? demand[key] : undefined;
  const every = Object.hasOwn(demand, '*') ? demand['*'] : undefined;
  return own === undefined ? every : every === undefined ? own : mergeDemand(own, every);
}

function project(value: Json, demand: FieldDemand): Json | undefined {
  if (demand === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const each = demandOf(demand, '*');
    // A list whose elements are not read is kept as long as it is: its size may be what is read.
    return (value as readonly Json[]).map((item) => (each === undefined ? emptied(item) : (project(item, each) ?? emptied(item))));
  }
  const object = value as JsonObject;
  const result: { [key: string]: Json } = {};
  for (const key of Object.keys(object)) {
    const below = demandOf(demand, key);
    if (below === undefined) continue;
    const kept = project(object[key]!, below);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  return result;
}

function emptied(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [] : {};
}
