import { isJsonObject, type Json, type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { ObjectName, ResourceType } from '../../client.ts';
import type { ObjectEvent, Registry, RegistryWrite, ServedResource } from '../registry.ts';
import { alreadyExists, conflict, notFound, outdated } from '../status-error.ts';
import { groupResource, type KubernetesObject, type ObjectMeta, typed, untyped } from './kind.ts';

export interface MemoryRegistryOptions {
  readonly resources: readonly ServedResource[];
  readonly now?: () => number;
}

/** A write that changed something, in words: `create /pods a/b`, `update apps/deployments a/b status`. */
export type WriteLog = string[];

export interface MemoryRegistry extends Registry {
  readonly writes: WriteLog;
  /** Serves one more resource from now on. */
  serve(resource: ServedResource): void;
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** `served('apps/v1', 'deployments', 'Deployment')`; cluster-scoped where `namespaced` is false. */
export function served(apiVersion: string, resource: string, kind: string, namespaced = true): ServedResource {
  const [first = '', second] = apiVersion.split('/');
  return {
    group: second === undefined ? '' : first,
    version: second ?? first,
    resource,
    kind,
    namespaced,
    verbs: VERBS,
    subresources: ['status'],
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: [],
    categories: [],
    schema: undefined,
    builtIn: true,
  };
}

type Draft = { -readonly [K in keyof ObjectMeta]?: ObjectMeta[K] };

/** The contract of {@link Registry} over maps: versions, uids, generations, finalizers, graceful deletion of pods; no validation. */
export function memoryRegistry({ resources, now = () => 0 }: MemoryRegistryOptions): MemoryRegistry {
  const served = [...resources];
  const stores = new Map<string, Map<string, JsonObject>>();
  const listeners = new Set<(event: ObjectEvent) => void>();
  const writes: WriteLog = [];
  let revision = 0;
  let uids = 0;

  const storeOf = (type: ResourceType): Map<string, JsonObject> => {
    const name = groupResource(type);
    let store = stores.get(name);
    if (store === undefined) {
      store = new Map();
      stores.set(name, store);
    }
    return store;
  };
  const keyOf = (type: ResourceType, name: ObjectName): string => (type.namespaced ? `${name.namespace}/${name.name}` : name.name);
  const timestamp = (after = 0): string => new Date(now() + after).toISOString().replace(/\.\d+Z$/, 'Z');

  const emit = (type: ObjectEvent['type'], resource: ResourceType, object: JsonObject, previous?: JsonObject): void => {
    const event = { type, resource: groupResource(resource), object, resourceVersion: String(revision), ...(previous ? { previous } : {}) };
    for (const listener of [...listeners]) listener(event);
  };
  const withMeta = (object: JsonObject, metadata: Draft): JsonObject => ({ ...object, metadata: untyped(metadata) });
  const drop = (type: ResourceType, key: string, object: JsonObject): void => {
    const metadata = typed<KubernetesObject>(object).metadata;
    revision++;
    const last = withMeta(object, { ...metadata, resourceVersion: String(revision) });
    storeOf(type).delete(key);
    writes.push(`delete ${groupResource(type)} ${key}`);
    emit('DELETED', type, last, object);
  };

  const registry: MemoryRegistry = {
    writes,
    serve: (resource) => void served.push(resource),
    resources: () => served,
    find: (group, version, resource) =>
      served.find((each) => each.group === group && each.version === version && each.resource === resource),
    ofKind: (apiVersion, kind) => served.find((each) => formatApiVersion(each.group, each.version) === apiVersion && each.kind === kind),
    get: (type, name) => storeOf(type).get(keyOf(type, name)),
    list(type, namespace) {
      const all = [...storeOf(type)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
      return namespace === undefined ? all : all.filter((object) => typed<KubernetesObject>(object).metadata.namespace === namespace);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async create(type, object, options: RegistryWrite = {}) {
      const given = typed<KubernetesObject>(object).metadata;
      uids++;
      const name = given.name ?? `${given.generateName}${uids}`;
      const key = keyOf(type, { ...(given.namespace === undefined ? {} : { namespace: given.namespace }), name });
      if (storeOf(type).has(key)) throw alreadyExists(type, name);
      const draft: Draft = {
        generation: 1,
        ...given,
        uid: given.uid ?? `uid-${uids}`,
        name,
        creationTimestamp: timestamp(),
        resourceVersion: '',
      };
      if (options.dryRun) return withMeta(object, draft);
      revision++;
      const stored = withMeta(object, { ...draft, resourceVersion: String(revision) });
      storeOf(type).set(key, stored);
      writes.push(`create ${groupResource(type)} ${key}`);
      emit('ADDED', type, stored);
      return stored;
    },
    async update(type, object, options: RegistryWrite = {}) {
      const given = typed<KubernetesObject>(object).metadata;
      const key = keyOf(type, given);
      const before = storeOf(type).get(key);
      if (before === undefined) throw notFound(type, given.name);
      const old = typed<KubernetesObject>(before).metadata;
      if (given.resourceVersion !== undefined && given.resourceVersion !== old.resourceVersion) throw outdated(type, given.name);
      const { subresource } = options;
      const content = subresource === 'status' ? { ...before, status: object['status'] ?? {} } : { ...object };
      if (subresource === undefined && before['status'] !== undefined) content['status'] = before['status'];
      const metadata: Draft = subresource === 'status' ? { ...old } : { ...given, resourceVersion: old.resourceVersion };
      const after = withMeta(content, metadata);
      if (jsonEqual(after, before)) return before;
      if (!jsonEqual(after['spec'], before['spec'])) metadata.generation = (old.generation ?? 0) + 1;
      revision++;
      const stored = withMeta(content, { ...metadata, resourceVersion: String(revision) });
      writes.push(`update ${groupResource(type)} ${key}${subresource === undefined ? '' : ` ${subresource}`}`);
      storeOf(type).set(key, stored);
      const held =
        (metadata.finalizers ?? []).length > 0 ||
        namespaceFinalizers(type, stored).length > 0 ||
        (metadata.deletionGracePeriodSeconds ?? 0) > 0;
      if (metadata.deletionTimestamp !== undefined && !held) drop(type, key, stored);
      else emit('MODIFIED', type, stored, before);
      return stored;
    },
    async modify(type, name, change, options = {}) {
      const before = registry.get(type, name);
      const after = before === undefined ? undefined : change(before);
      return after === undefined ? before : registry.update(type, after, options);
    },
    async delete(type, name, options = {}) {
      const key = keyOf(type, name);
      const object = storeOf(type).get(key);
      if (object === undefined) return undefined;
      const { metadata } = typed<KubernetesObject>(object);
      if (options.preconditions?.uid !== undefined && options.preconditions.uid !== metadata.uid)
        throw conflict(type, metadata.name, 'the uid differs');
      const finalizers = new Set(metadata.finalizers);
      if (options.propagationPolicy !== undefined) {
        finalizers.delete('orphan');
        finalizers.delete('foregroundDeletion');
        if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
        if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
      }
      const isRunningPod = type.resource === 'pods' && isJsonObject(object['spec']) && object['spec']['nodeName'] !== undefined;
      const grace = options.gracePeriodSeconds ?? metadata.deletionGracePeriodSeconds ?? (isRunningPod ? 30 : 0);
      const waits = isRunningPod && grace > 0;
      if (finalizers.size === 0 && namespaceFinalizers(type, object).length === 0 && !waits) {
        drop(type, key, object);
        return object;
      }
      const marked = withMeta(object, {
        ...metadata,
        finalizers: [...finalizers],
        deletionTimestamp: metadata.deletionTimestamp ?? timestamp(grace * 1000),
        deletionGracePeriodSeconds: grace,
      });
      const after = groupResource(type) === '/namespaces' ? { ...marked, status: { phase: 'Terminating' } } : marked;
      if (jsonEqual(after, object)) return object;
      revision++;
      const stored = withMeta(after, { ...typed<KubernetesObject>(after).metadata, resourceVersion: String(revision) });
      storeOf(type).set(key, stored);
      writes.push(`mark ${groupResource(type)} ${key}`);
      emit('MODIFIED', type, stored, object);
      return stored;
    },
  };
  return registry;
}

function namespaceFinalizers(type: ResourceType, object: JsonObject): readonly Json[] {
  const spec = groupResource(type) === '/namespaces' ? object['spec'] : undefined;
  const finalizers = isJsonObject(spec) ? spec['finalizers'] : undefined;
  return Array.isArray(finalizers) ? finalizers : [];
}
