import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { type Kind, type KubernetesObject, keyOf } from '../control-loop/kind.ts';
import { objectController } from '../control-loop/object-controller.ts';
import type { Registry } from '../registry.ts';
import { syncEndpointSlices } from './endpoint-slices.ts';
import { endpointsLeft, syncEndpoints } from './endpoints.ts';
import { syncHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import {
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  HORIZONTAL_POD_AUTOSCALERS,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolumeClaim,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Pod,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from './kinds.ts';
import { syncPersistentVolume, syncPersistentVolumeClaim } from './persistent-volume-claim.ts';
import { syncPodDisruptionBudget } from './pod-disruption-budget.ts';
import { servicesOf } from './service-pods.ts';

/** Controllers of objects that concern others by selecting or naming them, and not by owning them. */
export function selectingControllers(registry: Registry, view: ClusterView): readonly Controller[] {
  const sameName = (object: KubernetesObject): readonly string[] => [keyOf(object)];
  const pendingClaims = function* (): Iterable<string> {
    for (const claim of view.list(PERSISTENT_VOLUME_CLAIMS)) if (claim.status?.phase !== 'Bound') yield keyOf(claim);
  };
  return [
    objectController(registry, view, {
      name: 'endpointslice-controller',
      kind: SERVICES,
      sync: syncEndpointSlices,
      controls: [ENDPOINT_SLICES],
      also: [{ kind: PODS, keys: (pod) => servicesOf(pod, view) }],
    }),
    objectController(registry, view, {
      name: 'endpoint-controller',
      kind: SERVICES,
      sync: syncEndpoints,
      gone: endpointsLeft,
      also: [
        { kind: PODS, keys: (pod) => servicesOf(pod, view) },
        { kind: ENDPOINTS, keys: sameName },
      ],
    }),
    objectController(registry, view, {
      name: 'disruption-controller',
      kind: POD_DISRUPTION_BUDGETS,
      sync: syncPodDisruptionBudget,
      also: [
        { kind: PODS, keys: (pod) => budgetsOf(pod, view) },
        ...[DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS].map((kind: Kind) => ({
          kind,
          keys: (owner: KubernetesObject) => budgetsIn(owner, view),
        })),
      ],
    }),
    objectController(registry, view, {
      name: 'horizontal-pod-autoscaler-controller',
      kind: HORIZONTAL_POD_AUTOSCALERS,
      sync: syncHorizontalPodAutoscaler,
      also: [DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS].map((kind: Kind) => ({
        kind,
        keys: (target: KubernetesObject) => scalersOf(target, view),
      })),
    }),
    objectController(registry, view, {
      name: 'persistent-volume-binder',
      kind: PERSISTENT_VOLUME_CLAIMS,
      sync: syncPersistentVolumeClaim,
      also: [
        { kind: PERSISTENT_VOLUMES, keys: pendingClaims },
        { kind: STORAGE_CLASSES, keys: pendingClaims },
        { kind: PODS, keys: claimsOf },
      ],
    }),
    objectController(registry, view, {
      name: 'persistent-volume-controller',
      kind: PERSISTENT_VOLUMES,
      sync: syncPersistentVolume,
      also: [{ kind: PERSISTENT_VOLUME_CLAIMS, keys: volumesOf }],
    }),
  ];
}

function* budgetsIn({ metadata }: KubernetesObject, view: ClusterView): Iterable<string> {
  for (const budget of view.list(POD_DISRUPTION_BUDGETS, metadata.namespace)) yield keyOf(budget);
}

function* budgetsOf(pod: KubernetesObject, view: ClusterView): Iterable<string> {
  for (const budget of view.list(POD_DISRUPTION_BUDGETS, pod.metadata.namespace))
    if (selectorOf(budget.spec.selector).matches(pod.metadata.labels)) yield keyOf(budget);
}

function* scalersOf({ kind, metadata }: KubernetesObject, view: ClusterView): Iterable<string> {
  for (const scaler of view.list(HORIZONTAL_POD_AUTOSCALERS, metadata.namespace)) {
    const target = scaler.spec.scaleTargetRef;
    if (target.kind === kind && target.name === metadata.name) yield keyOf(scaler);
  }
}

function* claimsOf(pod: KubernetesObject): Iterable<string> {
  for (const { persistentVolumeClaim } of (pod as Pod).spec.volumes ?? [])
    if (persistentVolumeClaim !== undefined) yield `${pod.metadata.namespace}/${persistentVolumeClaim.claimName}`;
}

function* volumesOf(claim: KubernetesObject): Iterable<string> {
  const { volumeName } = (claim as PersistentVolumeClaim).spec;
  if (volumeName) yield volumeName;
}
