import { describe, expect, test } from 'vitest';
import { describeEffect } from './describe-effect.ts';
import { type Effect, EffectError, type Steps } from './effect.ts';
import { command, ip } from './effects/iproute.ts';
import { link, links } from './effects/show.ts';
import { ImaginedHost } from './imagined-host.ts';

const host = () => new ImaginedHost(({ name }) => ({ name }));
const lines = (...words: readonly string[]): Steps<void> => ip(undefined, ...words.map((line) => command(...line.split(' '))));

describe('links that were made are there', () => {
  test('a bridge, and what is set of it', () => {
    const found = host().run(
      (function* () {
        yield* lines(
          'link add name br0 mtu 1400 type bridge',
          'link set dev br0 alias mine up',
          'address add 10.1.0.1/16 broadcast + dev br0',
        );
        return yield* link(undefined, 'br0');
      })(),
    );
    expect(found).toMatchObject({
      ifname: 'br0',
      mtu: 1400,
      ifalias: 'mine',
      flags: ['UP', 'LOWER_UP'],
      linkinfo: { info_kind: 'bridge' },
    });
    expect(found?.addr_info).toEqual([{ family: 'inet', local: '10.1.0.1', prefixlen: 16, scope: 'global' }]);
  });

  test('those that others have made before: one of a container behind one of the host is its other end', () => {
    const present = [
      { name: 'cni0' },
      { name: 'v0' },
      { name: 'eth0', mac: '02:00:00:00:00:0b', sandbox: '/run/netns/a' },
      { name: 'net1', sandbox: '/run/netns/a' },
    ];
    const [outside, inside] = new ImaginedHost(() => undefined, present).run(
      (function* () {
        return [yield* links(undefined), yield* links('/run/netns/a')] as const;
      })(),
    );
    const v0 = outside.find(({ ifname }) => ifname === 'v0');
    const [eth0, net1] = inside;
    expect(eth0).toMatchObject({ ifname: 'eth0', address: '02:00:00:00:00:0b', link_index: v0?.ifindex, linkinfo: { info_kind: 'veth' } });
    expect(v0).toMatchObject({ link_index: eth0?.ifindex, linkinfo: { info_kind: 'veth' } });
    expect(net1?.link_index).toBeUndefined();
  });

  test('both ends of a pair, each where it is', () => {
    const [outside, inside] = host().run(
      (function* () {
        yield* lines('link add name v0 address 02:00:00:00:00:0a type veth peer name eth0 address 02:00:00:00:00:0b netns /run/netns/a');
        return [yield* links(undefined), yield* links('/run/netns/a')];
      })(),
    );
    expect(outside).toMatchObject([{ ifname: 'v0', address: '02:00:00:00:00:0a' }]);
    expect(inside).toMatchObject([{ ifname: 'eth0', address: '02:00:00:00:00:0b' }]);
  });

  test('under their new name and in their new place, and not once they are deleted', () => {
    const found = host().run(
      (function* () {
        yield* lines('link add link eth0 name tmp0 type macvlan mode bridge', 'link set dev tmp0 netns /run/netns/a');
        yield* ip('/run/netns/a', command('link', 'set', 'dev', 'tmp0', 'name', 'eth0'));
        const moved = yield* links('/run/netns/a');
        yield* ip('/run/netns/a', command('link', 'del', 'dev', 'eth0'));
        return [yield* links(undefined), moved.map(({ ifname }) => ifname), yield* links('/run/netns/a')];
      })(),
    );
    expect(found).toEqual([[], ['eth0'], []]);
  });
});

test('chains that are flushed must be there', () => {
  const imagined = host();
  const nft = (script: string): Effect => ({ kind: 'nft', netns: undefined, script });
  const ends = imagined.run(
    (function* () {
      try {
        yield nft('flush chain inet t c');
      } catch (error) {
        expect(error).toBeInstanceOf(EffectError);
        yield nft('add table inet t\nadd chain inet t c');
        yield nft('flush chain inet t c');
      }
      return 'well';
    })(),
  );
  expect(ends).toBe('well');
  expect(imagined.changes).toHaveLength(2);
});

test('what is asked of it is no change; what it is told is, in order', () => {
  const imagined = host();
  const effects: readonly Effect[] = [
    { kind: 'sysctl-read', netns: undefined, key: 'net/ipv4/ip_forward' },
    { kind: 'stat', path: '/etc' },
    { kind: 'remember', value: 1 },
    { kind: 'all', effects: [{ kind: 'sysctl-write', netns: '/run/netns/a b', key: 'net/ipv4/ip_forward', value: '1' }] },
    { kind: 'write-file', path: '/etc/a', text: 'secret', mode: 0o600 },
    { kind: 'make-directory', path: '/etc/b', mode: 0o755 },
    { kind: 'remove-path', path: '/etc/c', recursive: true },
    { kind: 'run', program: 'conntrack', arguments: ['-D', '--dport', '80', "it's"] },
    { kind: 'http', method: 'POST', url: 'http://a/b', headers: { authorization: 'secret' }, body: 'secret' },
    { kind: 'iproute', program: 'ip', netns: undefined, commands: [command('rule', 'add')], family: 6 },
    { kind: 'custom', name: 'addresses', request: { verb: 'allocate' } },
    { kind: 'custom', name: 'plugin', request: { command: 'ADD', type: 'static' } },
  ];
  const answers: unknown[] = imagined.run(
    (function* () {
      const all: unknown[] = [];
      for (const effect of effects) all.push(yield effect);
      return all;
    })(),
  );
  expect(answers.slice(0, 3)).toEqual(['0', undefined, undefined]);
  expect(answers.at(-1)).toEqual({ name: 'plugin' });
  expect(imagined.changes.flatMap((effect) => describeEffect(effect))).toEqual([
    "nsenter '--net=/run/netns/a b' sysctl -w net.ipv4.ip_forward=1",
    'write /etc/a (6 characters, mode 0600)',
    'mkdir -p -m 0755 /etc/b',
    'rm -r /etc/c',
    "conntrack -D --dport 80 'it'\\''s'",
    'POST http://a/b',
    'ip -6 rule add',
    'addresses allocate',
    'CNI_COMMAND=ADD static',
  ]);
});
