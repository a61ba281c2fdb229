import { formatTime } from '../../../../engine/object/time.ts';
import { type Condition, conditionOf, setCondition } from '../control-loop/condition.ts';
import { desiredOf, maxUnavailable, sizeOf } from './deployment-rollout.ts';
import type { Deployment, ReplicaSet } from './kinds.ts';

type DeploymentStatus = NonNullable<Deployment['status']>;

export interface StatusResult {
  readonly status: DeploymentStatus;
  /** Milliseconds until the rollout is late. */
  readonly after: number | undefined;
}

const NO_DEADLINE = 2 ** 31 - 1;

const sum = (replicaSets: readonly ReplicaSet[], of: (replicaSet: ReplicaSet) => number | undefined): number =>
  replicaSets.reduce((total, replicaSet) => total + (of(replicaSet) ?? 0), 0);

/**
 * The status of a deployment from those of its replica sets. Zeros are left out, as the API server does.
 * Kubernetes: pkg/controller/deployment/sync.go calculateStatus, progress.go syncRolloutStatus.
 */
export function deploymentStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  now: number,
  failure: string | undefined,
): StatusResult {
  const before: DeploymentStatus = deployment.status ?? {};
  const replicas = sum(all, ({ status }) => status?.replicas);
  const readyReplicas = sum(all, ({ status }) => status?.readyReplicas);
  const availableReplicas = sum(all, ({ status }) => status?.availableReplicas);
  const updatedReplicas = newest?.status?.replicas ?? 0;
  const unavailableReplicas = Math.max(0, sum(all, sizeOf) - availableReplicas);
  const counts = { replicas, readyReplicas, availableReplicas, updatedReplicas, unavailableReplicas };

  let conditions = before.conditions ?? [];
  const set = (type: string, status: Condition['status'], reason: string, message: string): void => {
    conditions = setCondition(conditions, { type, status, reason, message }, now, { updateTime: true });
  };
  if (availableReplicas >= desiredOf(deployment) - maxUnavailable(deployment))
    set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.');
  else set('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.');
  const deadline = deployment.spec.progressDeadlineSeconds ?? 600;
  const hasDeadline = deadline !== NO_DEADLINE;
  if (!hasDeadline) conditions = conditions.filter(({ type }) => type !== 'Progressing');
  const progressing = conditionOf(before.conditions, 'Progressing');
  const isComplete = replicas === updatedReplicas && progressing?.reason === 'NewReplicaSetAvailable';
  const what =
    newest === undefined ? `Deployment ${JSON.stringify(deployment.metadata.name)}` : `ReplicaSet ${JSON.stringify(newest.metadata.name)}`;
  let after: number | undefined;
  if (deployment.spec.paused) {
    // A paused rollout neither gets on nor is late.
    if (hasDeadline && progressing?.reason !== 'DeploymentPaused')
      set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused');
  } else if (hasDeadline && progressing?.reason === 'DeploymentPaused') {
    set('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed');
  } else if (hasDeadline && !isComplete) {
    if (hasCompleted(deployment, counts)) set('Progressing', 'True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`);
    else if (progressing === undefined) {
      if (newest !== undefined)
        set('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set ${JSON.stringify(newest.metadata.name)}`);
    } else if (hasProgressed(deployment, counts)) {
      conditions = setCondition(
        conditions,
        { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${what} is progressing.` },
        now,
      );
      // The deadline counts from the last progress, even where nothing else is new to say.
      conditions = conditions.map((each) => (each.type === 'Progressing' ? { ...each, lastUpdateTime: formatTime(now) } : each));
    } else if (progressing.reason !== 'ProgressDeadlineExceeded') {
      const from = Date.parse(progressing.lastUpdateTime ?? progressing.lastTransitionTime ?? '') || now;
      after = Math.max(0, from + deadline * 1000 - now);
      if (after === 0) {
        set('Progressing', 'False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`);
        after = undefined;
      }
    }
  }
  const replicaFailure =
    conditionOf(newest?.status?.conditions, 'ReplicaFailure') ??
    all.flatMap((each) => conditionOf(each.status?.conditions, 'ReplicaFailure') ?? [])[0];
  if (replicaFailure !== undefined) set('ReplicaFailure', replicaFailure.status, replicaFailure.reason ?? '', replicaFailure.message ?? '');
  else conditions = conditions.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure !== undefined && hasDeadline)
    set('Progressing', 'False', 'ReplicaSetCreateError', `Failed to create new replica set: ${failure}`);

  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(before.collisionCount === undefined ? {} : { collisionCount: before.collisionCount }),
    ...withoutZeros(counts),
    terminatingReplicas: sum(all, ({ status }) => status?.terminatingReplicas),
    conditions,
  };
  return { status, after };
}

type Counts = Readonly<Record<'replicas' | 'readyReplicas' | 'availableReplicas' | 'updatedReplicas' | 'unavailableReplicas', number>>;

function hasCompleted(deployment: Deployment, { updatedReplicas, replicas, availableReplicas }: Counts): boolean {
  const desired = desiredOf(deployment);
  return updatedReplicas === desired && replicas === desired && availableReplicas === desired;
}

function hasProgressed({ status = {} }: Deployment, counts: Counts): boolean {
  const oldBefore = (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    counts.updatedReplicas > (status.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < oldBefore ||
    counts.readyReplicas > (status.readyReplicas ?? 0) ||
    counts.availableReplicas > (status.availableReplicas ?? 0)
  );
}

/** The counts that are not 0: the API server leaves the others out, and so must a status that is compared with what is stored. */
export function withoutZeros(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
