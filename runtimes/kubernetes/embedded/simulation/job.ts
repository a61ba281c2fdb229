import { jsonEqual } from '../../../../engine/object/json.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { type Condition, isTrue, setCondition } from '../control-loop/condition.ts';
import { controllerReference, isDeleted, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, updateStatus, type Write } from '../control-loop/write.ts';
import { withoutZeros } from './deployment-status.ts';
import { JOBS, type Job, type JobStatus, PODS, type Pod } from './kinds.ts';
import { isActive, isReady } from './pod-state.ts';
import { templateMetadata } from './pod-template.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';

export const isJobFinished = ({ status }: Job): boolean => isTrue(status?.conditions, 'Complete') || isTrue(status?.conditions, 'Failed');

/** Kubernetes: pkg/controller/job/job_controller.go syncJob. Retries come at once; pod failure policies are not looked at. */
export function syncJob(job: Job, view: ClusterView): SyncResult {
  if (isDeleted(job)) return { writes: [] };
  if (isJobFinished(job)) return expire(job, view);
  const now = view.now();
  const pods = view.controlledBy(PODS, job);
  const active = pods.filter(isActive);
  const succeeded = pods.filter(({ status }) => status?.phase === 'Succeeded');
  const failed = pods.filter(({ status }) => status?.phase === 'Failed');
  const { spec } = job;
  const startTime = spec.suspend ? undefined : (job.status?.startTime ?? formatTime(now));
  const done = isIndexed(job) ? indexesOf(succeeded).size : succeeded.length;
  const counted = { active: active.length, done, failed: failed.length, indexes: indexesOf(succeeded) };
  const end = spec.suspend ? undefined : endOf(job, counted, startTime, now);

  const writes: Write[] = [];
  const surplus = end !== undefined || spec.suspend ? active : active.slice(spec.parallelism ?? 1);
  for (const pod of surplus) writes.push(remove(PODS, pod));
  if (end === undefined && !spec.suspend) writes.push(...newPods(job, active, succeeded, done));

  const counts = {
    active: end === undefined && !spec.suspend ? active.length : 0,
    succeeded: done,
    failed: failed.length + (end?.type === 'Failed' ? active.length : 0),
  };
  const status: JobStatus = {
    ...withoutZeros(counts),
    ready: counts.active === 0 ? 0 : active.filter(isReady).length,
    terminating: pods.filter((pod) => isDeleted(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed').length,
    uncountedTerminatedPods: {},
    ...(startTime === undefined ? {} : { startTime }),
    ...(isIndexed(job) && done > 0 ? { completedIndexes: formatIndexes(indexesOf(succeeded)) } : {}),
    ...conditionsOf(job, end, now),
    ...(end?.type === 'Complete' ? { completionTime: formatTime(now) } : {}),
  };
  if (!jsonEqual(untyped(status), untyped(job.status ?? {}))) writes.push(updateStatus(JOBS, { ...job, status } as Job));
  return { writes, ...deadline(job, startTime, end, now) };
}

interface JobEnd {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

function endOf(
  job: Job,
  counts: { readonly active: number; readonly done: number; readonly failed: number; readonly indexes: ReadonlySet<number> },
  startTime: string | undefined,
  now: number,
): JobEnd | undefined {
  const { completions, backoffLimit = 6, activeDeadlineSeconds } = job.spec;
  if (counts.failed > backoffLimit)
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  if (activeDeadlineSeconds !== undefined && startTime !== undefined && now >= Date.parse(startTime) + activeDeadlineSeconds * 1000)
    return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  const rule = (job.spec.successPolicy?.rules ?? []).findIndex((each) => holds(each, counts.indexes));
  if (rule >= 0) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` };
  const complete = completions === undefined ? counts.done > 0 && counts.active === 0 : counts.done >= completions;
  if (!complete) return undefined;
  return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
}

function conditionsOf(job: Job, end: JobEnd | undefined, now: number): { readonly conditions?: readonly Condition[] } {
  let conditions = job.status?.conditions ?? [];
  const set = (type: string, status: 'True' | 'False', reason: string, message: string): void => {
    const before = conditions.find((each) => each.type === type);
    if (before?.status === status) return;
    conditions = setCondition(conditions, { type, status, reason, message }, now);
    conditions = conditions.map((each) => (each.type === type ? { ...each, lastProbeTime: formatTime(now) } : each));
  };
  if (job.spec.suspend) set('Suspended', 'True', 'JobSuspended', 'Job suspended');
  else if (isTrue(conditions, 'Suspended')) set('Suspended', 'False', 'JobResumed', 'Job resumed');
  if (end !== undefined) {
    set(end.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', end.reason, end.message);
    set(end.type, 'True', end.reason, end.message);
  }
  return conditions.length === 0 ? {} : { conditions };
}

function deadline(job: Job, startTime: string | undefined, end: JobEnd | undefined, now: number): { readonly after?: number } {
  const { activeDeadlineSeconds } = job.spec;
  if (activeDeadlineSeconds === undefined || startTime === undefined || end !== undefined) return {};
  return { after: Math.max(0, Date.parse(startTime) + activeDeadlineSeconds * 1000 - now) };
}

/** Deletes a job that is over for as long as it says. */
function expire(job: Job, view: ClusterView): SyncResult {
  const { ttlSecondsAfterFinished } = job.spec;
  if (ttlSecondsAfterFinished === undefined) return { writes: [] };
  const end = job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
  const left = Date.parse(end?.lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000 - view.now();
  if (left > 0) return { writes: [], after: left };
  const deletion = remove(JOBS, job);
  return { writes: [deletion.verb === 'delete' ? { ...deletion, propagationPolicy: 'Foreground' } : deletion] };
}

function newPods(job: Job, active: readonly Pod[], succeeded: readonly Pod[], done: number): readonly Write[] {
  const { parallelism = 1, completions } = job.spec;
  // Without a number of completions, the first success means that the work is running out.
  const open = completions === undefined ? (done > 0 ? 0 : parallelism) : completions - done;
  const count = Math.min(parallelism, open) - active.length;
  if (count <= 0) return [];
  if (!isIndexed(job)) return Array.from({ length: count }, () => create(PODS, podOf(job)));
  const taken = indexesOf([...active, ...succeeded]);
  const writes: Write[] = [];
  for (let index = 0; index < (completions ?? 0) && writes.length < count; index++)
    if (!taken.has(index)) writes.push(create(PODS, podOf(job, index)));
  return writes;
}

function podOf(job: Job, index?: number): NewObject {
  const { template } = job.spec;
  const { name, namespace, uid } = job.metadata;
  const indexed = index === undefined ? {} : { [INDEX]: String(index) };
  const labels = {
    ...template.metadata?.labels,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
    ...indexed,
  };
  return {
    metadata: {
      ...templateMetadata(template),
      generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      ...(index === undefined ? {} : { annotations: { ...template.metadata?.annotations, ...indexed } }),
      ownerReferences: [controllerReference(job)],
    },
    spec: index === undefined ? template.spec : { ...template.spec, hostname: `${name}-${index}` },
  };
}

const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';

function indexesOf(pods: readonly Pod[]): ReadonlySet<number> {
  return new Set(
    pods.flatMap(({ metadata }) => (metadata.annotations?.[INDEX] === undefined ? [] : [Number(metadata.annotations[INDEX])])),
  );
}

type SuccessRule = NonNullable<Job['spec']['successPolicy']>['rules'][number];

/** Enough of the indexes that a rule names, or of all, have succeeded. Kubernetes: pkg/controller/job/success_policy.go. */
function holds({ succeededIndexes, succeededCount }: SuccessRule, indexes: ReadonlySet<number>): boolean {
  const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes);
  const met =
    wanted === undefined
      ? indexes.size
      : wanted
          .filter(([first, last]) => first <= last)
          .reduce((sum, [first, last]) => sum + [...indexes].filter((index) => index >= first && index <= last).length, 0);
  const size = wanted?.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return met > 0 && met >= (succeededCount ?? size ?? Number.POSITIVE_INFINITY);
}

/** The first and the last of each part of `0-2,5`. */
const parseIndexes = (text: string): readonly (readonly [number, number])[] =>
  text.split(',').map((part) => {
    const [first = '', last = first] = part.split('-');
    return [Number(first), Number(last)];
  });

/** `0-2,5`. */
function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let last = i;
    while (last + 1 < sorted.length && sorted[last + 1] === sorted[last]! + 1) last++;
    parts.push(last === i ? `${sorted[i]}` : last === i + 1 ? `${sorted[i]},${sorted[last]}` : `${sorted[i]}-${sorted[last]}`);
    i = last + 1;
  }
  return parts.join(',');
}
