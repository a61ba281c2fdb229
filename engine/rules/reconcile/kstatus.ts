import { parseTimestamp } from '../../cel/run/timestamp.ts';
import { CelError } from '../../cel/values.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { parseApiVersion } from '../../object/type-table.ts';

/*
 * How far an object is, told from the object alone: the rules of kstatus, which kubectl plugins, Flux and Argo CD share.
 * github.com/kubernetes-sigs/cli-utils pkg/kstatus/status: generic.go, core.go.
 */

export interface ObjectStatus {
  /** `Current`: what was asked for is there. `Failed`: it will not come without somebody's doing. */
  readonly status: 'InProgress' | 'Failed' | 'Current' | 'Terminating';
  /** One word, as conditions have it; `` when there is nothing to say. */
  readonly reason: string;
  readonly message: string;
}

/** How long a pod that cannot be scheduled is given, in milliseconds. */
const SCHEDULE_WINDOW = 15_000;

const current = (message: string): ObjectStatus => ({ status: 'Current', reason: '', message });
const inProgress = (reason: string, message: string): ObjectStatus => ({ status: 'InProgress', reason, message });
const failed = (reason: string, message: string): ObjectStatus => ({ status: 'Failed', reason, message });

/** The status of an object at a time (milliseconds since 1970, for pods that wait for a node). */
export function objectStatus(object: JsonObject, now: number): ObjectStatus {
  return genericStatus(object) ?? (RULES.get(kindOf(object)) ?? readyCondition)(object, now);
}

/** Kinds that have rules of their own, as `group/Kind`; others are judged by their conditions. */
const RULES: ReadonlyMap<string, (object: JsonObject, now: number) => ObjectStatus> = new Map([
  ['/Service', service],
  ['/Pod', pod],
  ['/Secret', () => current('the object is there')],
  ['/ConfigMap', () => current('the object is there')],
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['apps/Deployment', deployment],
  ['apps/ReplicaSet', replicaSet],
  ['policy/PodDisruptionBudget', () => current('the budget was computed')],
  ['batch/CronJob', () => current('the object is there')],
  ['batch/Job', job],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinition],
]);

function kindOf(object: JsonObject): string {
  const { group } = parseApiVersion(text(object, 'apiVersion') ?? '');
  return `${group}/${text(object, 'kind') ?? ''}`;
}

/** What holds of every object, whatever its kind; undefined where it decides nothing. */
function genericStatus(object: JsonObject): ObjectStatus | undefined {
  const metadata = map(object, 'metadata');
  if ((text(metadata, 'deletionTimestamp') ?? '') !== '') {
    return { status: 'Terminating', reason: 'Terminating', message: 'the object is being deleted' };
  }
  const generation = number(metadata, 'generation');
  const observed = number(map(object, 'status'), 'observedGeneration');
  if (observed !== undefined && generation !== undefined && observed !== generation) {
    return inProgress('LatestGenerationNotObserved', `generation is ${generation}, and ${observed} was observed last`);
  }
  for (const condition of conditions(object)) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return inProgress(condition.reason, condition.message);
    if (condition.type === 'Stalled') return failed(condition.reason, condition.message);
  }
  return undefined;
}

function readyCondition(object: JsonObject): ObjectStatus {
  const ready = condition(object, 'Ready');
  if (ready === undefined) return current('nothing says that it is not');
  if (ready.status === 'True') return current(ready.message === '' ? 'the object is ready' : ready.message);
  return inProgress(ready.reason === '' ? 'NotReady' : ready.reason, ready.message === '' ? 'the object is not ready' : ready.message);
}

function service(object: JsonObject): ObjectStatus {
  const spec = map(object, 'spec');
  if (text(spec, 'type') === 'LoadBalancer' && (text(spec, 'clusterIP') ?? '') === '') {
    return inProgress('NoIPAssigned', 'no cluster IP is assigned yet');
  }
  return current('the service is there');
}

function persistentVolumeClaim(object: JsonObject): ObjectStatus {
  const phase = text(map(object, 'status'), 'phase') ?? 'unknown';
  return phase === 'Bound' ? current('the claim is bound') : inProgress('NotBound', `the claim is not bound: its phase is ${phase}`);
}

function pod(object: JsonObject, now: number): ObjectStatus {
  const status = map(object, 'status');
  const phase = text(status, 'phase') ?? '';
  switch (phase) {
    case 'Succeeded':
      return current('the pod has completed');
    case 'Failed':
      return current('the pod has completed, and failed');
    case 'Running':
      return runningPod(object);
    case 'Pending':
      return pendingPod(object, now);
    case '':
      return inProgress('PodNotObserved', 'the phase of the pod is not known yet');
    default:
      return failed('PodUnknownPhase', `the pod has the unknown phase ${phase}`);
  }
}

