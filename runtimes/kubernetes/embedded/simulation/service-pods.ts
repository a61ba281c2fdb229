import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import type { KubernetesObject } from '../control-loop/kind.ts';
import { PODS, type Pod, SERVICES, type Service } from './kinds.ts';

/** Pods behind a service, in the order of their names. */
export function selectedPods({ metadata, spec }: Service, view: ClusterView): readonly Pod[] {
  if (spec.selector === undefined) return [];
  const selector = selectorOf({ matchLabels: spec.selector });
  return view.list(PODS, metadata.namespace).filter((pod) => selector.matches(pod.metadata.labels));
}

/** Keys of the services that select a pod. */
export function* servicesOf(pod: KubernetesObject, view: ClusterView): Iterable<string> {
  for (const { metadata, spec } of view.list(SERVICES, pod.metadata.namespace)) {
    const wanted = Object.entries(spec.selector ?? {});
    if (spec.selector !== undefined && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value))
      yield `${metadata.namespace}/${metadata.name}`;
  }
}

export interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** The ports of a service on a pod: a target port may be named, and mean another number on another pod. */
export function resolvePorts({ spec }: Service, pod: Pod): readonly ResolvedPort[] {
  return (spec.ports ?? []).flatMap(({ name = '', protocol = 'TCP', appProtocol, port, targetPort = port }) => {
    const number = typeof targetPort === 'number' ? targetPort : namedPort(pod, targetPort, protocol);
    return number === undefined ? [] : [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function namedPort({ spec }: Pod, wanted: string, wantedProtocol: string): number | undefined {
  for (const { ports = [] } of spec.containers)
    for (const { name, protocol = 'TCP', containerPort } of ports) if (name === wanted && protocol === wantedProtocol) return containerPort;
  return undefined;
}
