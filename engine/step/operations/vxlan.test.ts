import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

function play(operation: string, args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  prepare(host);
  return new Play(OPERATIONS.get(operation)!, args, host);
}

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

it.each<[string, JsonObject, string]>([
  ['vxlan', { name: 'v', id: 1, local: '10.0.0.1/8' }, 'local: "10.0.0.1/8" is not an IP address'],
  ['vxlanPeer', { dev: 'v', id: 1, node: 'x', networks: [] }, 'node: "x" is not an IP address'],
])('%s does not take %j', (operation, args, problem) => expect(problemsOf(OPERATIONS.get(operation)!, args)).toEqual([problem]));
