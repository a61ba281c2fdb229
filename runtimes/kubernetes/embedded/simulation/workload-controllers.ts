import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { controllerOf, type KubernetesObject, keyOf } from '../control-loop/kind.ts';
import { objectController } from '../control-loop/object-controller.ts';
import type { Registry } from '../registry.ts';
import { syncCronJob } from './cron-job.ts';
import { syncDaemonSet } from './daemon-set.ts';
import { syncDeployment } from './deployment.ts';
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
import { syncReplicaSet, syncReplicationController } from './replica-set.ts';
import { syncStatefulSet } from './stateful-set.ts';

/** Controllers of objects that own others, down to pods. */
export function workloadControllers(registry: Registry, view: ClusterView): readonly Controller[] {
  return [
    objectController(registry, view, {
      name: 'deployment-controller',
      kind: DEPLOYMENTS,
      sync: syncDeployment,
      controls: [REPLICA_SETS],
      // A rollout that recreates waits for the last of the old pods to be gone.
      also: [{ kind: PODS, keys: (pod) => deploymentOf(pod, view) }],
    }),
    objectController(registry, view, {
      name: 'replicaset-controller',
      kind: REPLICA_SETS,
      sync: syncReplicaSet,
      controls: [PODS],
    }),
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
  ];
}

function* deploymentOf(pod: KubernetesObject, view: ClusterView): Iterable<string> {
  const owner = controllerOf(pod);
  if (owner?.kind !== REPLICA_SETS.kind) return;
  const { namespace } = pod.metadata;
  const replicaSet = view.get(REPLICA_SETS, { namespace, name: owner.name });
  const deployment = replicaSet && controllerOf(replicaSet);
  if (deployment?.kind === DEPLOYMENTS.kind) yield `${namespace}/${deployment.name}`;
}
