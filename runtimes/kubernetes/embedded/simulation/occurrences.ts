import { isJsonObject, type Json } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import { conditionOf, isTrue } from '../control-loop/condition.ts';
import { controllerOf, groupResource, isDeleted, type Kind, type KubernetesObject, typed } from '../control-loop/kind.ts';
import type { ObjectEvent } from '../registry.ts';
import { JOBS, type Job, PODS, type Pod, REPLICA_SETS, type ReplicaSet } from './kinds.ts';

/** What an Event tells. */
export interface Occurrence {
  /** As an ObjectReference names it. */
  readonly involved: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly fieldPath?: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** `source.component`: who would tell it in a cluster, and on which node. */
  readonly component: string;
  readonly host?: string;
}

/** Whether changes of a resource are looked at here. */
export const TOLD_OF = [PODS, REPLICA_SETS, JOBS].map(groupResource);

/**
 * What a change of an object is told as: in the words of the controllers, the scheduler and the kubelet, from what one sees of it. That a
 * controller has deleted a pod can't be told from anybody else's deletion, and so nobody is told. Kubernetes: pkg/controller,
 * pkg/scheduler/schedule_one.go, pkg/kubelet/events.
 */
export function occurrencesOf(event: ObjectEvent): readonly Occurrence[] {
  if (event.type === 'DELETED') return [];
  switch (event.resource) {
    case groupResource(PODS):
      return podOccurrences(typed<Pod>(event.object), event.previous === undefined ? undefined : typed<Pod>(event.previous));
    case groupResource(REPLICA_SETS):
      return scaleOccurrences(typed(event.object), event.previous === undefined ? undefined : typed(event.previous));
    case groupResource(JOBS):
      return jobOccurrences(typed(event.object), event.previous === undefined ? undefined : typed(event.previous));
    default:
      return [];
  }
}

function scaleOccurrences(set: ReplicaSet, before: ReplicaSet | undefined): readonly Occurrence[] {
  const owner = controllerOf(set);
  const from = before?.spec.replicas ?? 0;
  const to = set.spec.replicas ?? 0;
  if (owner?.kind !== 'Deployment' || from === to || isDeleted(set)) return [];
  const message = `Scaled ${from < to ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`;
  return [{ involved: owner, type: 'Normal', reason: 'ScalingReplicaSet', message, component: 'deployment-controller' }];
}

function jobOccurrences(job: Job, before: Job | undefined): readonly Occurrence[] {
  const owner = controllerOf(job);
  if (before === undefined) {
    if (owner?.kind !== 'CronJob') return [];
    const message = `Created job ${job.metadata.name}`;
    return [{ involved: owner, type: 'Normal', reason: 'SuccessfulCreate', message, component: 'cronjob-controller' }];
  }
  const component = 'job-controller';
  const becomes = (type: string): boolean => isTrue(job.status?.conditions, type) && !isTrue(before.status?.conditions, type);
  if (becomes('Complete'))
    return [{ involved: referenceTo(job, JOBS), type: 'Normal', reason: 'Completed', message: 'Job completed', component }];
  if (!becomes('Failed')) return [];
  const { reason = 'Failed', message = '' } = conditionOf(job.status?.conditions, 'Failed') ?? {};
  return [{ involved: referenceTo(job, JOBS), type: 'Warning', reason, message, component }];
}

function podOccurrences(pod: Pod, before: Pod | undefined): readonly Occurrence[] {
  const { name, namespace = '' } = pod.metadata;
  const told: Occurrence[] = [];
  if (before === undefined) told.push(...creation(pod));
  const node = pod.spec.nodeName ?? '';
  if (node !== '' && (before?.spec.nodeName ?? '') === '' && before !== undefined) {
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    told.push({ involved: referenceTo(pod), type: 'Normal', reason: 'Scheduled', message, component: 'default-scheduler' });
  }
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  const why = scheduled?.reason === 'Unschedulable' ? (scheduled.message ?? '') : '';
  if (why !== '' && why !== conditionOf(before?.status?.conditions, 'PodScheduled')?.message) {
    told.push({ involved: referenceTo(pod), type: 'Warning', reason: 'FailedScheduling', message: why, component: 'default-scheduler' });
  }
  const running = runningContainers(before);
  const onNode = (container: string, reason: string, message: string): Occurrence => ({
    involved: { ...referenceTo(pod), fieldPath: `spec.containers{${container}}` },
    type: 'Normal',
    reason,
    message,
    component: 'kubelet',
    host: node,
  });
  for (const container of runningContainers(pod)) {
    if (!running.has(container)) told.push(onNode(container, 'Started', 'Container started'));
  }
  if (before !== undefined && isDeleted(pod) && !isDeleted(before)) {
    for (const container of running) told.push(onNode(container, 'Killing', `Stopping container ${container}`));
  }
  return told;
}

/** Who makes pods, as its events name it. */
const MAKERS: ReadonlyMap<string, readonly [component: string, message: (pod: string, owner: string) => string]> = new Map([
  ['ReplicaSet', ['replicaset-controller', (pod) => `Created pod: ${pod}`]],
  ['ReplicationController', ['replication-controller', (pod) => `Created pod: ${pod}`]],
  ['DaemonSet', ['daemonset-controller', (pod) => `Created pod: ${pod}`]],
  ['Job', ['job-controller', (pod) => `Created pod: ${pod}`]],
  ['StatefulSet', ['statefulset-controller', (pod, owner) => `create Pod ${pod} in StatefulSet ${owner} successful`]],
]);

function creation(pod: Pod): readonly Occurrence[] {
  const owner = controllerOf(pod);
  const maker = owner === undefined ? undefined : MAKERS.get(owner.kind);
  if (owner === undefined || maker === undefined) return [];
  const [component, message] = maker;
  return [{ involved: owner, type: 'Normal', reason: 'SuccessfulCreate', message: message(pod.metadata.name, owner.name), component }];
}

function runningContainers(pod: Pod | undefined): ReadonlySet<string> {
  const running = new Set<string>();
  for (const status of (pod?.status?.containerStatuses ?? []) as readonly Json[]) {
    if (!isJsonObject(status) || typeof status['name'] !== 'string') continue;
    if (isJsonObject(status['state']) && Object.hasOwn(status['state'], 'running')) running.add(status['name']);
  }
  return running;
}

const referenceTo = ({ metadata: { name, uid } }: KubernetesObject, kind: Kind = PODS): Occurrence['involved'] => ({
  apiVersion: formatApiVersion(kind.group, kind.version),
  kind: kind.kind,
  name,
  uid,
});