function runningPod(object: JsonObject): ObjectStatus {
  if (condition(object, 'Ready')?.status === 'True') return current('the pod is ready');
  const crashing = [...items(map(object, 'status'), 'containerStatuses')]
    .filter((container) => text(map(map(container, 'state'), 'waiting'), 'reason') === 'CrashLoopBackOff')
    .map((container) => text(container, 'name') ?? '');
  if (crashing.length > 0) return failed('ContainerCrashLooping', `containers crash again and again: ${crashing.join(', ')}`);
  return inProgress('PodRunningNotReady', 'the pod runs and is not ready');
}

function pendingPod(object: JsonObject, now: number): ObjectStatus {
  const scheduled = condition(object, 'PodScheduled');
  if (scheduled === undefined || scheduled.status !== 'False' || scheduled.reason !== 'Unschedulable') {
    return inProgress('PodPending', 'the pod is pending');
  }
  const created = millis(text(map(object, 'metadata'), 'creationTimestamp'));
  if (created !== undefined && now < created + SCHEDULE_WINDOW) return inProgress('PodNotScheduled', 'the pod has no node yet');
  return failed('PodUnschedulable', 'no node can take the pod');
}

/** The first of several comparisons that does not hold. */
function firstOf(...checks: readonly (readonly [fails: boolean, reason: string, message: string])[]): ObjectStatus | undefined {
  const found = checks.find(([fails]) => fails);
  return found === undefined ? undefined : inProgress(found[1], found[2]);
}

function statefulSet(object: JsonObject): ObjectStatus {
  const spec = map(object, 'spec');
  const status = map(object, 'status');
  const strategy = map(spec, 'updateStrategy');
  if (text(strategy, 'type') === 'OnDelete') return current('pods are replaced when they are deleted');
  const wanted = number(spec, 'replicas') ?? 1;
  const [replicas, ready, now, updated] = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas'].map(
    (field) => number(status, field) ?? 0,
  ) as [number, number, number, number];
  const behind = firstOf(
    [replicas < wanted, 'LessReplicas', `replicas: ${replicas} of ${wanted}`],
    [ready < wanted, 'LessReady', `ready: ${ready} of ${wanted}`],
    [replicas > wanted, 'ExtraPods', `replicas to go: ${replicas - wanted}`],
  );
  if (behind !== undefined) return behind;
  const partition = number(map(strategy, 'rollingUpdate'), 'partition');
  if (partition !== undefined && partition > 0) {
    return updated < wanted - partition
      ? inProgress('PartitionRollout', `updated: ${updated} of ${wanted - partition}`)
      : current(`the partition is rolled out, updated: ${updated}`);
  }
  const late = firstOf([now < wanted, 'LessCurrent', `current: ${now} of ${wanted}`]);
  if (late !== undefined) return late;
  const revision = text(status, 'currentRevision');
  if (revision !== undefined && revision !== text(status, 'updateRevision')) {
    return inProgress('RevisionMismatch', 'pods of the former revision are still there');
  }
  return current(`all ${wanted} replicas are ready`);
}

function daemonSet(object: JsonObject): ObjectStatus {
  const status = map(object, 'status');
  if (number(status, 'observedGeneration') === undefined) {
    return inProgress('NoObservedGeneration', 'the daemon set was not looked at yet');
  }
  const desired = number(status, 'desiredNumberScheduled');
  if (desired === undefined) return inProgress('NoDesiredNumber', 'the number of nodes is not known yet');
  const [scheduled, updated, available, ready] = ['currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable', 'numberReady'].map(
    (field) => number(status, field) ?? 0,
  ) as [number, number, number, number];
  return (
    firstOf(
      [scheduled < desired, 'LessCurrent', `scheduled: ${scheduled} of ${desired}`],
      [updated < desired, 'LessUpdated', `updated: ${updated} of ${desired}`],
      [available < desired, 'LessAvailable', `available: ${available} of ${desired}`],
      [ready < desired, 'LessReady', `ready: ${ready} of ${desired}`],
    ) ?? current(`all ${desired} pods are ready`)
  );
}

