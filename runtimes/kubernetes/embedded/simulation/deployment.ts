import { jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { controllerReference, isDeleted, untyped } from '../control-loop/kind.ts';
import { NOTHING_TO_DO, type SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, update, updateStatus, type Write } from '../control-loop/write.ts';
import {
  byAge,
  DESIRED_REPLICAS,
  findNewReplicaSet,
  MAX_REPLICAS,
  newReplicaSetAnnotations,
  REVISION,
  revisionOf,
  TEMPLATE_HASH_LABEL,
} from './deployment-revision.ts';
import {
  desiredOf,
  isScalingEvent,
  maxReplicas,
  newReplicaSetSize,
  rollingSizes,
  type Sizes,
  scalingSizes,
  sizeOf,
} from './deployment-rollout.ts';
import { deploymentStatus } from './deployment-status.ts';
import { DEPLOYMENTS, type Deployment, PODS, REPLICA_SETS, type ReplicaSet } from './kinds.ts';
import { isFinished } from './pod-state.ts';
import { templateHash } from './template-hash.ts';

/** Kubernetes: pkg/controller/deployment/deployment_controller.go syncDeployment. */
export function syncDeployment(deployment: Deployment, view: ClusterView, failure?: string): SyncResult {
  const replicaSets = view.controlledBy(REPLICA_SETS, deployment);
  const newest = findNewReplicaSet(deployment, replicaSets);
  const old = replicaSets.filter((replicaSet) => replicaSet !== newest);
  const status = (writes: readonly Write[]): SyncResult => withStatus(deployment, newest, replicaSets, view, writes, failure);
  if (isDeleted(deployment)) return status([]);

  if (newest === undefined && !deployment.spec.paused) {
    if (deployment.spec.strategy?.type === 'Recreate' && old.some((each) => sizeOf(each) > 0 || hasPods(each, view)))
      return status(resize(deployment, new Map(old.map((each) => [each, 0]))));
    return createReplicaSet(deployment, old, view, failure === undefined ? undefined : () => status([]));
  }
  const annotated = newest === undefined || deployment.spec.paused ? [] : syncAnnotations(deployment, newest, old);
  if (annotated.length > 0) return { writes: annotated };

  if (deployment.spec.paused || isScalingEvent(deployment, replicaSets))
    return status(resize(deployment, scalingSizes(deployment, newest, old)));
  if (newest === undefined) return NOTHING_TO_DO;
  const sizes: Sizes =
    deployment.spec.strategy?.type === 'Recreate' ? recreateSizes(deployment, newest, old, view) : rollingSizes(deployment, newest, old);
  const writes = resize(deployment, sizes);
  return status(writes.length > 0 ? writes : cleanUp(deployment, newest, old));
}

function withStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  replicaSets: readonly ReplicaSet[],
  view: ClusterView,
  writes: readonly Write[],
  failure: string | undefined,
): SyncResult {
  const sized = new Map<string, ReplicaSet>();
  for (const write of writes)
    if (write.verb === 'update' && write.kind === REPLICA_SETS) sized.set(write.object.metadata.uid, write.object as ReplicaSet);
  const now = (replicaSet: ReplicaSet): ReplicaSet => sized.get(replicaSet.metadata.uid) ?? replicaSet;
  const all = replicaSets.map(now);
  const { status, after } = deploymentStatus(deployment, newest && now(newest), all, view.now(), failure);
  const changed = !jsonEqual(untyped(status), untyped(deployment.status ?? {}));
  return {
    writes: changed ? [...writes, updateStatus(DEPLOYMENTS, { ...deployment, status } as Deployment)] : writes,
    ...(after === undefined ? {} : { after }),
  };
}

function hasPods(replicaSet: ReplicaSet, view: ClusterView): boolean {
  return view.controlledBy(PODS, replicaSet).some((pod) => !isFinished(pod));
}

