import { jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { controllerReference, isDeleted } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, updateStatus, type Write } from '../control-loop/write.ts';
import { REVISION_LABEL, revisionsOf } from './controller-revision.ts';
import { withoutZeros } from './deployment-status.ts';
import { scaledValue } from './int-or-percent.ts';
import { DAEMON_SETS, type DaemonSet, NODES, type Node, PODS, type Pod, type PodSpec, type Toleration } from './kinds.ts';
import { matchesNodeSelection, tolerates } from './node-fit.ts';
import { availability, availableIn, isFinished, isReady } from './pod-state.ts';
import { templateMetadata } from './pod-template.ts';

/** Taints that no daemon minds. Kubernetes: pkg/controller/daemon/util/daemonset_util.go AddOrUpdateDaemonPodTolerations. */
const TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

/** The node that a daemon's pod is meant for: bound to it, or to be. */
function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms[0]?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0];
}

function wants(set: DaemonSet, node: Node): boolean {
  const { spec } = set.spec.template;
  const tolerations = [...(spec.tolerations ?? []), ...TOLERATIONS];
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return matchesNodeSelection({ spec } as Pod, node) && taints.every((taint) => tolerates(tolerations, taint));
}

/** Kubernetes: pkg/controller/daemon/daemon_controller.go, update.go. */
export function syncDaemonSet(set: DaemonSet, view: ClusterView): SyncResult {
  const owned = view.controlledBy(PODS, set);
  const inUse = new Set(owned.map((pod) => `${set.metadata.name}-${pod.metadata.labels?.[REVISION_LABEL]}`));
  const revisions = revisionsOf(set, view, inUse);
  const byNode = new Map<string, Pod[]>();
  for (const pod of owned) {
    const node = nodeOf(pod);
    if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  const writes = [...revisions.writes];
  const wanted = view.list(NODES).filter((node) => wants(set, node));
  const wantedNames = new Set(wanted.map(({ metadata }) => metadata.name));
  if (!isDeleted(set)) {
    for (const { metadata } of wanted) {
      const [first, ...others] = byNode.get(metadata.name) ?? [];
      if (first === undefined) writes.push(create(PODS, podOn(metadata.name, set, revisions.hash)));
      else if (isFinished(first) && !isDeleted(first)) writes.push(remove(PODS, first));
      for (const other of others) if (!isDeleted(other)) writes.push(remove(PODS, other));
    }
    for (const [node, pods] of byNode)
      if (!wantedNames.has(node)) for (const pod of pods) if (!isDeleted(pod)) writes.push(remove(PODS, pod));
    if (writes.length === revisions.writes.length) writes.push(...replaceOld(set, wanted, byNode, revisions.hash, view.now()));
  }

  const placed = wanted.flatMap(({ metadata }) => (byNode.get(metadata.name) ?? []).slice(0, 1));
  const { available, after: wait } = availability(placed, set.spec.minReadySeconds ?? 0, view.now());
  const status = {
    currentNumberScheduled: placed.length,
    numberMisscheduled: [...byNode].filter(([node]) => !wantedNames.has(node)).length,
    desiredNumberScheduled: wanted.length,
    numberReady: placed.filter(isReady).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...withoutZeros({
      updatedNumberScheduled: placed.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revisions.hash).length,
      numberAvailable: available,
      numberUnavailable: wanted.length - available,
    }),
  };
  const { collisionCount, conditions } = set.status ?? {};
  const kept = { ...(collisionCount === undefined ? {} : { collisionCount }), ...(conditions === undefined ? {} : { conditions }) };
  const after = { ...status, ...kept };
  if (!jsonEqual(after, set.status ?? {})) writes.push(updateStatus(DAEMON_SETS, { ...set, status: after } as DaemonSet));
  return { writes, ...(wait === undefined ? {} : { after: wait }) };
}

/** Deletes pods of old templates, as many as may be missing at once. */
function replaceOld(
  set: DaemonSet,
  wanted: readonly Node[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  hash: string,
  now: number,
): readonly Write[] {
  if (set.spec.updateStrategy?.type === 'OnDelete') return [];
  const most = Math.max(1, scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.length, 'up'));
  const pods = wanted.flatMap(({ metadata }) => byNode.get(metadata.name) ?? []);
  const isAvailable = (pod: Pod): boolean => !isDeleted(pod) && availableIn(pod, set.spec.minReadySeconds ?? 0, now) === 0;
  const isOld = (pod: Pod): boolean => pod.metadata.labels?.[REVISION_LABEL] !== hash && !isDeleted(pod);
  const broken = pods.filter((pod) => isOld(pod) && !isAvailable(pod));
  const room = most - pods.filter((pod) => !isAvailable(pod)).length;
  const next = pods.filter((pod) => isOld(pod) && isAvailable(pod)).slice(0, Math.max(0, room));
  return [...broken, ...next].map((pod) => remove(PODS, pod));
}

function podOn(node: string, set: DaemonSet, hash: string): NewObject {
  const { template } = set.spec;
  const { name, namespace } = set.metadata;
  const field = { key: 'metadata.name', operator: 'In', values: [node] };
  const terms = template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const required = { nodeSelectorTerms: terms.map((term) => ({ ...term, matchFields: [field] })) };
  const nodeAffinity = { ...template.spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required };
  const spec: PodSpec = {
    ...template.spec,
    affinity: { ...template.spec.affinity, nodeAffinity },
    tolerations: [...(template.spec.tolerations ?? []), ...TOLERATIONS],
  };
  return {
    metadata: {
      ...templateMetadata(template),
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, [REVISION_LABEL]: hash },
      ownerReferences: [controllerReference(set)],
    },
    spec,
  };
}
