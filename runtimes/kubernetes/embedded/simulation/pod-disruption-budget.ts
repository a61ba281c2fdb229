import { jsonEqual } from '../../../../engine/object/json.ts';
import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import { setCondition } from '../control-loop/condition.ts';
import { controllerOf, isDeleted, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { updateStatus } from '../control-loop/write.ts';
import { scaledValue } from './int-or-percent.ts';
import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Pod,
  type PodDisruptionBudget,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from './kinds.ts';
import { isFinished, isReady } from './pod-state.ts';

/** Milliseconds for which an eviction counts that has not deleted its pod. Kubernetes: pkg/controller/disruption/disruption.go DeletionTimeout. */
const EVICTION_TIMEOUT = 120_000;

/** Kubernetes: pkg/controller/disruption/disruption.go trySync. */
export function syncPodDisruptionBudget(budget: PodDisruptionBudget, view: ClusterView): SyncResult {
  const { minAvailable, maxUnavailable, selector } = budget.spec;
  const selected = selectorOf(selector);
  const pods = view.list(PODS, budget.metadata.namespace).filter((pod) => selected.matches(pod.metadata.labels) && !isFinished(pod));
  const now = view.now();
  const disruptedPods = Object.fromEntries(
    Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
      const pod = pods.find(({ metadata }) => metadata.name === name);
      return pod !== undefined && !isDeleted(pod) && Date.parse(time) + EVICTION_TIMEOUT > now;
    }),
  );
  let expectedPods = pods.length;
  let desiredHealthy: number;
  if (maxUnavailable !== undefined) {
    expectedPods = wantedReplicas(pods, view);
    desiredHealthy = Math.max(0, expectedPods - scaledValue(maxUnavailable, expectedPods, 'up'));
  } else if (typeof minAvailable === 'string') {
    expectedPods = wantedReplicas(pods, view);
    desiredHealthy = scaledValue(minAvailable, expectedPods, 'up');
  } else desiredHealthy = minAvailable ?? 1;
  const currentHealthy = pods.filter((pod) => isReady(pod) && !isDeleted(pod) && !Object.hasOwn(disruptedPods, pod.metadata.name)).length;
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const allowed = disruptionsAllowed > 0;
  const observedGeneration = budget.metadata.generation ?? 0;
  const status = {
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    observedGeneration,
    conditions: setCondition(
      budget.status?.conditions,
      {
        type: 'DisruptionAllowed',
        status: allowed ? 'True' : 'False',
        reason: allowed ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration,
      },
      now,
    ),
  };
  if (jsonEqual(untyped(status), untyped(budget.status ?? {}))) return { writes: [] };
  const wait = Object.keys(disruptedPods).length === 0 ? {} : { after: EVICTION_TIMEOUT };
  return { writes: [updateStatus(POD_DISRUPTION_BUDGETS, { ...budget, status } as PodDisruptionBudget)], ...wait };
}

/** How many pods their controllers want; a pod without one counts as itself. */
function wantedReplicas(pods: readonly Pod[], view: ClusterView): number {
  let total = 0;
  const counted = new Set<string>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) total++;
    else if (!counted.has(owner.uid)) {
      counted.add(owner.uid);
      total += replicasOf(owner.kind, owner.name, pod.metadata.namespace, view, counted);
    }
  }
  return total;
}

function replicasOf(kind: string, name: string, namespace: string | undefined, view: ClusterView, counted: Set<string>): number {
  const at = { namespace, name };
  if (kind === 'StatefulSet') return view.get(STATEFUL_SETS, at)?.spec.replicas ?? 0;
  if (kind === 'ReplicationController') return view.get(REPLICATION_CONTROLLERS, at)?.spec.replicas ?? 0;
  const replicaSet = kind === 'ReplicaSet' ? view.get(REPLICA_SETS, at) : undefined;
  const owner = replicaSet && controllerOf(replicaSet);
  if (owner?.kind !== 'Deployment') return replicaSet?.spec.replicas ?? 0;
  // Replica sets of one deployment are counted once, as the deployment.
  if (counted.has(owner.uid)) return 0;
  counted.add(owner.uid);
  return view.get(DEPLOYMENTS, { namespace, name: owner.name })?.spec.replicas ?? 0;
}