function recreateSizes(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[], view: ClusterView): Sizes {
  const active = old.filter((each) => sizeOf(each) > 0);
  if (active.length > 0) return new Map(active.map((each) => [each, 0]));
  if (old.some((each) => hasPods(each, view)) || sizeOf(newest) === desiredOf(deployment)) return new Map();
  return new Map([[newest, desiredOf(deployment)]]);
}

function createReplicaSet(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  view: ClusterView,
  failed: (() => SyncResult) | undefined,
): SyncResult {
  const { template, selector, minReadySeconds } = deployment.spec;
  const { name, namespace } = deployment.metadata;
  const collisions = deployment.status?.collisionCount ?? 0;
  const hash = templateHash(template, collisions);
  const existing = view.get(REPLICA_SETS, { namespace, name: `${name}-${hash}` });
  if (existing !== undefined) {
    // Another's, or of another template that hashes alike.
    const status = { ...deployment.status, collisionCount: collisions + 1 };
    return { writes: [updateStatus(DEPLOYMENTS, { ...deployment, status } as Deployment)] };
  }
  if (failed !== undefined) return failed();
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  const replicaSet: NewObject = {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: {
        ...newReplicaSetAnnotations(deployment, revision),
        [DESIRED_REPLICAS]: String(desiredOf(deployment)),
        [MAX_REPLICAS]: String(maxReplicas(deployment)),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newReplicaSetSize(deployment, 0, old),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return { writes: [create(REPLICA_SETS, replicaSet), ...annotateRevision(deployment, String(revision))] };
}

/** Brings the revision, and what replica sets take over from their deployment, up to date. */
function syncAnnotations(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): readonly Write[] {
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const before = newest.metadata.annotations ?? {};
  const annotations = newReplicaSetAnnotations(deployment, revision, before);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const writes: Write[] = [];
  if (!jsonEqual(annotations, before) || minReadySeconds !== (newest.spec.minReadySeconds ?? 0)) {
    const spec = { ...newest.spec, minReadySeconds };
    writes.push(update(REPLICA_SETS, { ...newest, metadata: { ...newest.metadata, annotations }, spec } as ReplicaSet));
  }
  return [...writes, ...annotateRevision(deployment, annotations[REVISION] ?? String(revision))];
}

function annotateRevision(deployment: Deployment, revision: string): readonly Write[] {
  const { annotations } = deployment.metadata;
  if (annotations?.[REVISION] === revision) return [];
  return [
    update(DEPLOYMENTS, { ...deployment, metadata: { ...deployment.metadata, annotations: { ...annotations, [REVISION]: revision } } }),
  ];
}

/** Gives replica sets their sizes, and notes for which wish they were made. */
function resize(deployment: Deployment, sizes: Sizes): readonly Write[] {
  const writes: Write[] = [];
  for (const [replicaSet, replicas] of sizes) {
    const annotations = {
      ...replicaSet.metadata.annotations,
      [DESIRED_REPLICAS]: String(desiredOf(deployment)),
      [MAX_REPLICAS]: String(maxReplicas(deployment)),
    };
    if (replicas === sizeOf(replicaSet) && jsonEqual(annotations, replicaSet.metadata.annotations ?? {})) continue;
    const metadata = { ...replicaSet.metadata, annotations };
    writes.push(update(REPLICA_SETS, { ...replicaSet, metadata, spec: { ...replicaSet.spec, replicas } } as ReplicaSet));
  }
  return writes;
}

/** Deletes the oldest replica sets beyond the history limit once the rollout is over. */
function cleanUp(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): readonly Write[] {
  const desired = desiredOf(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = deployment.status ?? {};
  const complete = updatedReplicas === desired && replicas === desired && availableReplicas === desired;
  if (!complete || sizeOf(newest) !== desired || observedGeneration < (deployment.metadata.generation ?? 0)) return [];
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const cleanable = old.filter((each) => !isDeleted(each));
  if (cleanable.length <= limit) return [];
  return [...byAge(cleanable)]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, cleanable.length - limit)
    .filter((each) => sizeOf(each) === 0 && (each.status?.replicas ?? 0) === 0)
    .map((each) => remove(REPLICA_SETS, each));
}
