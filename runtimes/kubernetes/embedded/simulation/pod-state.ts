import { conditionOf, isTrue } from '../control-loop/condition.ts';
import { isDeleted } from '../control-loop/kind.ts';
import type { Pod } from './kinds.ts';

export const isReady = ({ status }: Pod): boolean => isTrue(status?.conditions, 'Ready');
export const isFinished = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
/** Counts as a replica. Kubernetes: pkg/controller/controller_utils.go IsPodActive. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !isDeleted(pod);

const readySince = (pod: Pod): number => Date.parse(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? '');

/**
 * Milliseconds until a pod has been ready for `minReadySeconds`: 0 when it has been, undefined when it is not ready.
 * Kubernetes: pkg/api/v1/pod/util.go IsPodAvailable.
 */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const since = readySince(pod);
  return Number.isNaN(since) ? undefined : Math.max(0, since + minReadySeconds * 1000 - now);
}

/** How many pods count as available, and after how many milliseconds the first of the others may. */
export interface Availability {
  readonly ready: number;
  readonly available: number;
  readonly after: number | undefined;
}

export function availability(pods: readonly Pod[], minReadySeconds: number, now: number): Availability {
  let ready = 0;
  let available = 0;
  let after: number | undefined;
  for (const pod of pods) {
    const wait = availableIn(pod, minReadySeconds, now);
    if (wait === undefined) continue;
    ready++;
    if (wait === 0) available++;
    else if (after === undefined || wait < after) after = wait;
  }
  return { ready, available, after };
}

const PHASES = ['Pending', 'Unknown', 'Running'];

/** The order in which pods are given up: what is least useful first. Kubernetes: pkg/controller/controller_utils.go ActivePodsWithRanks. */
export function compareForDeletion(a: Pod, b: Pod): number {
  const differences = [
    Number(a.spec.nodeName !== undefined) - Number(b.spec.nodeName !== undefined),
    PHASES.indexOf(a.status?.phase ?? 'Pending') - PHASES.indexOf(b.status?.phase ?? 'Pending'),
    Number(isReady(a)) - Number(isReady(b)),
    deletionCost(a) - deletionCost(b),
    (readySince(b) || 0) - (readySince(a) || 0),
    Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp),
  ];
  return differences.find((difference) => difference !== 0) ?? (a.metadata.name < b.metadata.name ? -1 : 1);
}

const deletionCost = ({ metadata }: Pod): number => {
  const cost = Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
};
