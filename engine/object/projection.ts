import { isJsonObject, type Json, type JsonObject, setOwn } from './json.ts';
import type { KeptJson } from './prune-json.ts';

/**
 * Fields that are read, as a tree: `{spec: {replicas: true}}`; `true` is everything below, `*` stands for every element of a list
 * or map.
 */
export type FieldDemand = true | { readonly [field: string]: FieldDemand };

/** Keeps a part of an object. */
export type Projection = (object: JsonObject) => JsonObject;

/** Makes a part of a value; undefined where nothing of it is kept. */
type Part = (value: Json) => Json;

/** Of `metadata`, what tells objects apart, finds them, and says what becomes of them. Always kept. */
const IDENTITY: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'labels',
  'ownerReferences',
  'finalizers',
]);
/** Annotations of Fairlead are always kept. */
const OWN_ANNOTATION = /^(?:[a-z0-9-]+\.)?fairlead\.dev\//;
/** kubectl's copy of the object, as large as the object, which no rule reads unless it names it. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Compiles what is read of the objects of a kind into a function that keeps that, and their identity: apiVersion, kind, and of
 * metadata the name, namespace, uid, resourceVersion, generation, times, labels, owners, finalizers and Fairlead's annotations.
 * `managedFields` is kept only where it is demanded by name. What is kept is shared with the original, which must not be changed
 * afterwards.
 *
 * Lists keep their length whatever is read of them: an element of which nothing is read is an empty one of its kind.
 */
export function compileProjection(demand: FieldDemand): Projection {
  const ofMetadata = metadataPart(demand === true ? true : fieldOf(demand, 'metadata'));
  const parts = demand === true ? undefined : partsOf(demand);
  const others = demand === true ? KEEP : everyOf(demand);
  return (object) => {
    const kept: { [key: string]: Json } = {};
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue;
      const value = object[key] as Json;
      if (key === 'apiVersion' || key === 'kind') kept[key] = value;
      else if (key === 'metadata') kept['metadata'] = isJsonObject(value) ? ofMetadata(value) : emptied(value);
      else {
        const part = parts?.get(key) ?? others;
        if (part !== undefined) setOwn(kept, key, part(value));
      }
    }
    return kept;
  };
}

/** As {@link compileProjection}, for objects of which {@link keptByProjection} has been kept already: only metadata may hold more. */
export function compileMetadataProjection(demand: FieldDemand): Projection {
  const ofMetadata = metadataPart(demand === true ? true : fieldOf(demand, 'metadata'));
  return (object) => {
    if (!Object.hasOwn(object, 'metadata')) return object;
    const metadata = object['metadata'] as Json;
    return { ...object, metadata: isJsonObject(metadata) ? ofMetadata(metadata) : emptied(metadata) };
  };
}

const KEEP: Part = (value) => value;

function metadataPart(demand: FieldDemand | undefined): Projection {
  const parts = demand === undefined || demand === true ? undefined : partsOf(demand);
  const others = demand === undefined ? undefined : demand === true ? KEEP : everyOf(demand);
  const ofAnnotations = annotationsPart(demand === undefined || demand === true ? demand : fieldOf(demand, 'annotations'));
  return (metadata) => {
    const kept: { [key: string]: Json } = {};
    for (const key in metadata) {
      if (!Object.hasOwn(metadata, key)) continue;
      const value = metadata[key] as Json;
      if (IDENTITY.has(key)) kept[key] = value;
      else if (key === 'annotations') {
        const annotations = isJsonObject(value) ? ofAnnotations(value) : emptied(value);
        if (annotations !== undefined) kept[key] = annotations;
      } else {
        const part = parts?.get(key) ?? (key === 'managedFields' ? undefined : others);
        if (part !== undefined) setOwn(kept, key, part(value));
      }
    }
    return kept;
  };
}

function annotationsPart(demand: FieldDemand | undefined): (annotations: JsonObject) => Json | undefined {
  const named = demand === undefined || demand === true ? undefined : demand;
  const all = demand === true || (named !== undefined && Object.hasOwn(named, '*'));
  return (annotations) => {
    const kept: { [key: string]: Json } = {};
    let some = false;
    for (const key of Object.keys(annotations)) {
      const wanted = (named !== undefined && Object.hasOwn(named, key)) || (all && key !== LAST_APPLIED) || OWN_ANNOTATION.test(key);
      if (!wanted) continue;
      setOwn(kept, key, annotations[key] as Json);
      some = true;
    }
    return some ? kept : undefined;
  };
}

