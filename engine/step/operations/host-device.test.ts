import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, OWNER, Play, problemsOf } from '../network/play.fixture.ts';
import { HOST_DEVICE } from './host-device.ts';

const operation = HOST_DEVICE as never;
const PCI = '0000:3b:02.1';

function play(args: JsonObject, ...files: readonly string[]): Play {
  const host = new ModelHost(NETNS);
  host.addForeign('ens7', { up: true, addresses: ['192.0.2.9/24'] });
  for (const path of files) host.files.set(path, '');
  return new Play(operation, { name: 'net1', ...args }, host);
}

it('is tagged, and moved and renamed by one message', async () => {
  const device = play({ device: 'ens7', addresses: ['10.1.0.5/16'] });
  await device.ensure();
  expect(device.host.log.filter((line) => line.includes('link set'))).toEqual([
    `ip link set dev ens7 alias ${OWNER.text}`,
    `ip link set dev ens7 netns ${NETNS} name net1`,
    '[container] ip link set dev net1 up',
  ]);
});

it('gets its name back before it comes back, and then all else', async () => {
  const device = play({ device: 'ens7' });
  await device.ensure();
  device.host.log.length = 0;
  await device.undo();
  expect(device.host.log.filter((line) => !line.includes('? '))).toEqual([
    '[container] ip link set dev net1 down',
    '[container] ip link set dev net1 name ens7',
    '[container] ip link set dev ens7 netns /proc/4711/ns/net',
    'ip link set dev ens7 up',
    'ip address add 192.0.2.9/24 broadcast + dev ens7',
    'ip link set dev ens7 alias ',
  ]);
});

it('comes back under the name of an interface of the container too', async () => {
  const device = play({ device: 'ens7' });
  const before = device.host.state();
  await device.ensure();
  device.host.addForeign('ens7', { netns: NETNS });
  await device.undo();
  device.host.removeLinkOf(NETNS, 'ens7');
  expect(device.host.state()).toEqual(before);
});

describe('comes back by itself with the namespace, and becomes what it was', () => {
  const hostOf = (device: Play): string => JSON.stringify(device.host.links('host'));

  it.each<[string, JsonObject, (host: ModelHost) => Promise<unknown> | undefined, number]>([
    ['at once', { mtu: 1400 }, () => undefined, 0],
    ['after a while', { mtu: 1400 }, () => undefined, 5],
    ['under a name that is free, as the host has one like it had inside', { name: 'eth0' }, () => undefined, 1],
    ['with an address that the step gave it', { name: 'eth0', mac: '02:00:00:00:00:07' }, () => undefined, 0],
    [
      'with an address that the container gave it',
      { name: 'eth0' },
      (host) =>
        host.perform({
          kind: 'iproute',
          program: 'ip',
          netns: NETNS,
          commands: [{ words: ['link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:08'] }],
        }),
      0,
    ],
  ])('%s', async (_, args, meanwhile, slow) => {
    const device = play({ device: 'ens7', ...args });
    const before = hostOf(device);
    await device.ensure();
    await meanwhile(device.host);
    device.host.removeNamespace(NETNS, { slow });
    device.netnsGone = true;
    await device.undo();
    expect(hostOf(device)).toBe(before);
  });

  it('or does not, when it was pulled out', async () => {
    const device = play({ device: 'ens7' });
    await device.ensure();
    device.host.removeNamespace(NETNS, { slow: 1_000_000 });
    device.netnsGone = true;
    await device.undo();
    expect(hostOf(device)).not.toContain('ens7');
  });

  it('is not waited for when it never went', async () => {
    const device = play({ device: 'ens7' });
    const before = hostOf(device);
    // Its state is remembered, and nothing is done.
    device.host.patience = 1;
    await expect(device.ensure()).rejects.toThrow();
    device.host.patience = Number.POSITIVE_INFINITY;
    device.host.removeNamespace(NETNS);
    device.netnsGone = true;
    device.host.log.length = 0;
    await device.undo();
    expect(hostOf(device)).toBe(before);
    expect(device.host.log.filter((line) => line.includes('? '))).toHaveLength(2);
  });
});

