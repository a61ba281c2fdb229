import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, OWNER, Play, problemsOf } from '../network/play.fixture.ts';
import { VETH } from './veth.ts';

const operation = VETH as never;
/** They follow from the owner. */
const MACS = { host: '52:4f:25:d0:4c:cb', container: '8e:04:40:79:cf:ed' };
const container = { name: 'eth0', addresses: ['10.1.0.5/16'], routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }] };

function play(args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  host.addForeign('cni0', { kind: 'bridge', up: true });
  prepare(host);
  return new Play(operation, args, host);
}

async function linesOf(args: JsonObject): Promise<readonly string[]> {
  const pair = play(args);
  await pair.ensure();
  return pair.host.log;
}

describe('a pair on a bridge', () => {
  it('is made without a question, by one go on the host and one in the container', async () => {
    expect(await linesOf({ host: { master: 'cni0', mtu: 1400, hairpin: true }, container: { ...container, mtu: 1400 } })).toEqual([
      `ip link add name veth8d044079 mtu 1400 address ${MACS.host} type veth peer name eth0 mtu 1400 address ${MACS.container} netns ${NETNS}`,
      `ip link set dev veth8d044079 alias ${OWNER.text} master cni0 up`,
      'ip link set dev veth8d044079 type bridge_slave hairpin on',
      'net/ipv6/conf/veth8d044079/accept_ra = 0',
      '[container] net/ipv4/conf/eth0/arp_notify = 1',
      '[container] net/ipv6/conf/eth0/accept_dad = 0',
      '[container] ip address add 10.1.0.5/16 broadcast + dev eth0',
      '[container] ip link set dev eth0 up',
      '[container] ip route prepend 0.0.0.0/0 via 10.1.0.1 dev eth0',
    ]);
  });

  it('without addresses announces none, and leaves the kernel its ways', async () => {
    const lines = await linesOf({ host: { master: 'cni0' }, container: { name: 'eth0' } });
    expect(lines.filter((line) => line.startsWith('[container]'))).toEqual(['[container] ip link set dev eth0 up']);
  });

  it('switches IPv6 on where there are addresses of it', async () => {
    expect(await linesOf({ host: { master: 'cni0' }, container: { name: 'eth0', addresses: ['fd00::5/64'] } })).toEqual(
      expect.arrayContaining([
        '[container] net/ipv6/conf/lo/disable_ipv6 = 0',
        '[container] net/ipv6/conf/eth0/disable_ipv6 = 0',
        '[container] net/ipv6/conf/eth0/keep_addr_on_down = 1',
      ]),
    );
  });

  it('of two ends has nobody to announce addresses to', async () => {
    const written = async (...addresses: string[]): Promise<readonly string[]> =>
      (await linesOf({ container: { name: 'eth0', addresses } })).filter((line) => /arp_notify|accept_dad|address add/.test(line));
    expect(await written('10.1.0.5/24')).toEqual(['[container] ip address add 10.1.0.5/24 broadcast + dev eth0']);
    // It has to be usable at once.
    expect(await written('fd00::5/64')).toEqual(['[container] ip address add fd00::5/64 dev eth0 nodad']);
  });

  it('waits for IPv6 addresses only where it is asked to, and routes after that', async () => {
    const lines = await linesOf({
      container: { name: 'eth0', enableDad: true, addresses: ['fd00::5/64'], routes: [{ to: 'default', via: 'fd00::1' }] },
    });
    expect(lines.slice(-3)).toEqual([
      '[container] ip link set dev eth0 up',
      '[container] ? ip address show dev eth0',
      '[container] ip route prepend ::/0 via fd00::1 dev eth0',
    ]);
    expect(lines).toContain('[container] net/ipv6/conf/eth0/accept_dad = 1');
  });

  it('is what it was asked for in the result', async () => {
    const pair = play({ host: { master: 'cni0' }, container });
    await pair.ensure();
    expect(pair.result()).toEqual({
      interfaces: [
        { name: 'veth8d044079', mac: MACS.host },
        { name: 'eth0', mac: MACS.container, sandbox: NETNS },
      ],
      ips: [{ address: '10.1.0.5/16', interface: 1 }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }],
    });
  });

  it('goes through gateways that are given for routes without one', async () => {
    const lines = await linesOf({
      container: {
        ...container,
        gateways: ['10.1.0.1/16', 'fd00::1/64'],
        routes: [
          { dst: '10.0.0.0/8' },
          { dst: '10.2.0.0/16', gw: '10.1.0.9' },
          { dst: 'fd01::/64' },
          { dst: '10.3.0.0/16', scope: 'link' },
        ],
      },
    });
    expect(lines.slice(-4)).toEqual([
      '[container] ip route prepend 10.0.0.0/8 via 10.1.0.1 dev eth0',
      '[container] ip route prepend 10.2.0.0/16 via 10.1.0.9 dev eth0',
      '[container] ip route prepend fd01::/64 via fd00::1 dev eth0',
      '[container] ip route prepend 10.3.0.0/16 dev eth0 scope 253',
    ]);
  });
});