/** What is kept of a value of which `demand` is read. */
function partOf(demand: FieldDemand): Part {
  if (demand === true) return KEEP;
  const parts = partsOf(demand);
  const every = everyOf(demand);
  const element = every ?? emptied;
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return (value as readonly Json[]).map(element);
    const object = value as JsonObject;
    const kept: { [key: string]: Json } = {};
    for (const key in object) {
      const part = parts.get(key) ?? every;
      if (part !== undefined && Object.hasOwn(object, key)) setOwn(kept, key, part(object[key] as Json));
    }
    return kept;
  };
}

/** By field; where every field is read too, both demands hold. */
function partsOf(demand: Exclude<FieldDemand, true>): ReadonlyMap<string, Part> {
  const every = Object.hasOwn(demand, '*') ? demand['*'] : undefined;
  const fields = Object.keys(demand).filter((key) => key !== '*');
  return new Map(fields.map((key) => [key, partOf(both(demand[key] as FieldDemand, every))]));
}

function everyOf(demand: Exclude<FieldDemand, true>): Part | undefined {
  return Object.hasOwn(demand, '*') ? partOf(demand['*'] as FieldDemand) : undefined;
}

function fieldOf(demand: Exclude<FieldDemand, true>, key: string): FieldDemand | undefined {
  const every = Object.hasOwn(demand, '*') ? demand['*'] : undefined;
  return Object.hasOwn(demand, key) ? both(demand[key] as FieldDemand, every) : every;
}

function both(a: FieldDemand, b: FieldDemand | undefined): FieldDemand {
  if (b === undefined) return a;
  if (a === true || b === true) return true;
  const merged = new Map<string, FieldDemand>(Object.entries(a));
  for (const [key, demand] of Object.entries(b)) merged.set(key, both(demand, merged.get(key)));
  return Object.fromEntries(merged);
}

function emptied(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [] : {};
}

/**
 * Of an object as JSON text, what {@link compileProjection} keeps of it, for a pruner that drops the rest unread. Of metadata it is at least
 * that: see {@link compileMetadataProjection}.
 */
export function keptByProjection(demand: FieldDemand): KeptJson {
  const fields = new Map<string, KeptJson>([
    ['apiVersion', 'all'],
    ['kind', 'all'],
    ['metadata', keptMetadata(demand === true ? true : fieldOf(demand, 'metadata'))],
  ]);
  if (demand === true) return { fields, others: 'all' };
  for (const key of Object.keys(demand)) if (key !== '*' && !fields.has(key)) fields.set(key, keptOf(fieldOf(demand, key)!));
  return { fields, others: keptEvery(demand) };
}

function keptMetadata(demand: FieldDemand | undefined): KeptJson {
  const fields = new Map<string, KeptJson>();
  for (const key of IDENTITY) fields.set(key, 'all');
  const named = demand === undefined || demand === true ? {} : demand;
  for (const key of Object.keys(named)) if (key !== '*' && !fields.has(key)) fields.set(key, keptOf(fieldOf(named, key)!));
  const annotations = demand === undefined || demand === true ? undefined : fieldOf(demand, 'annotations');
  const namesCopy = typeof annotations === 'object' && Object.hasOwn(annotations, LAST_APPLIED);
  fields.set('annotations', namesCopy ? 'all' : { fields: new Map<string, KeptJson>([[LAST_APPLIED, 'none']]), others: 'all' });
  if (!Object.hasOwn(named, 'managedFields')) fields.set('managedFields', 'none');
  return { fields, others: demand === true ? 'all' : keptEvery(named) };
}

function keptOf(demand: FieldDemand): KeptJson {
  if (demand === true) return 'all';
  const fields = new Map<string, KeptJson>();
  for (const key of Object.keys(demand)) if (key !== '*') fields.set(key, keptOf(fieldOf(demand, key)!));
  return { fields, others: keptEvery(demand) };
}

function keptEvery(demand: Exclude<FieldDemand, true>): KeptJson {
  return Object.hasOwn(demand, '*') ? keptOf(demand['*'] as FieldDemand) : 'none';
}
