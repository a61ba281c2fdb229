import type { ClusterView } from '../control-loop/cluster-view.ts';
import { conditionOf, setCondition } from '../control-loop/condition.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, isDeleted, keyOf, nameOfKey, type ObjectKey, typed } from '../control-loop/kind.ts';
import { perform, update, updateStatus, type Write } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { NODES, type Node, PODS, type Pod } from './kinds.ts';
import { freeShare, type NodeState, whyNot } from './node-fit.ts';
import type { NodeUsage } from './node-usage.ts';

const DEFAULT_SCHEDULER = 'default-scheduler';

/** Whether this scheduler is to find a node for a pod. */
const isPending = (pod: Pod): boolean =>
  (pod.spec.nodeName ?? '') === '' &&
  !isDeleted(pod) &&
  (pod.spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER &&
  (pod.spec.schedulingGates?.length ?? 0) === 0 &&
  (pod.status?.phase ?? 'Pending') === 'Pending';

/** The node with most room left, or why there is none in the words of the default scheduler. */
function placePod(pod: Pod, nodes: readonly NodeState[]): { readonly node: Node } | { readonly message: string } {
  let best: { readonly node: Node; readonly share: number } | undefined;
  const reasons = new Map<string, number>();
  for (const state of nodes) {
    const reason = whyNot(pod, state);
    if (reason !== undefined) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      continue;
    }
    const share = freeShare(pod, state);
    if (best === undefined || share > best.share) best = { node: state.node, share };
  }
  if (best !== undefined) return { node: best.node };
  if (nodes.length === 0) return { message: 'no nodes available to schedule pods' };
  const list = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return { message: `0/${nodes.length} nodes are available: ${list.join(', ')}.` };
}

/** What placing a pod writes: its node, or the condition that says why not. Nothing where that has been said. */
function schedulePod(pod: Pod, nodes: readonly NodeState[], now: number): readonly Write[] {
  const placed = placePod(pod, nodes);
  if ('node' in placed) {
    const spec = { ...pod.spec, nodeName: placed.node.metadata.name };
    return [{ ...update(PODS, { ...pod, spec } as Pod), subresource: 'binding' } as Write];
  }
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.message === placed.message) return [];
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: placed.message } as const;
  const status = { ...pod.status, conditions: setCondition(pod.status?.conditions, condition, now) };
  return [updateStatus(PODS, { ...pod, status } as Pod)];
}

/** Binds pods to nodes, one at a time, and tries again those that found none when something may have become free. */
export function scheduler(registry: Registry, view: ClusterView, usage: NodeUsage): Controller {
  const name = DEFAULT_SCHEDULER;
  const waiting = new Set<ObjectKey>();
  return {
    name,
    watches: [groupResource(PODS), groupResource(NODES)],
    workers: 1,
    *initial() {
      for (const pod of view.list(PODS)) if (isPending(pod)) yield keyOf(pod);
    },
    *keys({ type, resource, object, previous }) {
      if (resource === groupResource(NODES)) {
        if (type !== 'DELETED') yield* waiting;
        return;
      }
      const pod = typed<Pod>(object);
      const key = keyOf(pod);
      if (type === 'DELETED') {
        waiting.delete(key);
        if (pod.spec.nodeName) yield* waiting;
        return;
      }
      if (!isPending(pod)) waiting.delete(key);
      // Its own word about the pod is no reason to look again.
      else if (previous === undefined || typed<Pod>(previous).metadata.generation !== pod.metadata.generation) yield key;
    },
    async sync(key) {
      const pod = view.get(PODS, nameOfKey(key));
      if (pod === undefined || !isPending(pod)) {
        waiting.delete(key);
        return undefined;
      }
      waiting.add(key);
      const states = view.list(NODES).map((node) => usage.of(node));
      await perform(registry, schedulePod(pod, states, view.now()), name);
      return undefined;
    },
  };
}
