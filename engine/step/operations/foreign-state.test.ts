import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

/*
 * Addresses, routes, rules and kernel parameters carry no tag: what somebody else has put there is left alone.
 */

function play(operation: string, args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  prepare(host);
  return new Play(OPERATIONS.get(operation)!, args, host);
}

it('keeps addresses that were there before', async () => {
  const addresses = play('address', { dev: 'eth0', addresses: ['192.0.2.7/24', '10.5.0.1/24'] });
  const before = addresses.host.state();
  await addresses.ensure();
  await addresses.undo();
  expect(addresses.host.state()).toEqual(before);
});

it.each<[string, JsonObject, (host: ModelHost) => void, string]>([
  [
    'route',
    { routes: [{ to: '10.4.0.0/16' }, { to: '10.5.0.0/16', via: '192.0.2.1' }], dev: 'eth0' },
    (host) => host.addForeignRoute('10.5.0.0/16', 'via 192.0.2.9 dev eth0'),
    'there is another route to 10.5.0.0/16 already',
  ],
  [
    'route',
    { routes: [{ to: '10.5.0.0/16' }], dev: 'eth0' },
    (host) => host.addForeignRoute('10.5.0.0/16', 'dev eth0 proto 250'),
    'there is another route to 10.5.0.0/16 already',
  ],
  [
    'rule',
    { from: '10.1.0.5', table: 100, priority: 1000 },
    (host) => host.addForeignRule('host 4 priority 1000 from 10.1.0.5/32 table 100 protocol 250'),
    'there is such a rule already, with priority 1000',
  ],
])('%s fails where somebody else has %j', async (operation, args, prepare, message) => {
  const step = play(operation, args, prepare);
  const before = step.host.state();
  await expect(step.ensure()).rejects.toMatchObject({ code: 'exists', message });
  await step.undo();
  expect(step.host.state()).toEqual(before);
});

describe('a tunnel', () => {
  it('does not replace a link of somebody else', async () => {
    const tunnel = play('vxlan', { name: 'vxlan.1', id: 1, local: '192.0.2.7' }, (host) => host.addForeign('vxlan.1', { kind: 'vxlan' }));
    const before = tunnel.host.state();
    await expect(tunnel.ensure()).rejects.toMatchObject({ code: 'exists', message: 'the host has an interface "vxlan.1" already' });
    await tunnel.undo();
    expect(tunnel.host.state()).toEqual(before);
  });

  it('has the MAC address that its peers expect', async () => {
    const tunnel = play('vxlan', { name: 'vxlan.1', id: 1, local: '192.0.2.7' });
    const { mac } = await tunnel.ensure();
    const peer = play('vxlanPeer', { dev: 'vxlan.1', id: 1, node: '192.0.2.7', networks: ['10.244.1.0/24'] }, (host) =>
      host.addForeign('vxlan.1', { kind: 'vxlan', up: true }),
    );
    await peer.ensure();
    expect(peer.host.log).toEqual([
      `bridge fdb replace ${mac} dev vxlan.1 dst 192.0.2.7 self permanent`,
      `ip neighbour replace 10.244.1.0 lladdr ${mac} dev vxlan.1 nud permanent`,
      'ip route add 10.244.1.0/24 via 10.244.1.0 dev vxlan.1 onlink proto 250',
    ]);
  });

  it('leads to a network by one node, and to another after that', async () => {
    const host = new ModelHost(NETNS);
    host.addForeign('vxlan.1', { kind: 'vxlan', up: true });
    const args = { dev: 'vxlan.1', id: 1, networks: ['10.244.1.0/24'] };
    await new Play(OPERATIONS.get('vxlanPeer')!, { ...args, node: '192.0.2.7' }, host).ensure();
    const next = new Play(OPERATIONS.get('vxlanPeer')!, { ...args, node: '192.0.2.8' }, host);
    await next.ensure();
    expect(await next.check()).toEqual([]);
  });

  it('does not take a network from a route of somebody else', async () => {
    const peer = play('vxlanPeer', { dev: 'vxlan.1', id: 1, node: '192.0.2.8', networks: ['10.244.2.0/24'] }, (host) => {
      host.addForeign('vxlan.1', { kind: 'vxlan', up: true });
      host.addForeignRoute('10.244.2.0/24', 'via 192.0.2.1 dev eth0');
    });
    await expect(peer.ensure()).rejects.toMatchObject({ code: 'exists' });
  });
});

