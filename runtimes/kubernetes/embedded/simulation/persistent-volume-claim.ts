import { compareQuantities } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { jsonEqual } from '../../../../engine/object/json.ts';
import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import { isDeleted, untyped } from '../control-loop/kind.ts';
import { NOTHING_TO_DO, type SyncResult } from '../control-loop/object-controller.ts';
import { create, remove, update, updateStatus, type Write } from '../control-loop/write.ts';
import { quantityOf } from '../resource-amounts/resource-list.ts';
import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  STORAGE_CLASSES,
} from './kinds.ts';

/** The provisioner whose volumes the simulation makes up. Those of others are left to them. */
export const SIMULATED_PROVISIONER = 'simulation.fairlead.dev/volumes';
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

/** Finds or makes a volume for a claim. Kubernetes: pkg/controller/volume/persistentvolume/pv_controller.go. */
export function syncPersistentVolumeClaim(claim: PersistentVolumeClaim, view: ClusterView): SyncResult {
  if (isDeleted(claim)) return NOTHING_TO_DO;
  const { namespace, name, uid, annotations } = claim.metadata;
  if (claim.status?.phase === 'Bound') return NOTHING_TO_DO;
  const volume = claim.spec.volumeName ? view.get(PERSISTENT_VOLUMES, { name: claim.spec.volumeName }) : findVolume(claim, view);
  if (volume === undefined) return claim.spec.volumeName ? NOTHING_TO_DO : provision(claim, view);
  const { claimRef } = volume.spec;
  if (claimRef !== undefined && !(claimRef.namespace === namespace && claimRef.name === name && (claimRef.uid ?? uid) === uid))
    return NOTHING_TO_DO;
  const writes: Write[] = [];
  if (claimRef?.uid === undefined) {
    const bound = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
    writes.push(update(PERSISTENT_VOLUMES, { ...volume, spec: { ...volume.spec, claimRef: bound } } as PersistentVolume));
  }
  if (claim.spec.volumeName === volume.metadata.name && annotations?.[BIND_COMPLETED] === 'yes') {
    const status = {
      ...claim.status,
      phase: 'Bound',
      accessModes: volume.spec.accessModes ?? [],
      capacity: { ...volume.spec.capacity },
    };
    return { writes: [...writes, updateStatus(PERSISTENT_VOLUME_CLAIMS, { ...claim, status } as PersistentVolumeClaim)] };
  }
  // Its status follows: what is written now brings the claim here again.
  const marks = { ...annotations, [BIND_COMPLETED]: 'yes', ...(claim.spec.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }) };
  const spec = { ...claim.spec, volumeName: volume.metadata.name };
  return {
    writes: [
      ...writes,
      update(PERSISTENT_VOLUME_CLAIMS, { ...claim, metadata: { ...claim.metadata, annotations: marks }, spec } as PersistentVolumeClaim),
    ],
  };
}

/** The smallest volume that will do. */
function findVolume(claim: PersistentVolumeClaim, view: ClusterView): PersistentVolume | undefined {
  const { namespace, name, uid } = claim.metadata;
  const wanted = quantityOf(claim.spec.resources?.requests?.['storage']);
  const selector = claim.spec.selector === undefined ? undefined : selectorOf(claim.spec.selector);
  let best: PersistentVolume | undefined;
  for (const volume of view.list(PERSISTENT_VOLUMES)) {
    const { claimRef, capacity, accessModes = [], storageClassName = '', volumeMode = 'Filesystem' } = volume.spec;
    if (isDeleted(volume)) continue;
    if (claimRef !== undefined) {
      if (claimRef.namespace === namespace && claimRef.name === name && (claimRef.uid ?? uid) === uid) return volume;
      continue;
    }
    if (storageClassName !== (claim.spec.storageClassName ?? '') || volumeMode !== (claim.spec.volumeMode ?? 'Filesystem')) continue;
    if (!(claim.spec.accessModes ?? []).every((mode) => accessModes.includes(mode))) continue;
    if (selector !== undefined && !selector.matches(volume.metadata.labels)) continue;
    const size = quantityOf(capacity?.['storage']);
    if (compareQuantities(size, wanted) < 0) continue;
    if (best === undefined || compareQuantities(size, quantityOf(best.spec.capacity?.['storage'])) < 0) best = volume;
  }
  return best;
}

function provision(claim: PersistentVolumeClaim, view: ClusterView): SyncResult {
  const { storageClassName } = claim.spec;
  const storageClass = storageClassName ? view.get(STORAGE_CLASSES, { name: storageClassName }) : undefined;
  if (storageClass?.provisioner !== SIMULATED_PROVISIONER || claim.spec.selector !== undefined) return NOTHING_TO_DO;
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !isUsed(claim, view)) return NOTHING_TO_DO;
  const { namespace, name, uid } = claim.metadata;
  const volume = {
    metadata: { name: `pvc-${uid}`, annotations: { [PROVISIONED_BY]: SIMULATED_PROVISIONER } },
    spec: {
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: `/var/lib/simulated-volumes/${uid}` },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
    },
  };
  return { writes: [create(PERSISTENT_VOLUMES, volume)] };
}

const usesClaim = ({ spec }: Pod, name: string): boolean =>
  (spec.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name);

const isUsed = ({ metadata }: PersistentVolumeClaim, view: ClusterView): boolean =>
  view.list(PODS, metadata.namespace).some((pod) => usesClaim(pod, metadata.name));

/** Says of a volume whether it is free, bound, or left behind, and deletes what was made for a claim that is gone. */
export function syncPersistentVolume(volume: PersistentVolume, view: ClusterView): SyncResult {
  if (isDeleted(volume)) return NOTHING_TO_DO;
  const { claimRef } = volume.spec;
  const claim =
    claimRef?.name === undefined ? undefined : view.get(PERSISTENT_VOLUME_CLAIMS, { namespace: claimRef.namespace, name: claimRef.name });
  const isBound = claim !== undefined && claim.metadata.uid === claimRef?.uid;
  const phase = isBound ? 'Bound' : claimRef?.uid === undefined ? 'Available' : 'Released';
  if (
    phase === 'Released' &&
    volume.spec.persistentVolumeReclaimPolicy === 'Delete' &&
    volume.metadata.annotations?.[PROVISIONED_BY] === SIMULATED_PROVISIONER
  )
    return { writes: [remove(PERSISTENT_VOLUMES, volume)] };
  const status = { ...volume.status, phase };
  if (jsonEqual(untyped(status), untyped(volume.status ?? {}))) return NOTHING_TO_DO;
  return { writes: [updateStatus(PERSISTENT_VOLUMES, { ...volume, status } as PersistentVolume)] };
}
