import { isJsonObject, type Json, type JsonObject, setOwn } from '../json.ts';
import type { StructuralSchema } from './structural.ts';

export interface Pruned {
  /** The object itself where nothing is pruned. */
  readonly object: JsonObject;
  /** Paths of what was pruned, sorted: `spec.foo[0].bar`. */
  readonly unknown: readonly string[];
}

/**
 * The object of a custom resource without fields that its schema does not have. `apiVersion`, `kind` and `metadata` are always
 * known. Kubernetes: apiextensions-apiserver pkg/apiserver/schema/pruning.
 */
export function pruneUnknown(object: JsonObject, schema: StructuralSchema): Pruned {
  const unknown: string[] = [];
  const pruned = prune(object, { ...schema, isEmbedded: true }, '', unknown);
  return { object: pruned as JsonObject, unknown: unknown.sort() };
}

/** A value inside an object, such as a default, that is nothing but itself: no field of it is known without being declared. */
export function pruneValue(value: Json, schema: StructuralSchema): Json {
  return prune(value, schema, '', []);
}

const OBJECT_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

function prune(value: Json, schema: StructuralSchema | undefined, path: string, unknown: string[]): Json {
  if (Array.isArray(value)) {
    // Where unknown fields stay, they stay in all elements of a list.
    const items = schema?.items;
    const inItems = schema?.preservesUnknown ? items && { ...items, preservesUnknown: true } : items;
    if (schema?.preservesUnknown && items === undefined) return value;
    return mapList(value, (item, i) => prune(item, inItems, `${path}[${i}]`, unknown));
  }
  if (!isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const place = path === '' ? name : `${path}.${name}`;
    if (schema?.isEmbedded && OBJECT_FIELDS.has(name)) {
      // That of the object itself is everybody's, and is read before.
      const known = path === '' || name !== 'metadata' ? child : pruneMetadata(child, place, unknown);
      if (known === child) continue;
      copy ??= { ...value };
      copy[name] = known;
      continue;
    }
    const declared = schema?.properties.get(name) ?? schema?.additional;
    if (declared === undefined) {
      if (schema?.preservesUnknown) continue;
      if (path !== '' || !OBJECT_FIELDS.has(name)) unknown.push(place);
      copy ??= { ...value };
      delete copy[name];
      continue;
    }
    const rest = prune(child, declared === true ? undefined : declared, place, unknown);
    if (rest === child) continue;
    copy ??= { ...value };
    setOwn(copy, name, rest);
  }
  return copy ?? value;
}

/** Kubernetes: apimachinery pkg/apis/meta/v1 ObjectMeta. */
const METADATA_FIELDS = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]);

function pruneMetadata(metadata: Json, path: string, unknown: string[]): Json {
  if (!isJsonObject(metadata)) return metadata;
  const strange = Object.keys(metadata).filter((key) => !METADATA_FIELDS.has(key));
  if (strange.length === 0) return metadata;
  for (const key of strange) unknown.push(`${path}.${key}`);
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => METADATA_FIELDS.has(key)));
}

/** The list itself where nothing changes. */
export function mapList(list: readonly Json[], change: (item: Json, index: number) => Json): readonly Json[] {
  let copy: Json[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as Json;
    const changed = change(item, i);
    if (changed === item) continue;
    copy ??= list.slice();
    copy[i] = changed;
  }
  return copy ?? list;
}
