import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { argumentsOf, NETNS, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

/*
 * What `Operation` promises, held against a host of paper for every operation on links, addresses, routes and kernel parameters: wherever
 * `ensure` is interrupted, running it again ends as if it had run once, and undoing it leaves the host as it was.
 */

interface Case {
  readonly operation: string;
  readonly arguments: JsonObject;
  /** What must be there before. */
  readonly before?: (host: ModelHost) => void;
  /** What `undo` leaves on purpose. */
  readonly stays?: boolean;
}

const eth0 = { name: 'eth0', addresses: ['10.1.0.5/16', 'fd00:1::5/64'], routes: [{ to: 'default', via: '10.1.0.1' }] };
const withBridge = (host: ModelHost): void => host.addForeign('cni0', { kind: 'bridge', up: true });
const withTunnel = (host: ModelHost): void => host.addForeign('vxlan.1', { kind: 'vxlan', up: true });
const withInterface = (host: ModelHost): void => host.addForeign('eth0', { kind: 'veth', netns: NETNS, up: true });
const withDevice = (host: ModelHost): void => host.addForeign('ens7', { up: true, addresses: ['192.0.2.9/24'] });

const CASES: readonly Case[] = [
  {
    operation: 'bridge',
    arguments: { name: 'cni0', addresses: ['10.1.0.1/16', 'fd00:1::1/64'], promiscuous: true, vlanFiltering: true },
    stays: true,
  },
  { operation: 'bridge', arguments: { name: 'cni0', addresses: ['10.1.0.1/16'], vlan: 10 }, stays: true },
  { operation: 'veth', before: withBridge, arguments: { host: { master: 'cni0' }, container: eth0 } },
  {
    operation: 'veth',
    before: withBridge,
    arguments: {
      host: { master: 'cni0', hairpin: true, isolated: true, vlan: 10, vlanTrunk: [{ minID: 20, maxID: 22 }], macSpoofCheck: true },
      container: { ...eth0, mac: '02:00:00:00:00:05', mtu: 1400, sysctls: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } },
    },
  },
  {
    operation: 'veth',
    arguments: {
      host: { addresses: ['10.1.0.1/32'], routes: [{ to: '10.1.0.5', scope: 'host' }] },
      container: {
        ...eth0,
        prefixRoutes: false,
        routes: [
          { to: '10.1.0.1', scope: 'link' },
          { to: '10.1.0.0/16', via: '10.1.0.1' },
        ],
      },
    },
  },
  { operation: 'macvlan', arguments: { ...eth0, mode: 'bridge', mtu: 1400 } },
  { operation: 'macvlan', arguments: { ...eth0, master: 'eth0', mode: 'passthru' } },
  { operation: 'ipvlan', arguments: { ...eth0, master: 'eth0' } },
  { operation: 'vlan', arguments: { ...eth0, master: 'eth0', id: 7, mac: '02:00:00:00:00:05' } },
  { operation: 'dummy', arguments: eth0 },
  {
    operation: 'tap',
    before: (host) => host.addForeign('br0', { kind: 'bridge', netns: NETNS, up: true }),
    arguments: { ...eth0, name: 'tap0', bridge: 'br0', owner: 1000, multiQueue: true },
  },
  {
    operation: 'hostDevice',
    before: withDevice,
    arguments: { ...eth0, name: 'net1', device: 'ens7', mtu: 1400, mac: '02:00:00:00:00:05' },
  },
  { operation: 'hostDevice', before: withDevice, arguments: { name: 'net1', deviceMac: '52:54:00:00:00:02' } },
  {
    operation: 'vxlan',
    arguments: { name: 'vxlan.1', id: 1, local: '192.0.2.7', addresses: ['10.244.1.0/32'] },
  },
  {
    operation: 'vxlanPeer',
    before: withTunnel,
    arguments: { dev: 'vxlan.1', id: 1, node: '192.0.2.8', networks: ['10.244.2.0/24', 'fd00:2::/64'] },
  },
  { operation: 'address', arguments: { dev: 'eth0', addresses: ['192.0.2.7/24', '10.5.0.1/24', 'fd00:5::1/64'] } },
  { operation: 'address', before: withInterface, arguments: { dev: 'eth0', addresses: ['10.5.0.1/24'], in: 'container' } },
  {
    operation: 'route',
    arguments: {
      routes: [
        { to: '10.5.0.0/16', via: '192.0.2.1' },
        { to: 'fd00:5::/64', metric: 7 },
        { to: '10.6.0.0/16', type: 'blackhole' },
      ],
      dev: 'eth0',
    },
  },
  { operation: 'route', before: withInterface, arguments: { routes: [{ to: 'default', table: 100 }], dev: 'eth0', in: 'container' } },
  { operation: 'rule', arguments: { from: '10.1.0.5', table: 100, priority: 1000 } },
  { operation: 'rule', arguments: { fwmark: '0x1/0xf', iif: 'eth0', table: 100, priority: 1000, families: [4, 6], in: 'container' } },
  { operation: 'sysctl', arguments: { values: { 'net.ipv4.ip_forward': '1' }, restore: true } },
  { operation: 'sysctl', arguments: { values: { 'net.ipv4.ip_forward': '1' } }, stays: true },
  {
    operation: 'sysctl',
    before: withInterface,
    arguments: { values: { 'net/ipv4/conf/IFNAME/rp_filter': '2', 'net.ipv4.ip_forward': '1' }, dev: 'eth0', in: 'container' },
  },
  {
    operation: 'tuning',
    before: withInterface,
    arguments: {
      dev: 'eth0',
      mac: '02:00:00:00:00:05',
      mtu: 1400,
      promisc: true,
      allmulti: true,
      txQLen: 50,
      sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' },
    },
  },
];

