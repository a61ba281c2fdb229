import { type Clock, systemClock } from '../../../host/clock.ts';
import { clusterRoleAggregation } from '../authorization/cluster-role-aggregation.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { type ControlLoop, type Controller, runControlLoop } from '../control-loop/control-loop.ts';
import { servedKind, untyped } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import { garbageCollector } from '../garbage-collection/garbage-collector.ts';
import { namespaceController } from '../namespaces/namespace-controller.ts';
import { defaultServiceAccounts, rootAuthorityPublisher } from '../namespaces/namespace-defaults.ts';
import type { Registry } from '../registry.ts';
import { eventTeller } from './event-teller.ts';
import type { PodTimings } from './instructions.ts';
import { NODES } from './kinds.ts';
import { kubelet } from './kubelet.ts';
import { NodeUsage } from './node-usage.ts';
import { nodeKeeper, nodeObject, renewLeases, type SimulatedNode } from './nodes.ts';
import { PodAddresses } from './pod-addresses.ts';
import { scheduler } from './scheduler.ts';
import { selectingControllers } from './selecting-controllers.ts';
import { workloadControllers } from './workload-controllers.ts';

export interface SimulationOptions {
  readonly registry: Registry;
  readonly clock?: Clock;
  /** Made when they are not there. Default: one, called `node-1`. */
  readonly nodes?: readonly SimulatedNode[];
  readonly pods?: PodTimings;
  /** Authorities of the server's certificate, in PEM, for pods to know it by. */
  readonly authority?: string;
  /** Renew the leases of nodes, a write per node every ten seconds. Default: true. */
  readonly leases?: boolean;
  /**
   * Workloads, nodes, and pods that start. Default: true. Without them only what an API server can't be used without is kept: owner
   * references, namespaces and what is in each of them, aggregated roles.
   */
  readonly workloads?: boolean;
  /** Tell of workloads and pods in Events, several writes per pod. Default: true. */
  readonly events?: boolean;
  /** Further controllers to run in the same loop. */
  readonly controllers?: readonly Controller[];
  /** Told of what went wrong and will be tried again. */
  readonly onError?: (controller: string, key: string, error: unknown) => void;
}

export interface Simulation extends ControlLoop {
  /** Resolves once the nodes are made. */
  readonly started: Promise<void>;
}

const ONE_NODE: readonly SimulatedNode[] = [{ name: 'node-1' }];

/**
 * Everything around an API server that makes it behave as a cluster: controllers, a scheduler, nodes whose pods start, and the
 * keeping of namespaces and owner references. No container runs.
 */
export function startSimulation(options: SimulationOptions): Simulation {
  const { registry, clock = systemClock, nodes = ONE_NODE, pods = {}, authority, workloads = true, onError = () => {} } = options;
  const view = clusterView(registry, clock.now);
  const usage = new NodeUsage(view);
  const addresses = new PodAddresses(view);
  const controllers: Controller[] = [
    garbageCollector(registry),
    namespaceController(registry, clock.now),
    defaultServiceAccounts(registry),
    ...(authority === undefined ? [] : [rootAuthorityPublisher(registry, authority)]),
    clusterRoleAggregation(registry, view),
    ...(options.controllers ?? []),
  ];
  if (workloads)
    controllers.push(
      ...workloadControllers(registry, view),
      ...selectingControllers(registry, view),
      nodeKeeper(registry, view),
      scheduler(registry, view, usage),
      kubelet(registry, view, addresses, pods),
      ...(options.events === false ? [] : [eventTeller(registry, view)]),
    );
  const loop = runControlLoop({
    registry,
    clock,
    controllers,
    onError,
    follow(event) {
      usage.follow(event);
      addresses.follow(event);
    },
  });
  const started = workloads ? makeNodes(registry, nodes) : Promise.resolve();
  const leases = workloads && options.leases !== false;
  const stopLeases = leases ? renewLeases(registry, view, clock, (node, error) => onError('lease', node, error)) : () => {};
  return {
    started,
    idle: async () => {
      await started;
      await loop.idle();
    },
    async close() {
      stopLeases();
      await started;
      await loop.close();
    },
  };
}

async function makeNodes(registry: Registry, nodes: readonly SimulatedNode[]): Promise<void> {
  const resource = servedKind(registry, NODES);
  if (resource === undefined) return;
  for (const node of nodes) {
    if (registry.get(resource, { name: node.name }) !== undefined) continue;
    try {
      await registry.create(resource, untyped({ apiVersion: 'v1', kind: 'Node', ...nodeObject(node) }), { fieldManager: 'kubelet' });
    } catch (error) {
      if (reasonOf(error) !== 'AlreadyExists') throw error;
    }
  }
}
