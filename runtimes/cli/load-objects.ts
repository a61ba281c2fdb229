import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../engine/object/json.ts';
import type { Registry, ServedResource } from '../kubernetes/embedded/registry.ts';
import { objectLabel } from './object-label.ts';

/** An object that could not be loaded, and why. */
export interface LoadProblem {
  /** `Deployment shop/web`. */
  readonly object: string;
  readonly reason: string;
}

export interface Loaded {
  readonly count: number;
  readonly problems: readonly LoadProblem[];
  /** Namespaces that nothing was recorded of, and that were made because objects lie in them. */
  readonly madeNamespaces: readonly string[];
}

/**
 * Puts recorded objects into the embedded server as they were: namespaces and definitions first, owners before what they own, and with
 * their status. Uids and generations are new, and what refers to them follows: owner references, labels, what status has observed. References
 * to an owner that is not recorded are left out, lest the garbage collector take the object away. An object that is there already is left
 * as it is.
 */
export async function loadObjects(registry: Registry, objects: readonly JsonObject[]): Promise<Loaded> {
  const problems: LoadProblem[] = [];
  const madeNamespaces: string[] = [];
  const uids = new Map<Json, Json>();
  let count = 0;
  await makeNamespaces(registry, objects, madeNamespaces);
  for (const object of inOrder(objects)) {
    const type = registry.ofKind(ownText(object, 'apiVersion'), ownText(object, 'kind'));
    if (type === undefined) {
      problems.push({
        object: objectLabel(object),
        reason: `the server serves no ${ownText(object, 'apiVersion')} ${ownText(object, 'kind')}`,
      });
      continue;
    }
    try {
      const made = await create(registry, type, object, uids);
      if (isDefinition(object)) await whenServed(registry, object);
      const [before, after] = [field(object, 'metadata', 'uid'), field(made, 'metadata', 'uid')];
      if (before !== undefined && after !== undefined) uids.set(before, after);
      count++;
    } catch (error) {
      problems.push({ object: objectLabel(object), reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { count, problems, madeNamespaces };
}

/** Milliseconds for the server to begin to serve a kind. */
const SERVED_WITHIN = 5000;

/** Resolves once the kinds of a definition are served, or may not be served for some reason of the definition's. */
function whenServed(registry: Registry, definition: JsonObject): Promise<void> {
  const spec = isJsonObject(definition['spec'] ?? null) ? (definition['spec'] as JsonObject) : {};
  const names = isJsonObject(spec['names'] ?? null) ? (spec['names'] as JsonObject) : {};
  const [version] = Array.isArray(spec['versions']) ? (spec['versions'] as readonly Json[]) : [];
  const apiVersion = `${ownText(spec, 'group')}/${ownText(version, 'name')}`;
  const isServed = (): boolean => registry.ofKind(apiVersion, ownText(names, 'kind')) !== undefined;
  return new Promise((resolve) => {
    if (isServed()) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, SERVED_WITHIN);
    // What makes a kind served also says so in the definition's status.
    const stop = registry.subscribe(() => {
      if (isServed()) queueMicrotask(end);
    });
  });
}

async function create(registry: Registry, type: ServedResource, object: JsonObject, uids: ReadonlyMap<Json, Json>): Promise<JsonObject> {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const name = { name: ownText(metadata, 'name'), ...(type.namespaced ? { namespace: ownText(metadata, 'namespace') || 'default' } : {}) };
  const existing = registry.get(type, name);
  const made = existing ?? (await registry.create(type, { ...object, metadata: { ...portable(metadata, uids), ...name } }));
  const recorded = ownValue(object, 'status');
  if (!type.subresources.includes('status') || !isJsonObject(recorded)) return made;
  const status = observed(recorded, field(object, 'metadata', 'generation'), field(made, 'metadata', 'generation'));
  return (await registry.modify(type, name, (current) => ({ ...current, status }), { subresource: 'status' })) ?? made;
}

/** A status with the generations that it has observed as many behind as they were. */
function observed(status: JsonObject, before: Json | undefined, now: Json | undefined): JsonObject {
  if (typeof before !== 'number' || typeof now !== 'number') return status;
  const moved = (holder: JsonObject): JsonObject => {
    const seen = ownValue(holder, 'observedGeneration');
    return typeof seen === 'number' ? { ...holder, observedGeneration: Math.max(0, now - (before - seen)) } : holder;
  };
  const { conditions } = status;
  if (!Array.isArray(conditions)) return moved(status);
  return moved({ ...status, conditions: (conditions as readonly Json[]).map((each) => (isJsonObject(each) ? moved(each) : each)) });
}

/** Metadata without what a server gives. */
function portable(metadata: JsonObject, uids: ReadonlyMap<Json, Json>): JsonObject {
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...kept } = metadata;
  const labels = Object.entries(isJsonObject(kept['labels'] ?? null) ? (kept['labels'] as JsonObject) : {});
  const rest: JsonObject =
    labels.length === 0 ? kept : { ...kept, labels: Object.fromEntries(labels.map(([key, value]) => [key, uids.get(value) ?? value])) };
  if (!Array.isArray(rest['ownerReferences'])) return rest;
  const { ownerReferences, ...others } = rest as { readonly ownerReferences: readonly Json[] } & JsonObject;
  const known = ownerReferences.flatMap((owner) => {
    const uid = isJsonObject(owner) ? uids.get(owner['uid'] ?? '') : undefined;
    return uid === undefined ? [] : [{ ...(owner as JsonObject), uid }];
  });
  return known.length === 0 ? others : { ...others, ownerReferences: known };
}

async function makeNamespaces(registry: Registry, objects: readonly JsonObject[], made: string[]): Promise<void> {
  const type = registry.ofKind('v1', 'Namespace');
  if (type === undefined) return;
  const recorded = new Set(objects.filter(isNamespace).map((object) => field(object, 'metadata', 'name')));
  for (const object of objects) {
    const namespace = ownText(ownValue(object, 'metadata'), 'namespace');
    if (namespace === '' || recorded.has(namespace) || registry.get(type, { name: namespace }) !== undefined) continue;
    await registry.create(type, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    made.push(namespace);
  }
}

/** Namespaces, definitions, then the rest with owners before what they own. */
function inOrder(objects: readonly JsonObject[]): readonly JsonObject[] {
  const rank = (object: JsonObject): number => (isNamespace(object) ? 0 : isDefinition(object) ? 1 : 2);
  const byUid = new Map(objects.map((object) => [field(object, 'metadata', 'uid'), object]));
  const depths = new Map<JsonObject, number>();
  const depth = (object: JsonObject): number => {
    const known = depths.get(object);
    if (known !== undefined) return known;
    // An owner that owns itself in a roundabout way ends here.
    depths.set(object, 0);
    const depthOfOwners = ownerUids(object).map((uid) => {
      const found = byUid.get(uid);
      return found === undefined || found === object ? 0 : depth(found) + 1;
    });
    const own = Math.max(0, ...depthOfOwners);
    depths.set(object, own);
    return own;
  };
  return [...objects].sort((a, b) => rank(a) - rank(b) || depth(a) - depth(b));
}

/** Uids of what an object belongs to, by owner references and by labels; other values are among them. */
function ownerUids(object: JsonObject): readonly Json[] {
  const [owners, labels] = [field(object, 'metadata', 'ownerReferences'), field(object, 'metadata', 'labels')];
  return [
    ...(Array.isArray(owners) ? (owners as readonly Json[]) : []).flatMap((owner) => (isJsonObject(owner) ? [owner['uid'] ?? null] : [])),
    ...(isJsonObject(labels ?? null) ? Object.values(labels as JsonObject) : []),
  ];
}

const isNamespace = (object: JsonObject): boolean => object['apiVersion'] === 'v1' && object['kind'] === 'Namespace';
const isDefinition = (object: JsonObject): boolean => object['kind'] === 'CustomResourceDefinition';

function field(object: JsonObject, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path) value = isJsonObject(value as Json) ? ownValue(value as JsonObject, key) : undefined;
  return value;
}