function begin({ operation, arguments: args, before }: Case): Play {
  const host = new ModelHost(NETNS);
  before?.(host);
  return new Play(OPERATIONS.get(operation)!, args, host);
}

/** Where a plan can be killed: after no command, after one, ... up to the last. */
async function commandsOf(each: Case): Promise<number[]> {
  const play = begin(each);
  const all = play.host.log;
  await play.ensure();
  return Array.from({ length: all.filter((line) => !line.includes('? ')).length + 1 }, (_, index) => index);
}

describe.each(CASES)('$operation $arguments', (each) => {
  it('has valid arguments', () => {
    expect(problemsOf(OPERATIONS.get(each.operation)!, each.arguments)).toEqual([]);
  });

  it('says in one line what it does', () => {
    const operation = OPERATIONS.get(each.operation)!;
    expect(operation.describe(argumentsOf(operation, each.arguments))).toMatch(/^[ -~]{5,}$/);
  });

  it('is well after it was ensured, and not before', async () => {
    const play = begin(each);
    expect(await play.check()).not.toEqual([]);
    await play.ensure();
    expect(await play.check()).toEqual([]);
  });

  it('changes nothing when it is ensured again', async () => {
    const play = begin(each);
    const outputs = await play.ensure();
    const once = play.host.state();
    expect(await play.ensure()).toEqual(outputs);
    expect(play.host.state()).toEqual(once);
  });

  it('foretells outputs as they come', async () => {
    const play = begin(each);
    const predicted = play.predict();
    expect(await play.ensure()).toMatchObject(predicted);
  });

  it('ends as if it had run once, wherever it was killed', async () => {
    const whole = begin(each);
    const outputs = await whole.ensure();
    for (const commands of await commandsOf(each)) {
      const play = begin(each);
      await play.ensureKilled(commands);
      expect(await play.ensure(), `killed after ${commands}`).toEqual(outputs);
      expect(play.host.state(), `killed after ${commands}: ${play.host.log.join('; ')}`).toEqual(whole.host.state());
    }
  });

  it.skipIf(each.stays)('leaves the host as it was when it is undone, wherever it was killed', async () => {
    const before = begin(each).host.state();
    for (const commands of await commandsOf(each)) {
      const play = begin(each);
      await play.ensureKilled(commands);
      await play.undo();
      expect(play.host.state(), `killed after ${commands}: ${play.host.log.join('; ')}`).toEqual(before);
      await play.undo();
      expect(play.host.state()).toEqual(before);
    }
  });

  it.skipIf(each.stays)('goes on with undoing, wherever that was killed', async () => {
    const before = begin(each).host.state();
    for (let commands = 0; ; commands++) {
      const play = begin(each);
      await play.ensure();
      const wasKilled = await play.undoKilled(commands);
      await play.undo();
      expect(play.host.state(), `killed after ${commands}: ${play.host.log.join('; ')}`).toEqual(before);
      if (!wasKilled) break;
    }
  });

  it.skipIf(each.stays)('leaves the host as it was without the namespace, when that is gone', async () => {
    const before = begin(each);
    before.host.removeNamespace(NETNS);
    const play = begin(each);
    await play.ensure();
    play.host.removeNamespace(NETNS);
    play.netnsGone = true;
    await play.undo();
    expect(play.host.state()).toEqual(before.host.state());
    await play.undo();
    expect(play.host.state()).toEqual(before.host.state());
  });

  it('leaves the host as it was when it never began', async () => {
    const play = begin(each);
    const before = play.host.state();
    await play.undo();
    expect(play.host.state()).toEqual(before);
  });
});