describe('VLANs of the port', () => {
  const vlansOf = async (host: JsonObject): Promise<readonly string[]> =>
    (await linesOf({ host: { master: 'cni0', ...host }, container })).filter((line) => line.startsWith('bridge'));

  it.each<[JsonObject, string[]]>([
    [{ vlan: 0 }, []],
    [{ vlan: 10 }, ['del 1', 'add 10 pvid untagged']],
    [{ vlan: 1 }, ['add 1 pvid untagged']],
    [{ vlan: 10, preserveDefaultVlan: true }, ['add 10 pvid untagged']],
    [
      { vlan: 10, vlanTrunk: [{ minID: 20, maxID: 21 }, { id: 30 }, { id: 20 }] },
      ['del 1', 'add 20', 'add 21', 'add 30', 'add 10 pvid untagged'],
    ],
    [{ vlanTrunk: [{ id: 20 }] }, ['add 20', 'add 1 pvid untagged']],
  ])('%j', async (host, expected) => {
    const short = (await vlansOf(host)).map((line) => line.replace('bridge vlan ', '').replace('dev veth8d044079 vid ', ''));
    expect(short).toEqual(expected);
  });
});

describe('what stands in the way', () => {
  it('has another name where somebody else has the one', async () => {
    const pair = play({ container }, (host) => host.addForeign('veth8d044079', { kind: 'veth' }));
    const before = pair.host.state();
    expect(await pair.ensure()).toMatchObject({ host: { name: expect.stringMatching(/^veth(?!8d044079)[0-9a-f]{8}$/) } });
    expect(await pair.check()).toEqual([]);
    await pair.undo();
    expect(pair.host.state()).toEqual(before);
  });

  it('finds the other name again after it was killed', async () => {
    const pair = play({ container }, (host) => host.addForeign('veth8d044079', { kind: 'veth' }));
    const before = pair.host.state();
    // The first name was refused, the second kept and made.
    expect(await pair.ensureKilled(3)).toBe(true);
    await pair.undo();
    expect(pair.host.state()).toEqual(before);
  });

  it('says that the host has the name that was asked for', async () => {
    const pair = play({ host: { name: 'pod1' }, container }, (host) => host.addForeign('pod1'));
    await expect(pair.ensure()).rejects.toMatchObject({ code: 'exists', message: 'the host has an interface "pod1" already' });
    await pair.undo();
    expect(JSON.stringify(pair.host.state())).toContain('pod1');
  });

  it('says that the container has the interface', async () => {
    const pair = play({ container }, (host) => host.addForeign('eth0', { netns: NETNS }));
    const before = pair.host.state();
    await expect(pair.ensure()).rejects.toMatchObject({ code: 'exists', message: 'the container has an interface "eth0" already' });
    await pair.undo();
    expect(pair.host.state()).toEqual(before);
  });

  it('leaves nothing when there is no such bridge', async () => {
    const pair = play({ host: { master: 'cni7' }, container });
    const before = pair.host.state();
    await expect(pair.ensure()).rejects.toMatchObject({ code: 'missing' });
    await pair.undo();
    expect(pair.host.state()).toEqual(before);
  });
});

describe('check', () => {
  it('says what is not as it was', async () => {
    const pair = play({ host: { master: 'cni0' }, container });
    await pair.ensure();
    pair.host.removeNamespace(NETNS);
    expect(await pair.check()).toEqual(['there is no interface veth8d044079 on the host', 'interface eth0 is not in the container']);
  });
});

describe('arguments', () => {
  it.each<[JsonObject, string]>([
    [{ container: { name: 'eth0/1' } }, 'container.name: interface name "eth0/1" must not contain "/"'],
    [{ container: { name: 'eth0', mac: 'x' } }, 'container.mac: "x" is not a MAC address like 0a:58:0a:01:00:05'],
    [
      { container: { name: 'eth0', addresses: ['10.1.0.5/16', '10.1.0/16'] } },
      'container.addresses.1: "10.1.0/16" is not an IP address with a prefix length, like 10.1.0.5/16',
    ],
    [
      { container: { name: 'eth0', addresses: ['fd00::5/64'], routes: [{ to: '10.0.0.0/8', via: '10.1.0.1' }] } },
      "container.routes.0: the gateway 10.1.0.1 can't be reached: the interface has no IPv4 address",
    ],
    [
      { container: { name: 'eth0', addresses: ['fd00::5/64'], disableIPv6: true } },
      'container.disableIPv6: the interface has IPv6 addresses, which need IPv6',
    ],
    [{ host: { vlan: 7 }, container: { name: 'eth0' } }, 'host.master: only a port of a bridge has VLANs: `master` is missing'],
    [
      { host: { master: 'cni0', vlanTrunk: [{ minID: 7 }] }, container: { name: 'eth0' } },
      'host.vlanTrunk.0.maxID: minID and maxID should be configured simultaneously, maxID is missing',
    ],
    [
      { host: { master: 'cni0', vlanTrunk: [{ minID: 7, maxID: 6 }] }, container: { name: 'eth0' } },
      'host.vlanTrunk.0.minID: minID is greater than maxID in trunk parameter',
    ],
    [
      { container: { name: 'eth0', sysctls: { 'kernel.x': '1' } } },
      'container.sysctls.kernel.x: "kernel.x" is not below net, the part of a network namespace',
    ],
  ])('%j', (args, problem) => expect(problemsOf(operation, args)).toEqual([problem]));
});

it('says of its checks of MAC addresses and of its links whose they are', async () => {
  const pair = play({ host: { master: 'cni0', macSpoofCheck: true }, container });
  await pair.ensure();
  const things = await pair.inventory();
  expect(things.map(({ tag, what }) => ({ tag, what }))).toEqual([
    { tag: OWNER.text, what: 'link veth8d044079' },
    { tag: OWNER.text, what: 'check of port veth8d044079' },
  ]);
  const before = play({ host: { master: 'cni0' }, container }).host.state();
  for (const thing of things) await pair.remove(thing);
  expect(pair.host.state()).toEqual(before);
});
