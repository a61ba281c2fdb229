import { jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { controllerReference, isDeleted, untyped } from '../control-loop/kind.ts';
import type { SyncResult } from '../control-loop/object-controller.ts';
import { create, type NewObject, remove, updateStatus, type Write } from '../control-loop/write.ts';
import { REVISION_LABEL, type Revisions, revisionsOf } from './controller-revision.ts';
import { withoutZeros } from './deployment-status.ts';
import { PERSISTENT_VOLUME_CLAIMS, PODS, type Pod, type PodTemplate, STATEFUL_SETS, type StatefulSet } from './kinds.ts';
import { availability, availableIn, isFinished, isReady } from './pod-state.ts';
import { templateMetadata } from './pod-template.ts';

/** `db-3` of `db` is 3; undefined of what has no such name. */
function ordinalOf(pod: Pod, set: StatefulSet): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : '';
  return /^\d{1,9}$/.test(rest) ? Number(rest) : undefined;
}

/** Kubernetes: pkg/controller/statefulset/stateful_set_control.go updateStatefulSet. */
export function syncStatefulSet(set: StatefulSet, view: ClusterView): SyncResult {
  const pods = new Map<number, Pod>();
  for (const pod of view.controlledBy(PODS, set)) {
    const ordinal = ordinalOf(pod, set);
    if (ordinal !== undefined) pods.set(ordinal, pod);
  }
  const current = set.status?.currentRevision;
  const inUse = new Set([...pods.values()].map((pod) => `${set.metadata.name}-${pod.metadata.labels?.[REVISION_LABEL]}`));
  if (current !== undefined) inUse.add(current);
  const revisions = revisionsOf(set, view, inUse);
  const writes = [...revisions.writes];
  if (!isDeleted(set)) writes.push(...nextSteps(set, pods, revisions, view));
  const { status, after } = statusOf(set, [...pods.values()], revisions, view.now());
  if (!jsonEqual(untyped(status), untyped(set.status ?? {}))) writes.push(updateStatus(STATEFUL_SETS, { ...set, status } as StatefulSet));
  return { writes, ...(after === undefined ? {} : { after }) };
}

const isHealthy = (pod: Pod, set: StatefulSet, now: number): boolean =>
  !isDeleted(pod) && pod.status?.phase === 'Running' && availableIn(pod, set.spec.minReadySeconds ?? 0, now) === 0;

/** In order, one pod after the other, unless the set says that it need not be so. */
function nextSteps(set: StatefulSet, pods: ReadonlyMap<number, Pod>, revisions: Revisions, view: ClusterView): readonly Write[] {
  const { replicas = 1, podManagementPolicy, updateStrategy } = set.spec;
  const inOrder = podManagementPolicy !== 'Parallel';
  const start = set.spec.ordinals?.start ?? 0;
  const end = start + replicas;
  const writes: Write[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = pods.get(ordinal);
    if (pod === undefined) writes.push(...claims(set, ordinal, view), create(PODS, podOf(set, ordinal, revisions)));
    else if (isFinished(pod) && !isDeleted(pod)) writes.push(remove(PODS, pod));
    else if (isHealthy(pod, set, view.now())) continue;
    if (inOrder) return writes;
  }
  const condemned = [...pods].filter(([ordinal]) => ordinal < start || ordinal >= end).sort(([a], [b]) => b - a);
  for (const [, pod] of condemned) {
    if (!isDeleted(pod)) writes.push(remove(PODS, pod));
    if (inOrder) return writes;
  }
  if (writes.length > 0 || updateStrategy?.type === 'OnDelete') return writes;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let ordinal = end - 1; ordinal >= start + partition; ordinal--) {
    const pod = pods.get(ordinal);
    if (pod === undefined) return writes;
    if (pod.metadata.labels?.[REVISION_LABEL] !== revisions.hash && !isDeleted(pod)) return [...writes, remove(PODS, pod)];
    if (!isHealthy(pod, set, view.now())) return writes;
  }
  return writes;
}

function podOf(set: StatefulSet, ordinal: number, revisions: Revisions): NewObject {
  const { name, namespace } = set.metadata;
  const { updateStrategy, serviceName, volumeClaimTemplates = [] } = set.spec;
  const partition = updateStrategy?.type === 'OnDelete' ? 0 : (updateStrategy?.rollingUpdate?.partition ?? 0);
  const old = set.status?.currentRevision;
  const held = ordinal < (set.spec.ordinals?.start ?? 0) + partition && old !== undefined ? revisions.templateOf(old) : undefined;
  const template: PodTemplate = held ?? set.spec.template;
  const hash = held === undefined ? revisions.hash : old!.slice(name.length + 1);
  const podName = `${name}-${ordinal}`;
  const claimed = new Set(volumeClaimTemplates.map(({ metadata }) => metadata.name));
  const volumes = [
    ...volumeClaimTemplates.map(({ metadata }) => ({
      name: metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal) },
    })),
    ...(template.spec.volumes ?? []).filter((volume) => !claimed.has(volume.name)),
  ];
  return {
    metadata: {
      ...templateMetadata(template),
      name: podName,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...template.metadata?.labels,
        [REVISION_LABEL]: hash,
        'statefulset.kubernetes.io/pod-name': podName,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      ...template.spec,
      hostname: podName,
      ...(serviceName === undefined || serviceName === '' ? {} : { subdomain: serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

const claimName = (set: StatefulSet, template: string, ordinal: number): string => `${template}-${set.metadata.name}-${ordinal}`;

/** The claims of a pod that are not there yet. They stay when the pod goes. */
function claims(set: StatefulSet, ordinal: number, view: ClusterView): readonly Write[] {
  const { namespace } = set.metadata;
  return (set.spec.volumeClaimTemplates ?? []).flatMap(({ metadata, spec }) => {
    const name = claimName(set, metadata.name, ordinal);
    if (view.get(PERSISTENT_VOLUME_CLAIMS, { namespace, name }) !== undefined) return [];
    const labels = { ...set.spec.selector?.matchLabels };
    return [
      create(PERSISTENT_VOLUME_CLAIMS, {
        metadata: { ...metadata, name, ...(namespace === undefined ? {} : { namespace }), labels },
        spec,
      }),
    ];
  });
}

function statusOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number) {
  const living = pods.filter((pod) => !isFinished(pod));
  const count = (name: string): number =>
    living.filter((pod) => !isDeleted(pod) && `${set.metadata.name}-${pod.metadata.labels?.[REVISION_LABEL]}` === name).length;
  const { available, after } = availability(
    living.filter((pod) => !isDeleted(pod)),
    set.spec.minReadySeconds ?? 0,
    now,
  );
  const replicas = set.spec.replicas ?? 1;
  const ready = living.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
  const updated = count(revisions.update);
  const before = set.status?.currentRevision ?? revisions.update;
  const isRolledOut =
    set.spec.updateStrategy?.type !== 'OnDelete' && updated === replicas && ready === replicas && living.length === replicas;
  const current = isRolledOut ? revisions.update : before;
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: living.length,
    ...withoutZeros({ readyReplicas: ready, currentReplicas: count(current), updatedReplicas: updated }),
    availableReplicas: available,
    currentRevision: current,
    updateRevision: revisions.update,
    collisionCount: set.status?.collisionCount ?? 0,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return { status, after };
}
