import type { ObjectName, ResourceType } from '../../client.ts';
import { isDeleted, type KubernetesObject, type ObjectMeta, type OwnerReference } from '../control-loop/kind.ts';

/** Kubernetes: apimachinery pkg/apis/meta/v1/types.go FinalizerOrphanDependents, FinalizerDeleteDependents. */
export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/** An object and where it lives. */
export interface Located {
  readonly resource: ResourceType;
  readonly object: KubernetesObject;
}

/** What the owner of an object is found to be. */
export type OwnerState =
  | 'solid'
  /** Not there, or another of the same name is. */
  | 'absent'
  /** Goes once its dependents are gone. */
  | 'waiting'
  /** Lives in a namespace while its dependent does not: such a reference means nothing. */
  | 'out-of-scope'
  /** Of a kind that is not served, or not yet. */
  | 'unknown';

/** What decisions are made from. */
export interface OwnershipView {
  /** The object of a reference in the namespace of the dependent; undefined where the kind is not served. */
  owner(reference: OwnerReference, dependent: Located): OwnerState;
  /** What names this object as an owner, by uid. */
  dependentsOf(uid: string): readonly Located[];
}

/** One step of the collector. */
export type Collection =
  | {
      readonly step: 'delete';
      readonly of: Located;
      readonly policy: 'Background' | 'Foreground' | 'Orphan';
    }
  | { readonly step: 'set-owners'; readonly of: Located; readonly owners: readonly OwnerReference[] }
  | { readonly step: 'remove-finalizer'; readonly of: Located; readonly finalizer: string };

export interface CollectionPlan {
  readonly steps: readonly Collection[];
  /** An owner's kind is unknown at present: look again later. */
  readonly undecided: boolean;
}

const NOTHING: CollectionPlan = { steps: [], undecided: false };
const plan = (...steps: readonly Collection[]): CollectionPlan => ({ steps, undecided: false });

/** Goes once its dependents are gone: it is being deleted in the foreground. */
export const waitsForDependents = (object: KubernetesObject): boolean => isDeleted(object) && hasFinalizer(object, FOREGROUND_FINALIZER);

const hasFinalizer = ({ metadata }: KubernetesObject, finalizer: string): boolean => metadata.finalizers?.includes(finalizer) ?? false;

/**
 * What is to be done about one object because of its owners and its dependents.
 * Kubernetes: pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem, processDeletingDependentsItem, orphanDependents.
 */
export function collect(of: Located, view: OwnershipView): CollectionPlan {
  const { object } = of;
  const { uid } = object.metadata;
  if (isDeleted(object) && hasFinalizer(object, ORPHAN_FINALIZER)) return orphan(of, view.dependentsOf(uid));
  if (waitsForDependents(object)) return finishForeground(of, view.dependentsOf(uid));
  if (isDeleted(object)) return NOTHING;
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return NOTHING;

  const states = references.map((reference) => view.owner(reference, of));
  if (states.includes('out-of-scope')) return NOTHING;
  if (states.includes('unknown')) return { steps: [], undecided: true };
  const solid = references.filter((_, i) => states[i] === 'solid');
  if (solid.length === references.length) return NOTHING;
  if (solid.length > 0) return plan({ step: 'set-owners', of, owners: solid });

  const dependents = view.dependentsOf(uid);
  if (states.includes('waiting') && dependents.length > 0) {
    // A circle of objects that wait for each other would never end: one that blocks its owner stops doing so.
    const unblock: readonly Collection[] = dependents.some(({ object: dependent }) => waitsForDependents(dependent))
      ? [
          {
            step: 'set-owners',
            of,
            owners: references.map(({ blockOwnerDeletion: _, ...rest }) => ({ ...rest, blockOwnerDeletion: false })),
          },
        ]
      : [];
    return plan(...unblock, { step: 'delete', of, policy: 'Foreground' });
  }
  return plan({ step: 'delete', of, policy: policyOf(object.metadata) });
}

/** A finalizer that is there before the deletion stands for the wish of whoever made the object. */
function policyOf({ finalizers = [] }: ObjectMeta): 'Background' | 'Foreground' | 'Orphan' {
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}

function orphan(of: Located, dependents: readonly Located[]): CollectionPlan {
  const { uid } = of.object.metadata;
  return plan(
    ...dependents.map(
      (dependent): Collection => ({
        step: 'set-owners',
        of: dependent,
        owners: (dependent.object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid),
      }),
    ),
    { step: 'remove-finalizer', of, finalizer: ORPHAN_FINALIZER },
  );
}

function finishForeground(of: Located, dependents: readonly Located[]): CollectionPlan {
  const { uid } = of.object.metadata;
  const blocks = ({ object }: Located): boolean =>
    (object.metadata.ownerReferences ?? []).some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true);
  // The dependents themselves are looked at because their owner waits.
  return dependents.some(blocks) ? NOTHING : plan({ step: 'remove-finalizer', of, finalizer: FOREGROUND_FINALIZER });
}

/** Where the object of a reference is looked for. */
export function ownerName(reference: OwnerReference, owner: ResourceType, dependent: KubernetesObject): ObjectName {
  return owner.namespaced ? { namespace: dependent.metadata.namespace, name: reference.name } : { name: reference.name };
}
