import { type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { controllerReference, isDeleted, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, remove, update, type Write } from '../control-loop/write.ts';
import { ENDPOINT_SLICES, type EndpointSlice, type Pod, type Service } from './kinds.ts';
import { isFinished, isReady } from './pod-state.ts';
import { type ResolvedPort, resolvePorts, selectedPods } from './service-pods.ts';

const MANAGER = 'endpointslice-controller.k8s.io';
const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** Kubernetes: cmd/kube-controller-manager options, --max-endpoints-per-slice. */
const MAX_ENDPOINTS = 100;

/** Keeps the slices of a service. Kubernetes: k8s.io/endpointslice reconciler.go. */
export function syncEndpointSlices(service: Service, view: ClusterView): SyncResult {
  if (isDeleted(service) || service.spec.selector === undefined || service.spec.type === 'ExternalName') return { writes: [] };
  const existing = view.controlledBy(ENDPOINT_SLICES, service).filter(({ metadata }) => metadata.labels?.[MANAGED_BY] === MANAGER);
  const left = new Set(existing);
  const writes: Write[] = [];
  for (const { ports, endpoints } of wantedSlices(service, view)) {
    const match =
      existing.find(
        (slice) => left.has(slice) && samePorts(slice, ports) && jsonEqual(untyped(slice.endpoints ?? []), untyped(endpoints)),
      ) ?? existing.find((slice) => left.has(slice) && samePorts(slice, ports));
    const labels = labelsOf(service);
    if (match === undefined) writes.push(create(ENDPOINT_SLICES, newSlice(service, labels, ports, endpoints)));
    else {
      left.delete(match);
      const same = jsonEqual(untyped(match.endpoints ?? []), untyped(endpoints)) && jsonEqual(labels, match.metadata.labels ?? {});
      if (!same) writes.push(update(ENDPOINT_SLICES, { ...match, metadata: { ...match.metadata, labels }, endpoints } as EndpointSlice));
    }
  }
  for (const slice of left) writes.push(remove(ENDPOINT_SLICES, slice));
  return { writes };
}

interface Slice {
  readonly ports: readonly JsonObject[];
  readonly endpoints: readonly JsonObject[];
}

/** Pods that have the same ports behind a name share slices. A service without pods has one without endpoints. */
function wantedSlices(service: Service, view: ClusterView): readonly Slice[] {
  const byPorts = new Map<string, { readonly ports: readonly ResolvedPort[]; readonly endpoints: JsonObject[] }>();
  for (const pod of selectedPods(service, view)) {
    if (pod.status?.podIP === undefined || isFinished(pod)) continue;
    const ports = resolvePorts(service, pod);
    const key = JSON.stringify(ports);
    let group = byPorts.get(key);
    if (group === undefined) {
      group = { ports, endpoints: [] };
      byPorts.set(key, group);
    }
    group.endpoints.push(endpointOf(pod, service));
  }
  const slices: Slice[] = [];
  for (const { ports, endpoints } of byPorts.values())
    for (let i = 0; i < endpoints.length; i += MAX_ENDPOINTS)
      slices.push({ ports: ports.map(portOf), endpoints: endpoints.slice(i, i + MAX_ENDPOINTS) });
  return slices.length > 0 ? slices : [{ ports: [], endpoints: [] }];
}

const portOf = ({ name, port, protocol, appProtocol }: ResolvedPort): JsonObject => ({
  name,
  port,
  protocol,
  ...(appProtocol === undefined ? {} : { appProtocol }),
});

const samePorts = (slice: EndpointSlice, ports: readonly JsonObject[]): boolean => jsonEqual(untyped(slice.ports ?? []), untyped(ports));

function endpointOf(pod: Pod, service: Service): JsonObject {
  const ready = isReady(pod);
  const { name, namespace, uid } = pod.metadata;
  const isHeadlessName = pod.spec.hostname !== undefined && pod.spec.subdomain === service.metadata.name;
  return {
    addresses: [pod.status!.podIP!],
    conditions: { ready: service.spec.publishNotReadyAddresses || (ready && !isDeleted(pod)), serving: ready, terminating: isDeleted(pod) },
    ...(isHeadlessName ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}

function labelsOf(service: Service): Readonly<Record<string, string>> {
  const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
  return { ...service.metadata.labels, ...headless, [SERVICE_NAME]: service.metadata.name, [MANAGED_BY]: MANAGER };
}

const newSlice = (
  service: Service,
  labels: Readonly<Record<string, string>>,
  ports: readonly JsonObject[],
  endpoints: readonly JsonObject[],
) => ({
  metadata: {
    generateName: `${service.metadata.name}-`,
    ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
    labels,
    ownerReferences: [controllerReference(service)],
  },
  addressType: 'IPv4',
  ports,
  endpoints,
});