describe('is found', () => {
  it.each<[string, JsonObject, string[]]>([
    ['by its name', { device: 'ens7' }, []],
    ['by its MAC address', { deviceMac: '52:54:00:00:00:02' }, []],
    ['by its folder', { kernelPath: '/sys/devices/pci0000:00/0000:3b:02.1' }, ['/sys/devices/pci0000:00/0000:3b:02.1/net/ens7']],
    ['by its address on the PCI bus', { pciAddress: PCI }, [`/sys/bus/pci/devices/${PCI}/net/ens7`]],
    ['by its name on the auxiliary bus', { auxiliaryDevice: 'mlx5_core.sf.2' }, ['/sys/bus/auxiliary/devices/mlx5_core.sf.2/net/ens7']],
  ])('%s', async (_, args, files) => {
    const device = play(args, ...files);
    expect(await device.ensure()).toMatchObject({ name: 'net1', mac: '52:54:00:00:00:02' });
  });

  it.each<[JsonObject, string]>([
    [{ device: 'ens8' }, 'failed to find host device: the host has no network device "ens8"'],
    [{ deviceMac: '02:00:00:00:00:09' }, 'failed to find host device: the host has no network device "02:00:00:00:00:09"'],
    [{ pciAddress: PCI }, `failed to find host device: the host has no network device "${PCI}"`],
  ])('or not: %j', async (args, message) => {
    const device = play(args);
    const before = device.host.state();
    await expect(device.ensure()).rejects.toMatchObject({ code: 'missing', message });
    await device.undo();
    expect(device.host.state()).toEqual(before);
  });
});

it('tells its address on the PCI bus in the result', async () => {
  const device = play({ pciAddress: PCI }, `/sys/bus/pci/devices/${PCI}/net/ens7`);
  await device.ensure();
  expect(device.result()?.interfaces).toEqual([{ name: 'net1', mac: '52:54:00:00:00:02', sandbox: NETNS, pciID: PCI }]);
});

it('stays where it is when a program has it to itself', async () => {
  const device = play({ pciAddress: PCI, addresses: ['10.1.0.5/16'] }, `/sys/bus/pci/drivers/vfio-pci/${PCI}`);
  const before = device.host.state();
  await device.ensure();
  expect(device.host.state()).toEqual(before);
  expect(device.result()).toEqual({
    interfaces: [{ name: 'net1', sandbox: NETNS, pciID: PCI }],
    ips: [{ address: '10.1.0.5/16', interface: 0 }],
  });
  expect(await device.check()).toEqual([]);
});

it('is not moved over an interface of the container', async () => {
  const device = play({ device: 'ens7' });
  device.host.addForeign('net1', { netns: NETNS });
  const before = device.host.state();
  await expect(device.ensure()).rejects.toMatchObject({ code: 'exists', message: 'the container has an interface "net1" already' });
  await device.undo();
  expect(device.host.state()).toEqual(before);
});

it('is not taken from another container', async () => {
  const device = play({ device: 'ens7' });
  device.host.tag('ens7', 'fairlead:other:0123456789abcdef');
  await expect(device.ensure()).rejects.toMatchObject({ code: 'busy', message: 'ens7 belongs to fairlead:other:0123456789abcdef' });
});

it.each<[JsonObject, string]>([
  [{}, ': specify one of device, deviceMac, kernelPath, pciAddress, auxiliaryDevice'],
  [{ device: 'a', pciAddress: PCI }, ': specify one of device, deviceMac, kernelPath, pciAddress, auxiliaryDevice'],
  [{ kernelPath: '/proc/1' }, 'kernelPath: the path must begin with /sys/devices/'],
  [{ kernelPath: '/sys/devices/../x' }, 'kernelPath: the path must not lead upwards'],
  [{ pciAddress: '../../x' }, 'pciAddress: "../../x" is not an address like 0000:3b:02.1'],
  [{ auxiliaryDevice: '../x' }, 'auxiliaryDevice: "../x" is not the name of a device'],
])('does not take %j', (args, problem) => expect(problemsOf(operation, { name: 'net1', ...args })).toEqual([problem]));
