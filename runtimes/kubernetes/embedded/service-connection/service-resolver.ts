import { type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import type { Registry } from '../registry.ts';

/** A port of a service, as webhooks and APIServices name it. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Where to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Finds out where a service is to be reached from this process; undefined where it is not. */
export type ResolveService = (reference: ServiceReference) => Address | undefined;

interface Service extends KubernetesObject {
  readonly spec: {
    readonly type?: string;
    readonly externalName?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  };
}

interface EndpointSlice extends KubernetesObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[] | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

interface Endpoints extends KubernetesObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string }[];
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  }[];
}

const SERVICES = kind<Service>('', 'v1', 'services', 'Service');
const ENDPOINT_SLICES = kind<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
const ENDPOINTS = kind<Endpoints>('', 'v1', 'endpoints', 'Endpoints');

/**
 * Looks services up in a registry: an external name is taken as it is, otherwise the first ready endpoint of the port. Addresses of
 * simulated pods lead nowhere, so a service that is to be reached has endpoints written by hand, or an external name.
 */
export function registryServices(registry: Registry): ResolveService {
  return ({ namespace, name, port }) => {
    const services = servedKind(registry, SERVICES);
    const found = services && registry.get(services, { namespace, name });
    if (found === undefined) return undefined;
    const { spec } = typed<Service>(found);
    if (spec.type === 'ExternalName') return spec.externalName === undefined ? undefined : { host: spec.externalName, port };
    const served = spec.ports?.find((each) => each.port === port);
    if (served === undefined) return undefined;
    const isIt = (each: { readonly name?: string }): boolean => (each.name ?? '') === (served.name ?? '');
    const slices = servedKind(registry, ENDPOINT_SLICES);
    for (const object of slices === undefined ? [] : registry.list(slices, namespace)) {
      const slice = typed<EndpointSlice>(object);
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
      const target = slice.ports?.find(isIt)?.port;
      const host = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false)?.addresses[0];
      if (target !== undefined && host !== undefined) return { host, port: target };
    }
    const resource = servedKind(registry, ENDPOINTS);
    const object = resource && registry.get(resource, { namespace, name });
    for (const { addresses = [], ports = [] } of object === undefined ? [] : (typed<Endpoints>(object).subsets ?? [])) {
      const target = ports.find(isIt)?.port;
      if (target !== undefined && addresses[0] !== undefined) return { host: addresses[0].ip, port: target };
    }
    return undefined;
  };
}