describe('kernel parameters', () => {
  it('are not given back after somebody else has changed them', async () => {
    const step = play('sysctl', { values: { 'net.ipv4.ip_forward': '1' }, restore: true });
    await step.ensure();
    await step.host.perform({ kind: 'sysctl-write', netns: undefined, key: 'net/ipv4/ip_forward', value: '2' });
    await step.undo();
    expect(await step.host.perform({ kind: 'sysctl-read', netns: undefined, key: 'net/ipv4/ip_forward' })).toBe('2');
  });

  it('are named when they differ', async () => {
    const step = play('sysctl', { values: { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.eth9.rp_filter': '1' } });
    expect(await step.check()).toEqual(['net/ipv4/ip_forward is 0, not 1', 'the kernel has no net/ipv4/conf/eth9/rp_filter']);
  });
});

describe('tuning', () => {
  const withInterface = (host: ModelHost): void => host.addForeign('eth0', { kind: 'veth', netns: NETNS, up: true });

  it('needs the interface', async () => {
    await expect(play('tuning', { dev: 'eth9', mtu: 1400 }).ensure()).rejects.toMatchObject({
      code: 'missing',
      message: 'the container has no interface "eth9"',
    });
  });

  it.each<[string, string | undefined]>([
    ['^net.core.somaxconn$\n^net\\.ipv4\\.conf\\.IFNAME\\.arp_filter$\n', undefined],
    [
      '\n^net.core.somaxconn$\n',
      'Sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed. Only the following sysctls are allowed: [^net.core.somaxconn$]',
    ],
    ['', 'Sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed. Only the following sysctls are allowed: []'],
  ])('heeds what the administrator allows: %j', async (list, message) => {
    const step = play('tuning', { dev: 'eth0', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } }, withInterface);
    step.host.files.set('/etc/cni/tuning/allowlist.conf', list);
    if (message === undefined) await step.ensure();
    else await expect(step.ensure()).rejects.toMatchObject({ code: 'denied', message });
  });

  it('says what is not as it was', async () => {
    const step = play('tuning', { dev: 'eth0', mac: '02:00:00:00:00:05', mtu: 1400, promisc: true }, withInterface);
    expect(await step.check()).toEqual([
      'MAC address of eth0 is 52:54:00:00:00:02, not 02:00:00:00:00:05',
      'MTU of eth0 is 1500, not 1400',
      'promiscuous mode of eth0 is false, not true',
    ]);
  });

  it('tells of the MAC address in the result', async () => {
    const step = play('tuning', { dev: 'eth0', mac: '02:00:00:00:00:0A', mtu: 1400 }, withInterface);
    await step.ensure();
    expect(step.result()).toEqual({ interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:0a', sandbox: NETNS }] });
  });
});

it.each<[string, JsonObject, string]>([
  [
    'rule',
    { from: '10.0.0.0/8', to: 'fd00::/8', table: 1, priority: 1 },
    'to: addresses of a rule are of one family, and of one of its `families`',
  ],
  [
    'rule',
    { from: '10.0.0.0/8', families: [6], table: 1, priority: 1 },
    'from: addresses of a rule are of one family, and of one of its `families`',
  ],
  ['rule', { from: 'x', table: 1, priority: 1 }, 'from: "x" is not a network like 10.0.0.0/8'],
  ['rule', { fwmark: '1', families: [5], table: 1, priority: 1 }, 'families.0: there are the families 4 and 6'],
  ['sysctl', { values: { 'kernel.x': '1' } }, 'values.kernel.x: "kernel.x" is not below net, the part of a network namespace'],
  ['vxlan', { name: 'v', id: 1, local: '10.0.0.1/8' }, 'local: "10.0.0.1/8" is not an IP address'],
  ['vxlanPeer', { dev: 'v', id: 1, node: 'x', networks: [] }, 'node: "x" is not an IP address'],
  ['address', { dev: 'a b', addresses: [] }, 'dev: interface name "a b" must not contain " "'],
  ['route', { routes: [{ to: 'x' }] }, 'routes.0.to: "x" is not a network like 10.0.0.0/8, and not `default`'],
  ['tuning', { dev: 'eth0', mac: '01:00:00:00:00:00' }, 'mac: 01:00:00:00:00:00 is a multicast address, which no interface can have'],
])('%s does not take %j', (operation, args, problem) => expect(problemsOf(OPERATIONS.get(operation)!, args)).toEqual([problem]));
