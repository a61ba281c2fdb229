import type { GroupResource, ObjectEvent, Registry } from '../registry.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Controller } from './control-loop.ts';
import { controllerOf, groupResource, type Kind, type KubernetesObject, keyOf, nameOfKey, type ObjectKey, typed } from './kind.ts';
import { perform, reasonOf, type Write } from './write.ts';

/** What is to be written about one object, in order; nothing when all is as it should be. */
export interface SyncResult {
  readonly writes: readonly Write[];
  /** Milliseconds after which time alone may change the answer. */
  readonly after?: number;
}

export const NOTHING_TO_DO: SyncResult = { writes: [] };

/**
 * Decides about one object. Pure. `failure` is why the writes of the last decision could not be made, for its status: then only
 * writes of the status are performed.
 */
export type SyncObject<T extends KubernetesObject> = (object: T, view: ClusterView, failure?: string) => SyncResult;

export interface ObjectControllerOptions<T extends KubernetesObject> {
  readonly name: string;
  readonly kind: Kind<T>;
  readonly sync: SyncObject<T>;
  /** Kinds whose objects are looked after by their controller of {@link kind}. */
  readonly controls?: readonly Kind[];
  /** What is left to write once an object is gone. */
  readonly gone?: (key: ObjectKey, view: ClusterView) => readonly Write[];
  /** Other changes, and the keys they concern. */
  readonly also?: readonly { readonly kind: Kind; readonly keys: (object: KubernetesObject) => Iterable<ObjectKey> }[];
}

/** A controller of one kind: an object is looked at when it, what it controls, or what it depends on changes. */
export function objectController<T extends KubernetesObject>(
  registry: Registry,
  view: ClusterView,
  options: ObjectControllerOptions<T>,
): Controller {
  const { name, kind, sync, controls = [], also = [], gone } = options;
  const own = groupResource(kind);
  const controlled = new Set(controls.map(groupResource));
  const others = new Map<GroupResource, ((object: KubernetesObject) => Iterable<ObjectKey>)[]>();
  for (const { kind: other, keys } of also) {
    const resource = groupResource(other);
    const known = others.get(resource);
    if (known === undefined) others.set(resource, [keys]);
    else known.push(keys);
  }
  const group = kind.group === '' ? '' : `${kind.group}/`;

  function* keysOfObject(resource: GroupResource, object: KubernetesObject): Iterable<ObjectKey> {
    if (controlled.has(resource)) {
      const owner = controllerOf(object);
      if (owner?.kind === kind.kind && (group === '' ? !owner.apiVersion.includes('/') : owner.apiVersion.startsWith(group)))
        yield object.metadata.namespace === undefined ? owner.name : `${object.metadata.namespace}/${owner.name}`;
    }
    for (const keys of others.get(resource) ?? []) yield* keys(object);
  }

  return {
    name,
    watches: [...new Set([own, ...controlled, ...others.keys()])],
    *keys(event: ObjectEvent) {
      const object = typed<KubernetesObject>(event.object);
      if (event.resource === own && (event.type !== 'DELETED' || gone !== undefined)) yield keyOf(object);
      yield* keysOfObject(event.resource, object);
      if (event.previous !== undefined) yield* keysOfObject(event.resource, typed(event.previous));
    },
    *initial() {
      for (const object of view.list(kind)) yield keyOf(object);
    },
    async sync(key) {
      const object = view.get(kind, nameOfKey(key));
      if (object === undefined) {
        if (gone !== undefined) await perform(registry, gone(key, view), name);
        return undefined;
      }
      const { writes, after } = sync(object, view);
      try {
        await perform(registry, writes, name);
      } catch (error) {
        if (reasonOf(error) !== 'Conflict') await reportFailure(key, error);
        throw error;
      }
      return after === undefined ? undefined : { after };
    },
  };

  async function reportFailure(key: ObjectKey, error: unknown): Promise<void> {
    const object = view.get(kind, nameOfKey(key));
    if (object === undefined) return;
    const { writes } = sync(object, view, error instanceof Error ? error.message : String(error));
    const status = writes.filter((write) => write.verb === 'update' && write.kind === kind && write.subresource === 'status');
    await perform(registry, status, name);
  }
}
