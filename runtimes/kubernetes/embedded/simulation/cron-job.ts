import { jsonEqual } from '../../../../engine/object/json.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { isTrue } from '../control-loop/condition.ts';
import { controllerReference, isDeleted, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, updateStatus, type Write } from '../control-loop/write.ts';
import { type CronSchedule, parseCronSchedule } from './cron-schedule.ts';
import { isJobFinished } from './job.ts';
import { CRON_JOBS, type CronJob, JOBS, type Job } from './kinds.ts';

/** Missed times that are counted before only the last one matters. */
const MAX_MISSED = 100;

/** Kubernetes: pkg/controller/cronjob/cronjob_controllerv2.go syncCronJob. */
export function syncCronJob(cronJob: CronJob, view: ClusterView): SyncResult {
  if (isDeleted(cronJob)) return { writes: [] };
  const now = view.now();
  const jobs = [...view.controlledBy(JOBS, cronJob)].sort(
    (a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp),
  );
  const active = jobs.filter((job) => !isJobFinished(job));
  const writes: Write[] = [...beyondHistory(cronJob, jobs)];
  let lastScheduleTime = cronJob.status?.lastScheduleTime;
  const schedule = parseCronSchedule(cronJob.spec.schedule, cronJob.spec.timeZone);
  let after: number | undefined;
  if (schedule !== undefined && !cronJob.spec.suspend) {
    const due = lastMissed(cronJob, schedule, now);
    const policy = cronJob.spec.concurrencyPolicy ?? 'Allow';
    if (due !== undefined && !(policy === 'Forbid' && active.length > 0)) {
      if (policy === 'Replace') for (const job of active) writes.push(remove(JOBS, job));
      const job = jobOf(cronJob, due);
      if (view.get(JOBS, { namespace: cronJob.metadata.namespace, name: job.metadata.name! }) === undefined) writes.push(create(JOBS, job));
      lastScheduleTime = formatTime(due);
    }
    const next = schedule.next(now);
    if (next !== undefined) after = next - now;
  }
  const succeeded = jobs.filter(({ status }) => isTrue(status?.conditions, 'Complete')).at(-1)?.status?.completionTime;
  const lastSuccessfulTime = succeeded ?? cronJob.status?.lastSuccessfulTime;
  const status = {
    ...(active.length === 0 ? {} : { active: active.map(referenceOf) }),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
  if (!jsonEqual(untyped(status), untyped(cronJob.status ?? {}))) writes.push(updateStatus(CRON_JOBS, { ...cronJob, status } as CronJob));
  return { writes, ...(after === undefined ? {} : { after }) };
}

/** The last time that was due and has not been started, unless it is too late for it. */
function lastMissed(cronJob: CronJob, schedule: CronSchedule, now: number): number | undefined {
  const { startingDeadlineSeconds } = cronJob.spec;
  const since = Date.parse(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp);
  const earliest = startingDeadlineSeconds === undefined ? since : Math.max(since, now - startingDeadlineSeconds * 1000);
  let due: number | undefined;
  let time = schedule.next(earliest);
  for (let missed = 0; time !== undefined && time <= now; missed++) {
    due = time;
    // After a long sleep, the times of the last days are enough to look at.
    time = schedule.next(missed < MAX_MISSED ? time : Math.max(time, now - 24 * 3_600_000));
  }
  return due;
}

function jobOf(cronJob: CronJob, scheduled: number): NewObject {
  const { name, namespace } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    metadata: {
      ...metadata,
      name: `${name}-${Math.floor(scheduled / 60_000)}`,
      ...(namespace === undefined ? {} : { namespace }),
      annotations: { ...metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': formatTime(scheduled) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
}

const referenceOf = ({ apiVersion, kind, metadata: { name, namespace, uid } }: Job) => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
  uid,
});

function beyondHistory(cronJob: CronJob, jobs: readonly Job[]): readonly Write[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
  const old = (type: string, limit: number): readonly Job[] => {
    const ended = jobs.filter((job) => isTrue(job.status?.conditions, type) && !isDeleted(job));
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...old('Complete', successfulJobsHistoryLimit), ...old('Failed', failedJobsHistoryLimit)].map((job) => remove(JOBS, job));
}
