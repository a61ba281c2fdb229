import { type Clock, systemClock } from '../../../host/clock.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { type ControlLoop, type Controller, runControlLoop } from '../control-loop/control-loop.ts';
import { groupResource, keyOf, servedKind, untyped } from '../control-loop/kind.ts';
import { objectController } from '../control-loop/object-controller.ts';
import { OwnerIndex } from '../control-loop/owner-index.ts';
import { reasonOf } from '../control-loop/write.ts';
import { garbageCollector } from '../garbage-collection/garbage-collector.ts';
import { namespaceController } from '../namespaces/namespace-controller.ts';
import { defaultServiceAccounts, rootAuthorityPublisher } from '../namespaces/namespace-defaults.ts';
import type { Registry } from '../registry.ts';
import { syncCronJob } from './cron-job.ts';
import { syncDaemonSet } from './daemon-set.ts';
import { syncDeployment } from './deployment.ts';
import type { PodTimings } from './instructions.ts';
import { syncJob } from './job.ts';
import {
  CONTROLLER_REVISIONS,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  NODES,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from './kinds.ts';
import { kubelet } from './kubelet.ts';
import { NodeUsage } from './node-usage.ts';
import { nodeKeeper, nodeObject, renewLeases, type SimulatedNode } from './nodes.ts';
import { PodAddresses } from './pod-addresses.ts';
import { syncReplicaSet, syncReplicationController } from './replica-set.ts';
import { scheduler } from './scheduler.ts';
import { selectingControllers } from './selecting-controllers.ts';
import { syncStatefulSet } from './stateful-set.ts';

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
  const { registry, clock = systemClock, nodes = ONE_NODE, pods = {}, authority, onError = () => {} } = options;
  const owners = new OwnerIndex(registry);
  const view = clusterView(registry, owners, clock.now);
  const usage = new NodeUsage(view);
  const addresses = new PodAddresses(view);
  const controllers: Controller[] = [
    garbageCollector(registry, owners),
    namespaceController(registry, clock.now),
    defaultServiceAccounts(registry),
    ...(authority === undefined ? [] : [rootAuthorityPublisher(registry, authority)]),
    objectController(registry, view, {
      name: 'deployment-controller',
      kind: DEPLOYMENTS,
      sync: syncDeployment,
      controls: [REPLICA_SETS],
      // A rollout that recreates waits for the last of the old pods to be gone.
      also: [{ kind: PODS, keys: deploymentOfPod }],
    }),
    objectController(registry, view, { name: 'replicaset-controller', kind: REPLICA_SETS, sync: syncReplicaSet, controls: [PODS] }),
    objectController(registry, view, {
      name: 'replication-controller',
      kind: REPLICATION_CONTROLLERS,
      sync: syncReplicationController,
      controls: [PODS],
    }),
    objectController(registry, view, {
      name: 'statefulset-controller',
      kind: STATEFUL_SETS,
      sync: syncStatefulSet,
      controls: [PODS, CONTROLLER_REVISIONS],
    }),
    objectController(registry, view, {
      name: 'daemonset-controller',
      kind: DAEMON_SETS,
      sync: syncDaemonSet,
      controls: [PODS, CONTROLLER_REVISIONS],
      also: [{ kind: NODES, keys: () => view.list(DAEMON_SETS).map(keyOf) }],
    }),
    objectController(registry, view, { name: 'job-controller', kind: JOBS, sync: syncJob, controls: [PODS] }),
    objectController(registry, view, { name: 'cronjob-controller', kind: CRON_JOBS, sync: syncCronJob, controls: [JOBS] }),
    ...selectingControllers(registry, view),
    nodeKeeper(registry, view),
    scheduler(registry, view, usage),
    kubelet(registry, view, addresses, pods),
    ...(options.controllers ?? []),
  ];
  const loop = runControlLoop({
    registry,
    clock,
    controllers,
    onError,
    follow(event) {
      owners.follow(event);
      usage.follow(event);
      addresses.follow(event);
    },
  });
  const started = makeNodes(registry, nodes);
  const stopLeases =
    options.leases === false ? () => {} : renewLeases(registry, view, clock, (node, error) => onError('lease', node, error));
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

  function* deploymentOfPod(pod: Parameters<NonNullable<typeof view.controlledBy>>[1]): Iterable<string> {
    const replicaSet = pod.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === REPLICA_SETS.kind);
    const owner = replicaSet && owners.byUid(replicaSet.uid);
    if (owner?.resource !== groupResource(REPLICA_SETS) || pod.metadata.namespace === undefined) return;
    const deployment = owner.object.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (deployment?.kind === DEPLOYMENTS.kind) yield `${pod.metadata.namespace}/${deployment.name}`;
  }
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
