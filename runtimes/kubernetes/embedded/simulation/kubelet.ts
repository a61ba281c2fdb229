import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, keyOf, nameOfKey, typed } from '../control-loop/kind.ts';
import { perform } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import type { PodTimings } from './instructions.ts';
import { NODES, PODS, type Pod } from './kinds.ts';
import type { PodAddresses } from './pod-addresses.ts';
import { livePod } from './pod-lifecycle.ts';

/** Runs the pods of all nodes that there are, as far as anybody can see from outside. */
export function kubelet(registry: Registry, view: ClusterView, addresses: PodAddresses, timings: PodTimings): Controller {
  const name = 'kubelet';
  const isBound = (pod: Pod): boolean => (pod.spec.nodeName ?? '') !== '';
  return {
    name,
    watches: [groupResource(PODS), groupResource(NODES)],
    *initial() {
      for (const pod of view.list(PODS)) if (isBound(pod)) yield keyOf(pod);
    },
    *keys({ type, resource, object }) {
      if (resource === groupResource(NODES)) {
        // Pods may have been bound to it by hand before it was there.
        if (type === 'ADDED') for (const pod of view.list(PODS)) if (pod.spec.nodeName === typed(object).metadata.name) yield keyOf(pod);
      } else if (type !== 'DELETED' && isBound(typed<Pod>(object))) yield keyOf(typed(object));
    },
    async sync(key) {
      const pod = view.get(PODS, nameOfKey(key));
      if (pod === undefined || !isBound(pod)) return undefined;
      const node = view.get(NODES, { name: pod.spec.nodeName! });
      if (node === undefined) return undefined;
      const hostIP = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
      const place = { hostIP, podIP: () => addresses.of(pod) };
      const { writes, after } = livePod(pod, place, timings, view.now());
      await perform(registry, writes, name);
      return after === undefined ? undefined : { after };
    },
  };
}
