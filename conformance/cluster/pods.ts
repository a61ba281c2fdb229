import type { ApiClient } from './client.ts';

export interface PodRunnerOptions {
  /** Default: `node-1`; made when it is not there. */
  readonly node?: string;
  /** What the node says of itself. */
  readonly kubeletVersion?: string;
  readonly onError?: (error: unknown) => void;
}

export interface PodRunner {
  stop(): void;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly restartPolicy?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status?: { readonly phase?: string };
}

/**
 * Stands in for a scheduler, a kubelet and a node of a cluster that has none: every pod is placed and runs at once, or has run when
 * it is not to be restarted, and is gone once it is deleted. No container runs.
 */
export async function runPods(client: ApiClient, options: PodRunnerOptions = {}): Promise<PodRunner> {
  const { node = 'node-1', onError = () => {} } = options;
  await makeNode(client, node, options);
  const listed = await client.expect({ path: '/api/v1/pods' });
  const { metadata, items } = listed.body as { metadata: { resourceVersion: string }; items: Pod[] };
  const query = { watch: 'true', resourceVersion: metadata.resourceVersion };
  const stream = await client.stream({ path: '/api/v1/pods', query, deadlineMs: Number.POSITIVE_INFINITY });
  const look = (pod: Pod): void => void advance(client, node, pod).catch(onError);
  for (const pod of items) look(pod);
  const follow = async (): Promise<void> => {
    for await (const line of stream.lines) {
      const { type, object } = JSON.parse(line) as { type: string; object: Pod };
      if (type === 'ADDED' || type === 'MODIFIED') look(object);
    }
  };
  follow().catch(onError);
  return { stop: () => stream.close() };
}

async function makeNode(client: ApiClient, name: string, options: PodRunnerOptions): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } };
  const made = await client.request({ method: 'POST', path: '/api/v1/nodes', body });
  if (made.status > 299 && made.status !== 409) throw new Error(`node ${name}: ${JSON.stringify(made.body)}`);
  const resources = { cpu: '64', memory: '256Gi', pods: '10000' };
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now };
  const nodeInfo = { kubeletVersion: options.kubeletVersion ?? '' };
  const status = { capacity: resources, allocatable: resources, conditions: [condition], nodeInfo };
  await merge(client, `/api/v1/nodes/${name}/status`, { status });
  await merge(client, `/api/v1/nodes/${name}`, { spec: { taints: null } });
}

async function advance(client: ApiClient, node: string, pod: Pod): Promise<void> {
  const { name, namespace, deletionTimestamp } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  if (pod.spec.nodeName === undefined) {
    if (deletionTimestamp !== undefined) return;
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: node } };
    return accept(client.request({ method: 'POST', path: `${path}/binding`, body }));
  }
  if (deletionTimestamp !== undefined) return accept(client.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } }));
  if (pod.status?.phase !== undefined && pod.status.phase !== 'Pending') return;
  await merge(client, `${path}/status`, { status: statusOf(pod, pod.spec.restartPolicy === 'Always') });
}

function statusOf({ spec }: Pod, runs: boolean): object {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const condition = (type: string, status: boolean): object => ({ type, status: status ? 'True' : 'False', lastTransitionTime: now });
  const state = runs
    ? { running: { startedAt: now } }
    : { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } };
  return {
    phase: runs ? 'Running' : 'Succeeded',
    hostIP: '127.0.0.1',
    podIP: '10.244.0.9',
    podIPs: [{ ip: '10.244.0.9' }],
    startTime: now,
    conditions: [
      condition('PodScheduled', true),
      condition('Initialized', true),
      condition('ContainersReady', runs),
      condition('Ready', runs),
    ],
    containerStatuses: spec.containers.map(({ name, image }) => {
      return { name, image, imageID: image, ready: runs, started: runs, restartCount: 0, state };
    }),
  };
}

async function merge(client: ApiClient, path: string, body: unknown): Promise<void> {
  await accept(client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }));
}

/** Another controller may be quicker: what is gone or changed already needs nothing more. */
async function accept(answer: Promise<{ readonly status: number; readonly body: unknown }>): Promise<void> {
  const { status, body } = await answer;
  if (status > 299 && status !== 404 && status !== 409) throw new Error(JSON.stringify(body));
}
