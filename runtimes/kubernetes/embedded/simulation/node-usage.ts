import type { Quantity } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { groupResource, typed } from '../control-loop/kind.ts';
import type { ObjectEvent } from '../registry.ts';
import { podAmounts } from '../resource-amounts/pod-requests.ts';
import { addTo, subtractFrom } from '../resource-amounts/resource-list.ts';
import { type Node, PODS, type Pod } from './kinds.ts';
import { hostPortsOf, type NodeState } from './node-fit.ts';
import { isFinished } from './pod-state.ts';

interface Usage {
  readonly used: Map<string, Quantity>;
  readonly pods: Map<string, Pod>;
}

/** What pods take on each node, kept by events. */
export class NodeUsage {
  readonly #nodes = new Map<string, Usage>();
  /** Node of each pod that counts, by uid. */
  readonly #places = new Map<string, string>();

  constructor(view: ClusterView) {
    for (const pod of view.list(PODS)) this.#put(pod);
  }

  follow(event: ObjectEvent): void {
    if (event.resource !== groupResource(PODS)) return;
    const pod = typed<Pod>(event.object);
    if (event.type === 'DELETED' || isFinished(pod)) this.#remove(pod);
    else this.#put(pod);
  }

  of(node: Node): NodeState {
    const usage = this.#nodes.get(node.metadata.name);
    const pods = usage === undefined ? [] : [...usage.pods.values()];
    return { node, used: usage?.used ?? new Map(), pods: pods.length, hostPorts: new Set(pods.flatMap(hostPortsOf)) };
  }

  #put(pod: Pod): void {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || nodeName === '' || isFinished(pod)) return;
    const before = this.#places.get(pod.metadata.uid);
    let usage = this.#nodes.get(nodeName);
    if (usage === undefined) {
      usage = { used: new Map(), pods: new Map() };
      this.#nodes.set(nodeName, usage);
    }
    usage.pods.set(pod.metadata.uid, pod);
    if (before !== undefined) return;
    this.#places.set(pod.metadata.uid, nodeName);
    addTo(usage.used, podAmounts(pod.spec, 'requests'));
  }

  #remove({ metadata: { uid }, spec }: Pod): void {
    const nodeName = this.#places.get(uid);
    const usage = nodeName === undefined ? undefined : this.#nodes.get(nodeName);
    if (usage === undefined || nodeName === undefined) return;
    this.#places.delete(uid);
    usage.pods.delete(uid);
    if (usage.pods.size === 0) this.#nodes.delete(nodeName);
    else subtractFrom(usage.used, podAmounts(spec, 'requests'));
  }
}
