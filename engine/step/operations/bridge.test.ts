import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { generatedLinkName } from '../network/link-name.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { argumentsOf, NETNS, OWNER, Play, problemsOf } from '../network/play.fixture.ts';
import { BRIDGE } from './bridge.ts';

const operation = BRIDGE as never;

function play(args: JsonObject, prepare: (host: ModelHost) => void = () => {}): Play {
  const host = new ModelHost(NETNS);
  prepare(host);
  return new Play(operation, args, host);
}

/** A bridge of somebody else, with these addresses. */
const bridged =
  (...addresses: string[]) =>
  (host: ModelHost): void =>
    host.addForeign('cni0', { kind: 'bridge', up: true, addresses });

const changes = (host: ModelHost): readonly string[] => host.log.filter((line) => !line.startsWith('?') && line !== 'remember');

it('is made once, keeps its MAC address, and forwards', async () => {
  const bridge = play({ name: 'cni0', mtu: 1400, addresses: ['10.1.0.1/16', 'fd00::1/64'], promiscuous: true });
  const { mac } = await bridge.ensure();
  expect(changes(bridge.host)).toEqual([
    'ip link add name cni0 mtu 1400 type bridge',
    `ip link set dev cni0 alias ${OWNER.text}`,
    'net/ipv6/conf/cni0/accept_ra = 0',
    `ip link set dev cni0 address ${mac}`,
    'ip link set dev cni0 promisc on',
    'ip link set dev cni0 up',
    'ip address add 10.1.0.1/16 broadcast + dev cni0',
    'ip address add fd00::1/64 dev cni0 nodad',
    'net/ipv4/ip_forward = 1',
    'net/ipv6/conf/all/forwarding = 1',
  ]);
});

it('is found by whoever comes later, with one question', async () => {
  const bridge = play({ name: 'cni0', addresses: ['10.1.0.1/16'], forwarding: false }, bridged('10.1.0.1/16'));
  const before = bridge.host.state();
  expect(await bridge.ensure()).toMatchObject({ name: 'cni0' });
  expect(bridge.host.log).toEqual(['? ip address show dev cni0']);
  expect(bridge.host.state()).toEqual(before);
});

describe('a bridge in a bad state', () => {
  it('is set up again', async () => {
    const bridge = play({ name: 'cni0' }, (host) => host.addForeign('cni0', { kind: 'bridge' }));
    await bridge.ensure();
    expect(changes(bridge.host)).toEqual(['ip link set dev cni0 up']);
  });

  it('is none: the link is left alone', async () => {
    const bridge = play({ name: 'eth0' });
    await expect(bridge.ensure()).rejects.toMatchObject({ code: 'exists', message: '"eth0" already exists but is not a bridge' });
    expect(changes(bridge.host)).toEqual([]);
  });

  it.each<[string, string[], string[]]>([
    ['another address of IPv4', ['10.9.0.1/16'], ['10.1.0.1/16']],
    ['a network of IPv6 around it', ['fd00::9/48'], ['fd00::1/64']],
    ['a network of IPv6 within it', ['fd00::9/96'], ['fd00::1/64']],
  ])('has %s', async (_, present, wanted) => {
    const bridge = play({ name: 'cni0', addresses: wanted }, bridged(...present));
    await expect(bridge.ensure()).rejects.toMatchObject({
      code: 'exists',
      message: `"cni0" already has an IP address different from ${wanted.join(', ')}: ${present.join(', ')}`,
    });
    const forced = play({ name: 'cni0', addresses: wanted, forceAddress: true, forwarding: false }, bridged(...present));
    await forced.ensure();
    expect(changes(forced.host)).toEqual([
      `ip address del ${present[0]} dev cni0`,
      expect.stringContaining(`ip address add ${wanted[0]} `),
      // With it the MAC address that others find the gateway by.
      expect.stringMatching(/^ip link set dev cni0 address [0-9a-f:]{17}$/),
    ]);
  });

  it.each<[string, string[], string[]]>([
    ['of another family', ['fd00::9/64'], ['10.1.0.1/16']],
    ['of another network of IPv6', ['fd01::9/64'], ['fd00::1/64']],
    ['that are wanted too', ['10.1.0.1/16'], ['10.1.0.1/16', '10.2.0.1/16']],
  ])('keeps addresses %s', async (_, present, wanted) => {
    const bridge = play({ name: 'cni0', addresses: wanted }, bridged(...present));
    await bridge.ensure();
    expect(bridge.host.log.join('\n')).not.toContain('address del');
    expect(await bridge.check()).toEqual([]);
  });
});

it.each<[JsonObject, JsonObject]>([
  [{}, {}],
  [{ vlan: 0 }, {}],
  [{ vlan: 10 }, { option: 'vlan_filtering' }],
  [{ vlanFiltering: true }, { option: 'vlan_filtering' }],
])('needs of the kernel, with %j, bridges with %j', (args, option) => {
  expect(BRIDGE.requires(argumentsOf(operation, { name: 'cni0', ...args }) as never)).toEqual([
    { kind: 'link-type', name: 'bridge', ...option },
  ]);
});

it('has the gateway of a VLAN on an interface of its own', async () => {
  const bridge = play({ name: 'cni0', addresses: ['10.1.0.1/16'], vlan: 10, forwarding: false });
  expect(await bridge.ensure()).toMatchObject({ name: 'cni0', addressed: { name: 'cni0.10' } });
  expect(bridge.result()?.interfaces?.map(({ name }) => name)).toEqual(['cni0', 'cni0.10']);
  const port = generatedLinkName('veth', 'cni0.10');
  expect(changes(bridge.host).filter((line) => line.startsWith('bridge'))).toEqual([
    `bridge vlan del dev ${port} vid 1`,
    `bridge vlan add dev ${port} vid 10 pvid untagged`,
  ]);
});

it('goes with the gateways of its VLANs when nobody uses it', async () => {
  const bridge = play({ name: 'cni0', addresses: ['10.1.0.1/16'], vlan: 10, forwarding: false });
  const before = bridge.host.state();
  await bridge.ensure();
  await bridge.undo();
  const things = await bridge.inventory();
  expect(things).toMatchObject([{ tag: OWNER.text, what: 'link cni0' }]);
  for (const thing of things) await bridge.remove(thing);
  expect(bridge.host.state()).toEqual(before);
});

it.each<[JsonObject, string]>([
  [{ name: 'cni 0' }, 'name: interface name "cni 0" must not contain " "'],
  [{ name: 'cni-of-a-rule1', vlan: 10 }, 'name: interface name "cni-of-a-rule1.10" is longer than 15 characters'],
  [{ name: 'cni0', mac: '01:00:5e:00:00:01' }, 'mac: 01:00:5e:00:00:01 is a multicast address, which no interface can have'],
  [{ name: 'cni0', addresses: ['10.1.0.1/40'] }, 'addresses.0: "10.1.0.1/40" is not an IP address with a prefix length, like 10.1.0.5/16'],
])('does not take %j', (args, problem) => expect(problemsOf(operation, args)).toEqual([problem]));
