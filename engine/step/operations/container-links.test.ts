import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { ModelHost } from '../network/model-host.fixture.ts';
import { NETNS, OWNER, Play, problemsOf } from '../network/play.fixture.ts';
import { OPERATIONS } from './index.ts';

function play(operation: string, args: JsonObject): Play {
  return new Play(OPERATIONS.get(operation)!, { name: 'net1', ...args }, new ModelHost(NETNS));
}

async function firstLines(operation: string, args: JsonObject, count: number): Promise<readonly string[]> {
  const link = play(operation, args);
  await link.ensure();
  return link.host.log.filter((line) => !line.includes('? ')).slice(0, count);
}

describe.each<[string, JsonObject, string]>([
  [
    'macvlan',
    { mode: 'private', mtu: 1400, broadcastQueueLength: 7 },
    `link eth0 name TMP mtu 1400 address MAC netns ${NETNS} type macvlan mode private bcqueuelen 7`,
  ],
  ['macvlan', { master: 'eth0', mode: 'passthru' }, `link eth0 name TMP netns ${NETNS} type macvlan mode passthru`],
  ['ipvlan', { master: 'eth0', mode: 'l3' }, `link eth0 name TMP netns ${NETNS} type ipvlan mode l3`],
  ['vlan', { master: 'eth0', id: 7 }, `link eth0 name TMP netns ${NETNS} type vlan id 7`],
])('%s %j', (operation, args, words) => {
  it('is made beside its master, under a name that only its owner has, and gets its own last', async () => {
    const lines = await firstLines(operation, args, 3);
    const temporary = /name (tmp[0-9a-f]{8}) /.exec(lines[0]!)?.[1];
    expect(lines.map((line) => line.replaceAll(temporary!, 'TMP').replace(/address [0-9a-f:]{17}/, 'address MAC'))).toEqual([
      `ip link add ${words}`,
      `[container] ip link set dev TMP alias ${OWNER.text}`,
      '[container] ip link set dev TMP name net1',
    ]);
  });

  it('is not made where the container has an interface of its name', async () => {
    const link = play(operation, args);
    link.host.addForeign('net1', { netns: NETNS });
    const before = link.host.state();
    await expect(link.ensure()).rejects.toMatchObject({ code: 'exists', message: 'the container has an interface "net1" already' });
    await link.undo();
    expect(link.host.state()).toEqual(before);
  });

  it('needs its master, and not more bytes than that has', async () => {
    await expect(play(operation, { ...args, master: 'eth7' }).ensure()).rejects.toMatchObject({
      code: 'missing',
      message: 'there is no interface "eth7" to stand on',
    });
    await expect(play(operation, { ...args, mtu: 9000 }).ensure()).rejects.toMatchObject({
      code: 'invalid',
      message: 'invalid MTU 9000, must be [0, master MTU(1500)]',
    });
  });
});

it('are made in the container where their master is there', async () => {
  const link = play('macvlan', { master: 'eth0', linkInContainer: true });
  link.host.addForeign('eth0', { netns: NETNS, up: true });
  await link.ensure();
  expect(link.host.log.find((line) => line.includes('link add'))).toMatch(
    /^\[container\] ip link add link eth0 name tmp[0-9a-f]{8} address \S+ type macvlan mode bridge$/,
  );
});

it('stand on nothing where there is no default route', async () => {
  const link = play('macvlan', { linkInContainer: true });
  await expect(link.ensure()).rejects.toMatchObject({
    code: 'missing',
    message: 'no default route interface found, and no `master` is named',
  });
});

describe('a tap', () => {
  it('is made as it is asked for', async () => {
    expect(
      await firstLines('tap', { multiQueue: true, vnetHeader: true, owner: 1000, group: 0, mtu: 1400, mac: '02:00:00:00:00:05' }, 3),
    ).toEqual([
      'remember',
      '[container] ip tuntap add dev net1 mode tap multi_queue vnet_hdr user 1000 group 0',
      `[container] ip link set dev net1 alias ${OWNER.text} address 02:00:00:00:00:05 mtu 1400`,
    ]);
  });

  it('is not made where the container has an interface of its name', async () => {
    const link = play('tap', {});
    link.host.addForeign('net1', { netns: NETNS });
    const before = link.host.state();
    await expect(link.ensure()).rejects.toMatchObject({ code: 'exists' });
    await link.undo();
    expect(link.host.state()).toEqual(before);
  });
});

it.each<[string, JsonObject, string]>([
  ['macvlan', { master: 'a/b' }, 'master: interface name "a/b" must not contain "/"'],
  ['vlan', { master: 'eth0', id: 7, mac: 'x' }, 'mac: "x" is not a MAC address like 0a:58:0a:01:00:05'],
  ['vlan', { master: '', id: 7 }, 'master: an interface name must not be empty'],
  ['tap', { bridge: 'a b' }, 'bridge: interface name "a b" must not contain " "'],
  ['dummy', { addresses: ['x'] }, 'addresses.0: "x" is not an IP address with a prefix length, like 10.1.0.5/16'],
])('%s does not take %j', (operation, args, problem) =>
  expect(problemsOf(OPERATIONS.get(operation)!, { name: 'net1', ...args })).toEqual([problem]),
);
