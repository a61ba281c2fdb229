import { jsonEqual } from '../../../../engine/object/json.ts';
import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import { type Condition, conditionOf, setCondition } from '../control-loop/condition.ts';
import { controllerReference, isDeleted, type Kind, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, update, updateStatus, type Write } from '../control-loop/write.ts';
import { withoutZeros } from './deployment-status.ts';
import {
  PODS,
  type Pod,
  type PodTemplate,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  type ReplicaSet,
  type ReplicationController,
  type Selector,
} from './kinds.ts';
import { availability, compareForDeletion, isActive } from './pod-state.ts';
import { templateMetadata } from './pod-template.ts';

/** Most pods made or deleted in one go. Kubernetes: pkg/controller/replicaset/replica_set.go BurstReplicas. */
const BURST = 500;

/** Kubernetes: pkg/controller/replicaset/replica_set.go syncReplicaSet. */
export const syncReplicaSet = (replicaSet: ReplicaSet, view: ClusterView, failure?: string): SyncResult =>
  syncReplicas(REPLICA_SETS, replicaSet, replicaSet.spec.selector, replicaSet.spec.template, view, failure);

/** The same for the older kind, whose selector is a plain map. */
export const syncReplicationController = (controller: ReplicationController, view: ClusterView, failure?: string): SyncResult => {
  const { selector, template } = controller.spec;
  return syncReplicas(REPLICATION_CONTROLLERS, controller, selector && { matchLabels: selector }, template, view, failure);
};

function syncReplicas<T extends ReplicaSet | ReplicationController>(
  kind: Kind<T>,
  owner: T,
  selector: Selector | undefined,
  template: PodTemplate | undefined,
  view: ClusterView,
  failure: string | undefined,
): SyncResult {
  const selected = selectorOf(selector);
  const owned = view.controlledBy(PODS, owner);
  const writes: Write[] = [];
  const kept: Pod[] = [];
  for (const pod of owned) {
    if (selected.matches(pod.metadata.labels)) kept.push(pod);
    else if (!isDeleted(owner)) writes.push(release(pod, owner));
  }
  if (!isDeleted(owner)) for (const pod of orphans(owner, selected, view)) writes.push(adopt(pod, owner));
  // What is adopted is counted when it has been: the next look is not far.
  const active = kept.filter(isActive);
  const difference = (owner.spec.replicas ?? 1) - active.length;
  if (!isDeleted(owner) && template !== undefined && writes.length === 0) {
    if (difference > 0) for (let i = 0; i < Math.min(difference, BURST); i++) writes.push(create(PODS, podFrom(template, owner)));
    else if (difference < 0)
      for (const pod of [...active].sort(compareForDeletion).slice(0, Math.min(-difference, BURST))) writes.push(remove(PODS, pod));
  }

  // Pods that come and go bring it here again, and the status is written once.
  if (writes.length > 0 && failure === undefined) return { writes };

  const { ready, available, after } = availability(active, owner.spec.minReadySeconds ?? 0, view.now());
  const labels = Object.entries(template?.metadata?.labels ?? {});
  const fullyLabeled = active.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value));
  const status = {
    // Always written out, as the API server does with this one.
    replicas: active.length,
    ...withoutZeros({
      fullyLabeledReplicas: fullyLabeled.length,
      readyReplicas: ready,
      availableReplicas: available,
    }),
    ...(kind === (REPLICA_SETS as Kind) ? { terminatingReplicas: kept.filter((pod) => isDeleted(pod)).length } : {}),
    observedGeneration: owner.metadata.generation ?? 0,
    ...conditionsOf(owner.status?.conditions, difference, failure, view.now()),
  };
  if (!jsonEqual(untyped(status), untyped(owner.status ?? {}))) writes.push(updateStatus(kind, { ...owner, status } as T));
  return { writes, ...(after === undefined ? {} : { after }) };
}

function conditionsOf(
  before: readonly Condition[] | undefined,
  difference: number,
  failure: string | undefined,
  now: number,
): { readonly conditions?: readonly Condition[] } {
  if (failure === undefined) {
    // The condition stays while the replicas are still not there: the next try says more.
    const rest = difference === 0 ? (before ?? []).filter(({ type }) => type !== 'ReplicaFailure') : (before ?? []);
    return rest.length === 0 ? {} : { conditions: rest };
  }
  if (conditionOf(before, 'ReplicaFailure') !== undefined) return { conditions: before! };
  const reason = difference > 0 ? 'FailedCreate' : 'FailedDelete';
  return { conditions: setCondition(before, { type: 'ReplicaFailure', status: 'True', reason, message: failure }, now) };
}

/** A pod of a template. Kubernetes: pkg/controller/controller_utils.go GetPodFromTemplate. */
function podFrom(template: PodTemplate, owner: ReplicaSet | ReplicationController): NewObject {
  const { namespace, name } = owner.metadata;
  return {
    metadata: {
      ...templateMetadata(template),
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
  };
}

function orphans(owner: ReplicaSet | ReplicationController, selected: ReturnType<typeof selectorOf>, view: ClusterView): readonly Pod[] {
  return view.uncontrolled(PODS, owner.metadata.namespace).filter((pod) => isActive(pod) && selected.matches(pod.metadata.labels));
}

function adopt(pod: Pod, owner: ReplicaSet | ReplicationController): Write {
  const ownerReferences = [...(pod.metadata.ownerReferences ?? []), controllerReference(owner)];
  return update(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences } } as Pod);
}

function release(pod: Pod, owner: ReplicaSet | ReplicationController): Write {
  const ownerReferences = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  return update(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences } } as Pod);
}
