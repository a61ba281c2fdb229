import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { devicesOfAnswer, devicesOfCheckpoint, kubeletPodDevices } from './pod-devices.ts';
import { fieldsOf } from './protobuf-fields.ts';
import type { UnaryCall } from './unary-call.ts';

const SIGNAL = new AbortController().signal;
const WEB = { namespace: 'shop', name: 'web', uid: 'u1' };

/** A field that is a text or a message. Protocol Buffers: wire type 2. */
function field(number: number, value: string | readonly Buffer[]): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.concat(value);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
const devices = (resource: string, ...ids: readonly string[]) => field(2, [field(1, resource), ...ids.map((id) => field(2, id))]);
const container = (...parts: readonly Buffer[]) => field(3, [field(1, 'main'), ...parts]);
const pod = (namespace: string, name: string, ...containers: readonly Buffer[]) =>
  field(1, [field(1, name), field(2, namespace), ...containers]);

describe('devices of a pod', () => {
  it('are those of all of its containers, in order', () => {
    const numbers = Buffer.from([0x18, 0xff, 0x01, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2, 3, 4]);
    const answer = Buffer.concat([
      pod('bank', 'web', container(devices('example.com/nic', '9'))),
      pod(
        'shop',
        'web',
        container(devices('example.com/nic', '0000:18:02.6', '0000:18:02.1'), numbers),
        container(devices('example.com/nic', '0000:18:02.5')),
      ),
      pod('shop', 'web-1', container(devices('example.com/nic', '8'))),
      pod('shop', 'web', container(devices('example.com/gpu', 'x'.repeat(200)), devices('example.com/none'))),
    ]);
    expect(devicesOfAnswer(answer, WEB)).toEqual({
      'example.com/nic': ['0000:18:02.1', '0000:18:02.5', '0000:18:02.6'],
      'example.com/gpu': ['x'.repeat(200)],
      'example.com/none': [],
    });
    expect(devicesOfAnswer(Buffer.alloc(0), WEB)).toEqual({});
  });

  it.each([
    ['a field that ends too soon', [0x0a, 5, 1], 'a message ends within a field'],
    ['a number without an end', [0x08, 0x80], 'a message ends within a number'],
    ['a number that is too long', [0x08, ...Array.from({ length: 11 }, () => 0xff)], 'a message ends within a number'],
    ['a type that is none', [0x0b], 'a message has a field of type 3'],
    ['a length beyond all', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 'a message ends within a field'],
  ])('are not read of %s', (_what, bytes, message) => {
    expect(() => fieldsOf(Buffer.from(bytes))).toThrow(message);
  });

  const entry = (uid: string, resource: string, ids: unknown) => ({
    PodUID: uid,
    ContainerName: 'main',
    ResourceName: resource,
    DeviceIDs: ids,
    AllocResp: '',
  });
  const checkpoint = JSON.stringify({
    Data: {
      PodDeviceEntries: [
        entry('u1', 'example.com/nic', { '1': ['0000:18:02.6'], '0': ['0000:18:02.5'] }),
        entry('u2', 'example.com/nic', { '0': ['0000:18:02.1'] }),
        entry('u1', 'example.com/old', ['b', 'a']),
        entry('u1', 'example.com/nic', { '-1': ['0000:18:02.5', 7] }),
      ],
      RegisteredDevices: {},
    },
    Checksum: 1,
  });

  it('are kept by the kubelet in a file, too', () => {
    expect(devicesOfCheckpoint(checkpoint, WEB)).toEqual({
      'example.com/nic': ['0000:18:02.5', '0000:18:02.6'],
      'example.com/old': ['a', 'b'],
    });
    expect(devicesOfCheckpoint(checkpoint, { ...WEB, uid: 'u3' })).toEqual({});
    expect(() => devicesOfCheckpoint(checkpoint, { ...WEB, uid: '' })).toThrow('by the id of the pod, which is not known');
    expect(devicesOfCheckpoint('[]', WEB)).toEqual({});
    expect(() => devicesOfCheckpoint('', WEB)).toThrow();
  });

  describe('of this node', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'flf-kubelet-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const put = (path: string, text: string): void => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    };

    it('are asked for where the kubelet can be asked', async () => {
      put('device-plugins/kubelet_internal_checkpoint', checkpoint);
      put('pod-resources/kubelet.sock', '');
      const calls: UnaryCall[] = [];
      const call = async (request: UnaryCall): Promise<Buffer> => {
        calls.push(request);
        return pod('shop', 'web', container(devices('example.com/nic', '1')));
      };
      expect(await kubeletPodDevices({ folder, call })(WEB, SIGNAL)).toEqual({ 'example.com/nic': ['1'] });
      expect(calls).toMatchObject([{ socket: join(folder, 'pod-resources/kubelet.sock'), method: '/v1.PodResourcesLister/List' }]);
    });

    it('are looked for in its file where it can not', async () => {
      put('device-plugins/kubelet_internal_checkpoint', checkpoint);
      expect(Object.keys(await kubeletPodDevices({ folder })(WEB, SIGNAL))).toEqual(['example.com/nic', 'example.com/old']);
    });

    it('are not known where there is no kubelet', async () => {
      await expect(kubeletPodDevices({ folder })(WEB, SIGNAL)).rejects.toThrow(
        `the kubelet can't be asked for devices: there is no ${folder}/pod-resources/kubelet.sock, and no ${folder}/device-plugins`,
      );
    });
  });
});
