import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { POD_IMAGE } from './kubelet.ts';

export interface PodPort {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol?: 'TCP' | 'UDP';
}

export interface PodOptions {
  readonly ports?: readonly PodPort[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** It is in the node's own network. */
  readonly hostNetwork?: true;
}

/** A pod that runs, or does not yet. */
export interface PodStatus {
  readonly name: string;
  readonly phase: string;
  /** Empty as long as it has none. */
  readonly address: string;
}

const PODS = '/api/v1/namespaces/default/pods';
const POLL_MS = 250;

/** Pods of the probe, which answers on port 8080 under the pod's name. */
export interface Pods {
  create(name: string, options?: PodOptions): Promise<void>;
  list(): Promise<readonly PodStatus[]>;
  /** Waits until all of these run; answers them in this order. */
  untilRunning(names: readonly string[], deadlineMs?: number): Promise<readonly PodStatus[]>;
  /** Deletes these and waits until they are gone. */
  delete(names: readonly string[], deadlineMs?: number): Promise<void>;
  /** Deletes them without waiting. */
  beginDelete(names: readonly string[]): Promise<void>;
  untilGone(names: readonly string[], deadlineMs?: number): Promise<void>;
  /** What the cluster says of a pod's way, for messages. */
  events(name: string): Promise<string>;
}

export function podsOf({ admin }: Cluster): Pods {
  const list: Pods['list'] = async () => {
    const { items } = (await admin.expect({ path: PODS })).body as {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status: { readonly phase: string; readonly podIP?: string };
      }[];
    };
    return items.map(({ metadata, status }) => ({ name: metadata.name, phase: status.phase, address: status.podIP ?? '' }));
  };
  const until = async <T>(deadlineMs: number, ask: () => Promise<T | undefined>, otherwise: () => Promise<string>): Promise<T> => {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() > deadline) throw new Error(await otherwise());
      await delay(POLL_MS);
    }
  };
  const events: Pods['events'] = async (name) => {
    const query = { fieldSelector: `involvedObject.name=${name}` };
    const { items } = (await admin.expect({ path: '/api/v1/namespaces/default/events', query })).body as {
      readonly items: readonly { readonly reason: string; readonly message: string }[];
    };
    return items.map(({ reason, message }) => `${reason}: ${message}`).join('\n');
  };
  const beginDelete: Pods['beginDelete'] = async (names) => {
    await Promise.all(names.map((name) => admin.expect({ method: 'DELETE', path: `${PODS}/${name}`, body: { gracePeriodSeconds: 1 } })));
  };
  const untilGone: Pods['untilGone'] = async (names, deadlineMs = 60_000) => {
    const left = async (): Promise<readonly PodStatus[]> => (await list()).filter(({ name }) => names.includes(name));
    const gone = async (): Promise<true | undefined> => ((await left()).length === 0 ? true : undefined);
    await until(deadlineMs, gone, async () => `still there: ${JSON.stringify(await left())}`);
  };
  return {
    async create(name, { ports = [], annotations = {}, hostNetwork = false } = {}) {
      const container = { name: 'probe', image: POD_IMAGE, imagePullPolicy: 'Never', args: ['serve', '-name', name, '8080'], ports };
      const spec = { automountServiceAccountToken: false, terminationGracePeriodSeconds: 1, hostNetwork, containers: [container] };
      const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec };
      await admin.expect({ method: 'POST', path: PODS, body });
    },
    list,
    untilRunning(names, deadlineMs = 60_000) {
      const running = async (): Promise<readonly PodStatus[] | undefined> => {
        const all = await list();
        const found = names.map((name) => all.find((pod) => pod.name === name));
        return found.every((pod) => pod?.phase === 'Running' && pod.address !== '') ? (found as PodStatus[]) : undefined;
      };
      return until(deadlineMs, running, async () => {
        const waiting = (await list()).filter(({ name, phase }) => names.includes(name) && phase !== 'Running');
        return `${waiting.length} of ${names.length} pods do not run, as ${waiting[0]?.name}:\n${waiting[0] === undefined ? '' : await events(waiting[0].name)}`;
      });
    },
    beginDelete,
    untilGone,
    async delete(names, deadlineMs) {
      await beginDelete(names);
      await untilGone(names, deadlineMs);
    },
    events,
  };
}
