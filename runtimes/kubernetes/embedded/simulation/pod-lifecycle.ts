import { createHash } from 'node:crypto';
import { formatTime } from '../../../../engine/object/time.ts';
import { type Condition, setCondition } from '../control-loop/condition.ts';
import { isDeleted } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { remove, updateStatus } from '../control-loop/write.ts';
import { type Instructions, instructionsOf, type PodTimings } from './instructions.ts';
import { type Container, PODS, type Pod, type PodStatus } from './kinds.ts';
import { isFinished } from './pod-state.ts';

/** Where a pod runs. */
export interface PodPlace {
  readonly hostIP: string;
  /** Asked for once, when the pod starts. */
  readonly podIP: () => string;
}

/**
 * What a kubelet would do about a pod of its node next, if its containers did as told: start, end, or be gone. Answers when to look
 * again. Kubernetes: pkg/kubelet/kubelet_pods.go, status/generate.go.
 */
export function livePod(pod: Pod, place: PodPlace, timings: PodTimings, now: number): SyncResult {
  const instructions = instructionsOf(pod, timings);
  if (isDeleted(pod)) return stopPod(pod, instructions, now);
  if (isFinished(pod)) return { writes: [] };
  if (pod.status?.phase !== 'Running') return startPod(pod, place, instructions, now);
  if (instructions.outcome !== 'succeed' && instructions.outcome !== 'fail') return { writes: [] };
  const left = Date.parse(pod.status.startTime ?? '') + instructions.startDelay + instructions.runTime - now;
  if (left > 0) return { writes: [], after: left };
  return { writes: [updateStatus(PODS, withStatus(pod, finishedStatus(pod, instructions, now)))] };
}

const withStatus = (pod: Pod, status: PodStatus): Pod => ({ ...pod, status });

function startPod(pod: Pod, place: PodPlace, instructions: Instructions, now: number): SyncResult {
  const { startDelay, runTime, outcome } = instructions;
  if (startDelay === 0) {
    const status = runningStatus(pod, place, outcome !== 'unready', now);
    return {
      writes: [updateStatus(PODS, withStatus(pod, status))],
      ...(outcome === 'succeed' || outcome === 'fail' ? { after: runTime } : {}),
    };
  }
  const since = pod.status?.startTime;
  if (since === undefined) return { writes: [updateStatus(PODS, withStatus(pod, creatingStatus(pod, place, now)))], after: startDelay };
  const left = Date.parse(since) + startDelay - now;
  if (left > 0) return { writes: [], after: left };
  return { writes: [updateStatus(PODS, withStatus(pod, runningStatus(pod, place, outcome !== 'unready', now)))] };
}

function stopPod(pod: Pod, { stopDelay }: Instructions, now: number): SyncResult {
  const grace = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const left = Date.parse(pod.metadata.deletionTimestamp!) - grace + Math.min(stopDelay, grace) - now;
  // Timestamps have seconds: without a delay there is nothing to wait for.
  if (stopDelay > 0 && grace > 0 && left > 0) return { writes: [], after: left };
  // Something else still holds the pod; its containers are gone.
  if (grace === 0 && (pod.metadata.finalizers?.length ?? 0) > 0) {
    if (isFinished(pod)) return { writes: [] };
    return { writes: [updateStatus(PODS, withStatus(pod, finishedStatus(pod, { outcome: 'succeed' }, now)))] };
  }
  return { writes: [remove(PODS, pod, 0)] };
}

function conditions(
  pod: Pod,
  values: Readonly<Record<string, boolean>>,
  reason: { readonly reason: string; readonly message?: string },
  now: number,
): readonly Condition[] {
  let list = pod.status?.conditions ?? [];
  for (const [type, value] of Object.entries(values)) {
    const why = value || type === 'PodScheduled' || type === 'Initialized' ? {} : reason;
    list = setCondition(list, { type, status: value ? 'True' : 'False', ...why }, now);
  }
  return list;
}

const namesOf = (containers: readonly Container[]): string => `[${containers.map(({ name }) => name).join(' ')}]`;

function creatingStatus(pod: Pod, { hostIP }: PodPlace, now: number): PodStatus {
  const containerStatuses = pod.spec.containers.map((container) => ({
    ...identity(container),
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason: 'ContainerCreating' } },
  }));
  const why = { reason: 'ContainersNotReady', message: `containers with unready status: ${namesOf(pod.spec.containers)}` };
  const values = { PodReadyToStartContainers: false, Initialized: true, Ready: false, ContainersReady: false, PodScheduled: true };
  return {
    ...pod.status,
    phase: 'Pending',
    conditions: conditions(pod, values, why, now),
    ...hostAddresses(hostIP),
    startTime: formatTime(now),
    containerStatuses,
  };
}

function runningStatus(pod: Pod, { hostIP, podIP }: PodPlace, ready: boolean, now: number): PodStatus {
  const at = formatTime(now);
  const running = (container: Container) => ({
    ...identity(container),
    containerID: containerId(pod, container),
    ready,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: at } },
  });
  const done = (container: Container) => ({ ...running(container), ready: true, started: false, state: terminated(pod, container, 0, at) });
  const initContainers = pod.spec.initContainers ?? [];
  const why = { reason: 'ContainersNotReady', message: `containers with unready status: ${namesOf(pod.spec.containers)}` };
  const values = { PodReadyToStartContainers: true, Initialized: true, Ready: ready, ContainersReady: ready, PodScheduled: true };
  const address = pod.status?.podIP ?? (pod.spec.hostNetwork ? hostIP : podIP());
  return {
    ...pod.status,
    phase: 'Running',
    conditions: conditions(pod, values, why, now),
    ...hostAddresses(hostIP),
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: pod.status?.startTime ?? at,
    ...(initContainers.length === 0
      ? {}
      : { initContainerStatuses: initContainers.map((each) => (each.restartPolicy === 'Always' ? running(each) : done(each))) }),
    containerStatuses: pod.spec.containers.map(running),
  } as PodStatus;
}

function finishedStatus(pod: Pod, { outcome }: Pick<Instructions, 'outcome'>, now: number): PodStatus {
  const exitCode = outcome === 'fail' ? 1 : 0;
  const at = formatTime(now);
  const why = { reason: outcome === 'fail' ? 'PodFailed' : 'PodCompleted' };
  const values = { PodReadyToStartContainers: false, Initialized: true, Ready: false, ContainersReady: false, PodScheduled: true };
  const containerStatuses = pod.spec.containers.map((container) => ({
    ...identity(container),
    containerID: containerId(pod, container),
    ready: false,
    started: false,
    restartCount: 0,
    state: terminated(pod, container, exitCode, at),
  }));
  return {
    ...pod.status,
    phase: outcome === 'fail' ? 'Failed' : 'Succeeded',
    conditions: conditions(pod, values, why, now),
    containerStatuses,
  };
}

const hostAddresses = (hostIP: string) => ({ hostIP, hostIPs: [{ ip: hostIP }] });

const identity = ({ name, image = '' }: Container) => ({ name, image, imageID: image === '' ? '' : `simulated://${image}`, lastState: {} });

function terminated(pod: Pod, container: Container, exitCode: number, at: string) {
  const startedAt = pod.status?.startTime ?? at;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return { terminated: { exitCode, reason, startedAt, finishedAt: at, containerID: containerId(pod, container) } };
}

const containerId = (pod: Pod, { name }: Container): string =>
  `simulated://${createHash('sha256').update(`${pod.metadata.uid}/${name}`).digest('hex')}`;
