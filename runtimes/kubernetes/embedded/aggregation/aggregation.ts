import type { JsonObject } from '../../../../engine/object/json.ts';
import type { Clock } from '../../../host/clock.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import type { PlainPaths } from '../http/plain-paths.ts';
import type { Registry } from '../registry.ts';
import { type ResolveService, registryServices } from '../service-connection/service-resolver.ts';
import { availabilityController } from './availability.ts';
import { ApiServiceConnections, type ProxyCertificate } from './connection.ts';
import { mergedDiscovery } from './merged-discovery.ts';
import { apiServiceProxy, type ProxyCall } from './proxy.ts';

export interface AggregationOptions {
  readonly registry: Registry;
  readonly view: ClusterView;
  readonly clock: Clock;
  /** Where services are. Default: where the registry's endpoints say. */
  readonly resolve?: ResolveService;
  readonly certificate?: ProxyCertificate;
}

/** The groups of other servers, served as if they were this one's. */
export interface Aggregation {
  /** Answers a request for another server; false where it is for this one. */
  readonly proxy: (call: ProxyCall) => Promise<boolean>;
  readonly controller: Controller;
  /** Discovery of this server, with that of the others. */
  discovery(own: PlainPaths): PlainPaths;
  close(): void;
}

/** APIServices: which groups other servers answer, whether they do, and the way to them. */
export function aggregation({ registry, view, clock, resolve = registryServices(registry), certificate }: AggregationOptions): Aggregation {
  const connections = new ApiServiceConnections(resolve, certificate);
  const lists = new Map<string, JsonObject>();
  return {
    proxy: apiServiceProxy(registry, connections),
    controller: availabilityController(registry, view, clock, connections, lists),
    discovery: (own) => mergedDiscovery(own, view, lists),
    close: () => connections.close(),
  };
}
