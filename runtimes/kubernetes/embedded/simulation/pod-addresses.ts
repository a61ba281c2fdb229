import type { ClusterView } from '../control-loop/cluster-view.ts';
import { groupResource, typed } from '../control-loop/kind.ts';
import type { ObjectEvent } from '../registry.ts';
import { PODS, type Pod } from './kinds.ts';
import { isFinished } from './pod-state.ts';

/** `10.244.0.0/16`, without the first and the last address of each 256. */
const FIRST = 10 * 2 ** 24 + 244 * 2 ** 16;
const SIZE = 2 ** 16;

/** Addresses of pods: each living pod has one of its own, and one that was given back is not used again soon. */
export class PodAddresses {
  readonly #byUid = new Map<string, string>();
  readonly #used = new Set<string>();
  #next = 2;

  constructor(view: ClusterView) {
    for (const pod of view.list(PODS))
      if (pod.status?.podIP !== undefined && !isFinished(pod)) this.#take(pod.metadata.uid, pod.status.podIP);
  }

  /** Throws when there is none left. */
  of(pod: Pod): string {
    const { uid } = pod.metadata;
    const known = this.#byUid.get(uid);
    if (known !== undefined) return known;
    for (let tries = 0; tries < SIZE; tries++) {
      const offset = this.#next;
      this.#next = (this.#next + 1) % SIZE;
      const last = offset % 256;
      if (last < 2 || last === 255) continue;
      const address = dotted(FIRST + offset);
      if (this.#used.has(address)) continue;
      this.#take(uid, address);
      return address;
    }
    throw new Error('there is no address left for another pod');
  }

  follow({ type, resource, object }: ObjectEvent): void {
    if (resource !== groupResource(PODS)) return;
    const pod = typed<Pod>(object);
    if (type === 'DELETED' || isFinished(pod)) this.#release(pod.metadata.uid);
  }

  #take(uid: string, address: string): void {
    this.#byUid.set(uid, address);
    this.#used.add(address);
  }

  #release(uid: string): void {
    const address = this.#byUid.get(uid);
    if (address === undefined) return;
    this.#byUid.delete(uid);
    this.#used.delete(address);
  }
}

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
