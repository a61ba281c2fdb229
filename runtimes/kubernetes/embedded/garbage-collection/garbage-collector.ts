import type { Controller } from '../control-loop/control-loop.ts';
import { isDeleted, type KubernetesObject, typed, untyped } from '../control-loop/kind.ts';
import { type IndexedObject, type OwnerIndex, ownerIndex } from '../control-loop/owner-index.ts';
import type { GroupResource, Registry } from '../registry.ts';
import {
  type Collection,
  collect,
  FOREGROUND_FINALIZER,
  type Located,
  ORPHAN_FINALIZER,
  type OwnershipView,
  ownerName,
  waitsForDependents,
} from './collect.ts';

/** Milliseconds after which an object is looked at again whose owner's kind is not served. */
const UNKNOWN_OWNER_RETRY = 5_000;

/**
 * Deletes what has lost all of its owners, finishes foreground deletions and orphans, over all resources, custom ones included.
 * Its keys are uids. A registry knows at once whether an owner is there, so there are no guesses to verify.
 */
export function garbageCollector(registry: Registry): Controller {
  const owners = ownerIndex(registry);
  const locate = ({ object }: IndexedObject): Located | undefined => {
    const resource = registry.ofKind(object.apiVersion, object.kind);
    return resource === undefined ? undefined : { resource, object };
  };
  const view: OwnershipView = {
    owner(reference, dependent) {
      const resource = registry.ofKind(reference.apiVersion, reference.kind);
      if (resource === undefined) return 'unknown';
      if (resource.namespaced && !dependent.resource.namespaced) return 'out-of-scope';
      const found = registry.get(resource, ownerName(reference, resource, dependent.object));
      if (found === undefined) return 'absent';
      const owner = typed<KubernetesObject>(found);
      if (owner.metadata.uid !== reference.uid) return 'absent';
      return waitsForDependents(owner) ? 'waiting' : 'solid';
    },
    dependentsOf: (uid) => owners.dependentsOf(uid).flatMap((dependent) => locate(dependent) ?? []),
  };

  return {
    name: 'generic-garbage-collector',
    watches: ['*'],
    *initial() {
      for (const { object } of owners.all()) if (concerns(object)) yield object.metadata.uid;
    },
    *keys(event) {
      if (isEvent(event.resource)) return;
      const object = typed<KubernetesObject>(event.object);
      const { uid, ownerReferences = [] } = object.metadata;
      if (event.type === 'DELETED') {
        for (const dependent of owners.dependentsOf(uid)) yield dependent.object.metadata.uid;
        for (const owner of ownerReferences) yield* waiting(owners, owner.uid);
        return;
      }
      const previous = event.previous === undefined ? undefined : typed<KubernetesObject>(event.previous);
      const beginsToWait = waitsForDependents(object) && (previous === undefined || !waitsForDependents(previous));
      if (beginsToWait) for (const dependent of owners.dependentsOf(uid)) yield dependent.object.metadata.uid;
      if (isDeleted(object) ? concerns(object) : ownersChanged(object, previous)) yield uid;
      // An owner that was blocked by this object may not be any more.
      if (previous !== undefined && ownersChanged(object, previous))
        for (const owner of previous.metadata.ownerReferences ?? []) yield* waiting(owners, owner.uid);
    },
    async sync(uid) {
      const indexed = owners.byUid(uid);
      const located = indexed === undefined ? undefined : locate(indexed);
      if (located === undefined) return undefined;
      const { steps, undecided } = collect(located, view);
      for (const step of steps) await perform(registry, step);
      return undecided ? { after: UNKNOWN_OWNER_RETRY } : undefined;
    },
  };
}

/** Kubernetes: pkg/controller/garbagecollector/graph_builder.go ignores events, which own nothing and are many. */
const isEvent = (resource: GroupResource): boolean => resource === '/events' || resource === 'events.k8s.io/events';

const concerns = ({ metadata }: KubernetesObject): boolean =>
  (metadata.ownerReferences?.length ?? 0) > 0 ||
  (metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).some((finalizer) => finalizer === ORPHAN_FINALIZER || finalizer === FOREGROUND_FINALIZER));

function ownersChanged(object: KubernetesObject, previous: KubernetesObject | undefined): boolean {
  const now = object.metadata.ownerReferences ?? [];
  const before = previous?.metadata.ownerReferences ?? [];
  if (now.length !== before.length) return true;
  return now.some(({ uid, blockOwnerDeletion }, i) => uid !== before[i]!.uid || blockOwnerDeletion !== before[i]!.blockOwnerDeletion);
}

function* waiting(owners: OwnerIndex, uid: string): Iterable<string> {
  const owner = owners.byUid(uid)?.object;
  if (owner !== undefined && waitsForDependents(owner)) yield uid;
}

async function perform(registry: Registry, { of: { resource, object }, ...step }: Collection): Promise<void> {
  const { uid, namespace, name } = object.metadata;
  const at = { namespace, name };
  const options = { fieldManager: 'generic-garbage-collector' };
  const ofSame = (stored: KubernetesObject): boolean => stored.metadata.uid === uid;
  switch (step.step) {
    case 'delete':
      await registry.delete(resource, at, { ...options, preconditions: { uid }, propagationPolicy: step.policy });
      return;
    case 'set-owners':
      await registry.modify(
        resource,
        at,
        (stored) => {
          const found = typed<KubernetesObject>(stored);
          if (!ofSame(found)) return undefined;
          const { ownerReferences: _, ...metadata } = found.metadata;
          return untyped({ ...found, metadata: step.owners.length === 0 ? metadata : { ...metadata, ownerReferences: step.owners } });
        },
        options,
      );
      return;
    case 'remove-finalizer':
      await registry.modify(
        resource,
        at,
        (stored) => {
          const found = typed<KubernetesObject>(stored);
          if (!ofSame(found) || !found.metadata.finalizers?.includes(step.finalizer)) return undefined;
          const finalizers = found.metadata.finalizers.filter((finalizer) => finalizer !== step.finalizer);
          return untyped({ ...found, metadata: { ...found.metadata, finalizers } });
        },
        options,
      );
  }
}
