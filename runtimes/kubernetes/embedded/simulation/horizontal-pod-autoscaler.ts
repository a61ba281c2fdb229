import { jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { setCondition } from '../control-loop/condition.ts';
import { type Kind, type KubernetesObject, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { updateStatus } from '../control-loop/write.ts';
import {
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from './kinds.ts';

/** Whatever has replicas. */
interface Scalable extends KubernetesObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number } | undefined;
}

const TARGETS: readonly Kind<Scalable>[] = [DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, REPLICATION_CONTROLLERS];

/**
 * Keeps replicas between their bounds and reports what there is. Nothing measures pods that do not run, so nothing is scaled by load.
 * Kubernetes: pkg/controller/podautoscaler/horizontal.go.
 */
export function syncHorizontalPodAutoscaler(autoscaler: HorizontalPodAutoscaler, view: ClusterView): SyncResult {
  const { kind, name } = autoscaler.spec.scaleTargetRef;
  const target = TARGETS.find((each) => each.kind === kind);
  const found = target && view.get(target, { namespace: autoscaler.metadata.namespace, name });
  const replicas = found?.spec.replicas ?? 0;
  const bounded = Math.min(Math.max(replicas, autoscaler.spec.minReplicas ?? 1), autoscaler.spec.maxReplicas);
  // Whoever scales to none has switched the autoscaler off.
  if (found !== undefined && replicas !== 0 && bounded !== replicas) {
    const object = { ...found, spec: { ...found.spec, replicas: bounded } };
    return { writes: [{ verb: 'update', kind: target!, object, subresource: 'scale' }] };
  }
  const now = view.now();
  let conditions = setCondition(
    autoscaler.status?.conditions,
    found === undefined
      ? {
          type: 'AbleToScale',
          status: 'False',
          reason: 'FailedGetScale',
          message: `the HPA controller was unable to get the target's current scale: ${kind} ${JSON.stringify(name)} not found`,
        }
      : {
          type: 'AbleToScale',
          status: 'True',
          reason: 'SucceededGetScale',
          message: "the HPA controller was able to get the target's current scale",
        },
    now,
  );
  if (found !== undefined)
    conditions = setCondition(
      conditions,
      {
        type: 'ScalingActive',
        status: 'False',
        reason: 'FailedGetResourceMetric',
        message: 'the HPA was unable to compute the replica count: simulated pods have no metrics',
      },
      now,
    );
  const status = {
    observedGeneration: autoscaler.metadata.generation ?? 0,
    currentReplicas: found?.status?.replicas ?? 0,
    desiredReplicas: replicas,
    conditions,
  };
  const before = autoscaler.status ?? {};
  if (jsonEqual(untyped(status), untyped(before))) return { writes: [] };
  return { writes: [updateStatus(HORIZONTAL_POD_AUTOSCALERS, { ...autoscaler, status } as HorizontalPodAutoscaler)] };
}