function deployment(object: JsonObject): ObjectStatus {
  const spec = map(object, 'spec');
  const status = map(object, 'status');
  const deadline = number(spec, 'progressDeadlineSeconds');
  // A deployment that sets no deadline has no Progressing condition to look for.
  const watched = deadline !== undefined && deadline !== 2 ** 31 - 1;
  let progressed = !watched;
  const progressing = condition(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded')
    return failed('ProgressDeadlineExceeded', 'the deployment does not progress any more');
  if (progressing?.status === 'True' && progressing.reason === 'NewReplicaSetAvailable') progressed = true;
  const wanted = number(spec, 'replicas') ?? 1;
  const [replicas, updated, ready, available] = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'].map(
    (field) => number(status, field) ?? 0,
  ) as [number, number, number, number];
  return (
    firstOf(
      [replicas < wanted, 'LessReplicas', `replicas: ${replicas} of ${wanted}`],
      [updated < wanted, 'LessUpdated', `updated: ${updated} of ${wanted}`],
      [replicas > wanted, 'ExtraPods', `replicas to go: ${replicas - wanted}`],
      [available < updated, 'LessAvailable', `available: ${available} of ${updated}`],
      [ready < wanted, 'LessReady', `ready: ${ready} of ${wanted}`],
      [!progressed, 'ReplicaSetNotAvailable', 'the new replica set is not available yet'],
      [condition(object, 'Available')?.status !== 'True', 'DeploymentNotAvailable', 'the deployment is not available'],
    ) ?? current(`all ${wanted} replicas are available`)
  );
}

function replicaSet(object: JsonObject): ObjectStatus {
  const status = map(object, 'status');
  const failure = condition(object, 'ReplicaFailure');
  if (failure?.status === 'True') return inProgress('ReplicaFailure', failure.message === '' ? 'pods cannot be made' : failure.message);
  const wanted = number(map(object, 'spec'), 'replicas') ?? 1;
  const [replicas, labelled, available, ready] = ['replicas', 'fullyLabeledReplicas', 'availableReplicas', 'readyReplicas'].map(
    (field) => number(status, field) ?? 0,
  ) as [number, number, number, number];
  return (
    firstOf(
      [labelled < wanted, 'LessLabelled', `labelled: ${labelled} of ${wanted}`],
      [available < wanted, 'LessAvailable', `available: ${available} of ${wanted}`],
      [ready < wanted, 'LessReady', `ready: ${ready} of ${wanted}`],
      [replicas > wanted, 'ExtraPods', `replicas to go: ${replicas - wanted}`],
    ) ?? current(`all ${wanted} replicas are available`)
  );
}

function job(object: JsonObject): ObjectStatus {
  const spec = map(object, 'spec');
  const status = map(object, 'status');
  const succeeded = number(status, 'succeeded') ?? 0;
  if (condition(object, 'Complete')?.status === 'True') return current(`the job has completed, succeeded: ${succeeded}`);
  if (condition(object, 'Failed')?.status === 'True') {
    const wanted = number(spec, 'completions') ?? number(spec, 'parallelism') ?? 1;
    return failed('JobFailed', `the job has failed, succeeded: ${succeeded} of ${wanted}`);
  }
  if (condition(object, 'Suspended')?.status === 'True') return current('the job is suspended');
  if (text(status, 'startTime') === undefined) return inProgress('JobNotStarted', 'the job has not started');
  return current('the job is running');
}

function customResourceDefinition(object: JsonObject): ObjectStatus {
  for (const { type, status, reason, message } of conditions(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(reason, message);
    if (type === 'Established') {
      if (status === 'False' && reason !== 'Installing') return failed(reason, message);
      if (status === 'True') return current('the resource is served');
    }
  }
  return inProgress('Installing', 'the resource is not served yet');
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function* conditions(object: JsonObject): IterableIterator<Condition> {
  for (const each of items(map(object, 'status'), 'conditions')) {
    const [type, status, reason, message] = ['type', 'status', 'reason', 'message'].map((field) => text(each, field) ?? '') as [
      string,
      string,
      string,
      string,
    ];
    yield { type, status, reason, message };
  }
}

function condition(object: JsonObject, type: string): Condition | undefined {
  for (const each of conditions(object)) if (each.type === type) return each;
  return undefined;
}

function millis(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  try {
    const parsed = parseTimestamp(timestamp);
    return parsed === undefined ? undefined : parsed.seconds * 1000;
  } catch (error) {
    if (error instanceof CelError) return undefined;
    throw error;
  }
}

const NOTHING: JsonObject = {};

function map(object: JsonObject, field: string): JsonObject {
  const found = ownValue(object, field);
  return isJsonObject(found) ? found : NOTHING;
}

function text(object: JsonObject, field: string): string | undefined {
  const found = ownValue(object, field);
  return typeof found === 'string' ? found : undefined;
}

function number(object: JsonObject, field: string): number | undefined {
  const found = ownValue(object, field);
  return typeof found === 'number' || typeof found === 'bigint' ? Number(found) : undefined;
}

function* items(object: JsonObject, field: string): IterableIterator<JsonObject> {
  const found = ownValue(object, field);
  if (!Array.isArray(found)) return;
  for (const each of found as readonly Json[]) if (isJsonObject(each)) yield each;
}
