import { byAge, DESIRED_REPLICAS, MAX_REPLICAS } from './deployment-revision.ts';
import { scaledValue } from './int-or-percent.ts';
import type { Deployment, ReplicaSet } from './kinds.ts';

/** How many replicas a replica set is to have. */
export type Sizes = ReadonlyMap<ReplicaSet, number>;

export const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? 1;
export const desiredOf = ({ spec }: Deployment): number => spec.replicas ?? 1;
const total = (replicaSets: readonly ReplicaSet[]): number => replicaSets.reduce((sum, replicaSet) => sum + sizeOf(replicaSet), 0);
const availableOf = ({ status }: ReplicaSet): number => status?.availableReplicas ?? 0;

const isRolling = ({ spec }: Deployment): boolean => spec.strategy?.type !== 'Recreate';

/** Kubernetes: pkg/controller/deployment/util/deployment_util.go ResolveFenceposts: both 0 would never get on. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const desired = desiredOf(deployment);
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, 'up');
  const unavailable = scaledValue(maxUnavailable, desired, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const maxUnavailable = (deployment: Deployment): number => Math.min(fenceposts(deployment).unavailable, desiredOf(deployment));
export const maxReplicas = (deployment: Deployment): number => desiredOf(deployment) + fenceposts(deployment).surge;

/** The size of the newest replica set, which may not exist yet, beside the others. Kubernetes: NewRSNewReplicas. */
export function newReplicaSetSize(deployment: Deployment, current: number, others: readonly ReplicaSet[]): number {
  const desired = desiredOf(deployment);
  if (!isRolling(deployment)) return desired;
  const room = maxReplicas(deployment) - total(others) - current;
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

/** One step of a rolling update: up if it can, else down if it can. Kubernetes: pkg/controller/deployment/rolling.go. */
export function rollingSizes(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const desired = desiredOf(deployment);
  const current = sizeOf(newest);
  if (current > desired) return new Map([[newest, desired]]);
  if (current < desired) {
    const size = newReplicaSetSize(deployment, current, old);
    if (size !== current) return new Map([[newest, size]]);
  }
  return scaleDownOld(deployment, newest, old);
}

function scaleDownOld(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const sizes = new Map<ReplicaSet, number>();
  const minAvailable = desiredOf(deployment) - maxUnavailable(deployment);
  const all = [...old, newest];
  let most = total(all) - minAvailable - (sizeOf(newest) - availableOf(newest));
  // What is broken goes first: that costs no availability.
  for (const replicaSet of byAge(old)) {
    if (most <= 0) break;
    const broken = Math.min(most, sizeOf(replicaSet) - availableOf(replicaSet));
    if (broken <= 0) continue;
    sizes.set(replicaSet, sizeOf(replicaSet) - broken);
    most -= broken;
  }
  let spare = all.reduce((sum, replicaSet) => sum + availableOf(replicaSet), 0) - minAvailable;
  for (const replicaSet of byAge(old)) {
    const size = sizes.get(replicaSet) ?? sizeOf(replicaSet);
    if (spare <= 0 || most <= 0) break;
    const by = Math.min(size, spare, most);
    if (by === 0) continue;
    sizes.set(replicaSet, size - by);
    spare -= by;
    most -= by;
  }
  return sizes;
}

/** Sizes where only the wish has changed, in the middle of a rollout or not. Kubernetes: pkg/controller/deployment/sync.go scale. */
export function scalingSizes(deployment: Deployment, newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): Sizes {
  const desired = desiredOf(deployment);
  const all = newest === undefined ? [...old] : [...old, newest];
  const active = all.filter((replicaSet) => sizeOf(replicaSet) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newest ?? byAge(old).at(-1);
    return only === undefined || sizeOf(only) === desired ? new Map() : new Map([[only, desired]]);
  }
  if (newest !== undefined && isSaturated(deployment, newest))
    return new Map(active.filter((each) => each !== newest).map((each) => [each, 0]));
  return isRolling(deployment) ? proportionalSizes(deployment, active) : new Map();
}

function isSaturated(deployment: Deployment, newest: ReplicaSet): boolean {
  const desired = desiredOf(deployment);
  return (
    sizeOf(newest) === desired && newest.metadata.annotations?.[DESIRED_REPLICAS] === String(desired) && availableOf(newest) === desired
  );
}

/** Spreads the difference over replica sets in proportion to their sizes; the rest goes to the largest. */
function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Sizes {
  const allowed = desiredOf(deployment) > 0 ? maxReplicas(deployment) : 0;
  const toAdd = allowed - total(active);
  const aged = byAge(active);
  const order = [...(toAdd > 0 ? [...aged].reverse() : aged)].sort((a, b) => sizeOf(b) - sizeOf(a));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const replicaSet of order) {
    const size = sizeOf(replicaSet);
    const before = Number(replicaSet.metadata.annotations?.[MAX_REPLICAS]) || (deployment.status?.replicas ?? 0);
    const fraction = before === 0 ? 0 : Math.round((size * allowed) / before) - size;
    const left = toAdd - added;
    const share = toAdd === 0 ? 0 : toAdd > 0 ? Math.min(Math.max(fraction, 0), left) : Math.max(Math.min(fraction, 0), left);
    sizes.set(replicaSet, size + share);
    added += share;
  }
  const largest = order[0]!;
  sizes.set(largest, Math.max(0, sizes.get(largest)! + toAdd - added));
  return sizes;
}

/** Whether the wish for replicas changed since the replica sets were sized. Kubernetes: isScalingEvent. */
export const isScalingEvent = (deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean =>
  replicaSets.some(({ metadata, ...replicaSet }) => {
    const desired = metadata.annotations?.[DESIRED_REPLICAS];
    return sizeOf({ metadata, ...replicaSet }) > 0 && desired !== undefined && desired !== String(desiredOf(deployment));
  });
