import { type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { isDeleted, nameOfKey, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, remove, update, type Write } from '../control-loop/write.ts';
import { ENDPOINTS, type Endpoints, type Pod, type Service } from './kinds.ts';
import { isFinished, isReady } from './pod-state.ts';
import { resolvePorts, selectedPods } from './service-pods.ts';

const LABELS = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
/** Kubernetes: pkg/controller/endpoint/endpoints_controller.go maxCapacity. */
const MAX_ADDRESSES = 1000;

/** Keeps the older form of a service's addresses. Kubernetes: pkg/controller/endpoint/endpoints_controller.go syncService. */
export function syncEndpoints(service: Service, view: ClusterView): SyncResult {
  if (isDeleted(service) || service.spec.selector === undefined || service.spec.type === 'ExternalName') return { writes: [] };
  const subsets = subsetsOf(service, view);
  const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
  const labels = { ...service.metadata.labels, ...headless, ...LABELS };
  const { name, namespace } = service.metadata;
  const found = view.get(ENDPOINTS, { namespace, name });
  if (found === undefined) {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels };
    return { writes: [create(ENDPOINTS, { metadata, ...(subsets.length === 0 ? {} : { subsets }) })] };
  }
  if (jsonEqual(untyped(found.subsets ?? []), untyped(subsets)) && jsonEqual(labels, found.metadata.labels ?? {})) return { writes: [] };
  return { writes: [update(ENDPOINTS, { ...found, metadata: { ...found.metadata, labels }, subsets } as Endpoints)] };
}

/** The endpoints of a service that is gone. */
export function endpointsLeft(key: string, view: ClusterView): readonly Write[] {
  const found = view.get(ENDPOINTS, nameOfKey(key));
  const isOurs = found?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === LABELS['endpoints.kubernetes.io/managed-by'];
  return found !== undefined && isOurs ? [remove(ENDPOINTS, found)] : [];
}

function subsetsOf(service: Service, view: ClusterView): readonly JsonObject[] {
  const byPorts = new Map<
    string,
    { readonly ports: readonly JsonObject[]; readonly ready: JsonObject[]; readonly notReady: JsonObject[] }
  >();
  let count = 0;
  for (const pod of selectedPods(service, view)) {
    if (pod.status?.podIP === undefined || isFinished(pod) || count === MAX_ADDRESSES) continue;
    if (isDeleted(pod) && !service.spec.publishNotReadyAddresses) continue;
    count++;
    const ports = resolvePorts(service, pod).map(({ name, ...rest }): JsonObject => (name === '' ? { ...rest } : { name, ...rest }));
    const key = JSON.stringify(ports);
    let subset = byPorts.get(key);
    if (subset === undefined) {
      subset = { ports, ready: [], notReady: [] };
      byPorts.set(key, subset);
    }
    (service.spec.publishNotReadyAddresses || isReady(pod) ? subset.ready : subset.notReady).push(addressOf(pod, service));
  }
  return [...byPorts.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ...(ports.length === 0 ? {} : { ports }),
  }));
}

function addressOf(pod: Pod, service: Service): JsonObject {
  const { name, namespace, uid } = pod.metadata;
  return {
    ip: pod.status!.podIP!,
    ...(pod.spec.hostname !== undefined && pod.spec.subdomain === service.metadata.name ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}
