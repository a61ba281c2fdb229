import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json, objectsOf, ownText, ownValue, textsOf } from '../../../../engine/object/json.ts';
import { type Clock, systemClock } from '../../../host/clock.ts';
import { stepDeadline } from '../../../linux/step-deadline.ts';
import type { PodIdentity } from '../pod-annotator.ts';
import { fieldsOf, messagesOf, textOfField, textsOfField } from './protobuf-fields.ts';
import { type UnaryCall, unaryCall } from './unary-call.ts';

/** Ids of devices by the names of their resources, in the order of their text. */
export type DevicesByResource = Readonly<Record<string, readonly string[]>>;

/** Devices that the kubelet of this node has given to the containers of a pod. Rejects where it can't be asked. */
export type PodDevices = (pod: PodIdentity, signal: AbortSignal) => Promise<DevicesByResource>;

export interface PodDevicesOptions {
  /** Folder of the kubelet. Default: /var/lib/kubelet. */
  readonly folder?: string;
  readonly call?: (request: UnaryCall) => Promise<Buffer>;
  readonly clock?: Clock;
}

const TIMEOUT = 10_000;
/** Bytes: a node has up to some hundreds of pods. */
const MAX_ANSWER = 16 * 1024 * 1024;

/**
 * Asks the kubelet by its API for pod resources, and where it has none looks into the file in which its device manager keeps what it gave.
 * Kubernetes: kubelet/pkg/apis/podresources/v1; pkg/kubelet/cm/devicemanager/checkpoint.
 */
export function kubeletPodDevices({
  folder = '/var/lib/kubelet',
  call = unaryCall,
  clock = systemClock,
}: PodDevicesOptions = {}): PodDevices {
  const socket = join(folder, 'pod-resources/kubelet.sock');
  const checkpoint = join(folder, 'device-plugins/kubelet_internal_checkpoint');
  return async (pod, signal) => {
    if (existsSync(socket)) {
      const method = '/v1.PodResourcesLister/List';
      const limit = stepDeadline(clock, TIMEOUT, signal);
      try {
        const request = { socket, method, message: Buffer.alloc(0), timeout: TIMEOUT, maxAnswer: MAX_ANSWER, signal: limit.signal };
        return devicesOfAnswer(await call(request), pod);
      } finally {
        limit.end();
      }
    }
    const text = await readFile(checkpoint, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new Error(`the kubelet can't be asked for devices: there is no ${socket}, and no ${checkpoint}`);
      throw error;
    });
    return devicesOfCheckpoint(text, pod);
  };
}

/** Of a ListPodResourcesResponse. Throws where it is none. */
export function devicesOfAnswer(answer: Buffer, { namespace, name }: PodIdentity): DevicesByResource {
  const given: (readonly [resource: string, ids: readonly string[]])[] = [];
  for (const message of messagesOf(fieldsOf(answer), 1)) {
    const pod = fieldsOf(message);
    if (textOfField(pod, 1) !== name || textOfField(pod, 2) !== namespace) continue;
    for (const container of messagesOf(pod, 3).map(fieldsOf)) {
      for (const devices of messagesOf(container, 2).map(fieldsOf)) given.push([textOfField(devices, 1), textsOfField(devices, 2)]);
    }
  }
  return byResource(given);
}

/** Of the device manager's file. It knows pods by their ids only. Throws where it can't be read. */
export function devicesOfCheckpoint(text: string, { uid }: PodIdentity): DevicesByResource {
  if (uid === '') throw new Error('devices are kept by the id of the pod, which is not known');
  const document = JSON.parse(text) as Json;
  const data = isJsonObject(document) ? ownValue(document, 'Data') : undefined;
  const entries = isJsonObject(data) ? objectsOf(ownValue(data, 'PodDeviceEntries')) : [];
  return byResource(
    entries
      .filter((entry) => ownText(entry, 'PodUID') === uid)
      .map((entry) => [ownText(entry, 'ResourceName'), idsOf(ownValue(entry, 'DeviceIDs'))]),
  );
}

/** By NUMA node; of kubelets before 1.20 as a list. */
function idsOf(value: Json | undefined): readonly string[] {
  return isJsonObject(value) ? Object.values(value).flatMap((ids) => textsOf(ids)) : textsOf(value);
}

function byResource(given: readonly (readonly [resource: string, ids: readonly string[]])[]): DevicesByResource {
  const found = new Map<string, Set<string>>();
  for (const [resource, ids] of given) {
    const known = found.get(resource) ?? new Set();
    for (const id of ids) known.add(id);
    found.set(resource, known);
  }
  return Object.fromEntries([...found].map(([resource, ids]) => [resource, [...ids].sort()]));
}
