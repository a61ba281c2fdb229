import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { runSteps, type Steps } from '../../engine/step/effect.ts';
import type { StepContext } from '../../engine/step/operation.ts';
import { OPERATIONS } from '../../engine/step/operations/index.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import { checkShapeValue } from '../../engine/text/shape-check.ts';
import { type NetworkNode, needNamespaces } from '../cni/node.ts';
import { openProbe, type Place, type Probe } from '../cni/probe.ts';
import { startNodeWithOutside, WIRE } from '../cni/topology.ts';
import { SuiteUnavailable } from '../suite.ts';
import { findOnPath } from '../tools/go-tool.ts';
import { nodeHandler } from './node-handler.ts';

/*
 * Real packets through what the operations on the packet filter and on traffic make: three pods on one bridge of a node of its own, and
 * a machine outside that knows no way to pods.
 */

function lack(): string {
  try {
    needNamespaces(['ip6tables-legacy', 'conntrack']);
  } catch (error) {
    if (error instanceof SuiteUnavailable) return error.message;
    throw error;
  }
  return findOnPath('go') === undefined ? 'needs Go, for both ends of connections' : '';
}
const why = lack();

const PODS = ['a', 'b', 'c'] as const;
const addressOf = (pod: string): string => `10.1.0.${PODS.indexOf(pod as 'a') + 5}`;
const addressesOf = (pod: string): readonly string[] => [`${addressOf(pod)}/16`, `fd01::${PODS.indexOf(pod as 'a') + 5}/64`];
const NODE = WIRE[4].address(1);
const NODE6 = `[${WIRE[6].address(1)}]`;
const OUTSIDE = WIRE[4].address(2);
const OUTSIDE6 = `[${WIRE[6].address(2)}]`;
/** Milliseconds after which somebody will not answer any more, also on a busy machine. */
const PATIENCE = 20_000;

describe.skipIf(why !== '')(`packets${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  let node: NetworkNode;
  let outside: NetworkNode;
  let probe: Probe;
  let stop: () => Promise<void>;
  let handler: ReturnType<typeof nodeHandler>;
  /** By owner. */
  const recollected = new Map<string, unknown>();

  beforeAll(async () => {
    ({ node, outside, stop } = await startNodeWithOutside('fld', {}));
    probe = await openProbe({ log: () => undefined });
    handler = nodeHandler(node);
    await shell(
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
      'ip link add cni0 type bridge',
      'ip addr add 10.1.0.1/16 dev cni0',
      'ip addr add fd01::1/64 dev cni0 nodad',
      'ip link set cni0 up',
    );
    for (const pod of PODS) {
      await node.addPod(pod);
      const [four, six] = addressesOf(pod);
      await shell(
        `nsenter --net=/run/netns/${pod} sysctl -qw net.ipv6.conf.default.accept_dad=0`,
        `ip link add v${pod} type veth peer name eth0 netns ${pod}`,
        `ip link set v${pod} master cni0 up`,
        // A connection to oneself by a port of the host leaves the bridge where it came in.
        `bridge link set dev v${pod} hairpin on`,
        `ip -n ${pod} addr add ${four} dev eth0`,
        `ip -n ${pod} addr add ${six} dev eth0 nodad`,
        `ip -n ${pod} link set eth0 up`,
        `ip -n ${pod} route add default via 10.1.0.1`,
        `ip -n ${pod} -6 route add default via fd01::1`,
      );
      await probe.serve(inPod(pod), `pod-${pod}`, [80, 53]);
    }
    await probe.serve({ node: outside }, 'outside', [7000]);
  }, 120_000);
  afterAll(async () => stop?.());

  const shell = async (...lines: readonly string[]): Promise<string> => node.expect('sh', ['-ec', lines.join('\n')]);
  const inPod = (pod: string): Place => ({ node, pod });
  const onNode = (): Place => ({ node });
  const fromOutside = (): Place => ({ node: outside });

  /** Who answers, and whom it saw: `pod-a from 10.1.0.6`; undefined where nobody does. */
  async function ask(place: Place, protocol: 'tcp' | 'udp', target: string): Promise<string | undefined> {
    const reached = await probe.ask(place, protocol, target, { deadlineMs: 500 });
    return reached && `${reached.name} from ${reached.from.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')}`;
  }

  /** As {@link ask}, of somebody who will answer: a packet may be lost while neighbours look for each other. */
  async function answer(place: Place, protocol: 'tcp' | 'udp', target: string): Promise<string | undefined> {
    for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
      const said = await ask(place, protocol, target);
      if (said !== undefined) return said;
    }
    return undefined;
  }

  function play<T>(verb: 'ensure' | 'check' | 'undo', name: string, raw: unknown, who: string): Promise<T> {
    const operation = OPERATIONS.get(name)!;
    const { value, problems } = checkShapeValue<JsonObject>(operation.arguments, raw as Json);
    if (value === undefined) throw new Error(problems.map(({ message }) => message).join('; '));
    const recollection = {
      take: () => {
        const value = recollected.get(who);
        recollected.delete(who);
        return value;
      },
      keep: (value: unknown) => void recollected.set(who, value),
    };
    const context: StepContext = { owner: ownerTag('fld', who), netns: `/run/netns/${who}`, netnsGone: false, recollection };
    return runSteps(operation[verb](value, context) as Steps<unknown>, handler) as Promise<T>;
  }
  const ensure = async (name: string, args: unknown, who = 'a'): Promise<void> => void (await play('ensure', name, args, who));
  const undo = async (name: string, args: unknown, who = 'a'): Promise<void> => void (await play('undo', name, args, who));
  const check = (name: string, args: unknown, who = 'a'): Promise<readonly string[]> => play('check', name, args, who);

  /** Elements and rules that have an owner. */
  const owned = async (): Promise<readonly string[]> =>
    (await shell('nft list ruleset', 'iptables-legacy-save', 'ip6tables-legacy-save'))
      .split('\n')
      .filter((line) => line.includes('fairlead:fld:'));

  describe.each(['nftables', 'iptables'])('with %s', (backend) => {
    it('masquerades what leaves the network, and nothing else', { timeout: 60_000 }, async () => {
      const args = { from: addressesOf('a'), except: ['10.1.0.0/16', 'fd01::/64'], backend };
      expect(await ask(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBeUndefined();
      await ensure('masquerade', args);
      await ensure('masquerade', args);
      expect(await check('masquerade', args)).toEqual([]);
      expect(await answer(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBe(`outside from ${NODE}`);
      expect(await answer(inPod('a'), 'udp', `${OUTSIDE6}:7000`)).toBe(`outside from ${WIRE[6].address(1)}`);
      expect(await answer(inPod('a'), 'tcp', `${addressOf('b')}:80`)).toBe(`pod-b from ${addressOf('a')}`);
      expect(await ask(inPod('b'), 'tcp', `${OUTSIDE}:7000`)).toBeUndefined();
      await undo('masquerade', args);
      expect(await ask(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBeUndefined();
      expect(await owned()).toEqual([]);
    });

    it('leads ports of the host to a pod, from everywhere', { timeout: 60_000 }, async () => {
      const args = {
        ports: [
          { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
          { hostPort: 8053, containerPort: 53, protocol: 'udp' },
          { hostPort: 9090, containerPort: 80, protocol: 'tcp', hostIP: NODE },
        ],
        to: addressesOf('a'),
        backend,
      };
      await ensure('portMap', args);
      await ensure('portMap', args);
      expect(await check('portMap', args)).toEqual([]);
      const seen = async (place: Place, protocol: 'tcp' | 'udp', target: string) => [target, await answer(place, protocol, target)];
      const unseen = async (place: Place, protocol: 'tcp' | 'udp', target: string) => [target, await ask(place, protocol, target)];
      expect([
        await seen(fromOutside(), 'tcp', `${NODE}:8080`),
        await seen(fromOutside(), 'udp', `${NODE}:8053`),
        await seen(fromOutside(), 'tcp', `${NODE6}:8080`),
        await seen(fromOutside(), 'tcp', `${NODE}:9090`),
        await seen(onNode(), 'tcp', `${NODE}:8080`),
        await seen(onNode(), 'tcp', '127.0.0.1:8080'),
        await seen(onNode(), 'udp', '127.0.0.1:8053'),
        await unseen(onNode(), 'tcp', '10.1.0.1:9090'),
        await seen(inPod('a'), 'tcp', `${NODE}:8080`),
        await seen(inPod('a'), 'tcp', `${NODE6}:8080`),
        await seen(inPod('b'), 'tcp', `${NODE}:8080`),
        // A port of the same number that is not the host's own is left alone.
        await unseen(inPod('b'), 'tcp', `${addressOf('c')}:8080`),
      ]).toEqual([
        [`${NODE}:8080`, `pod-a from ${OUTSIDE}`],
        [`${NODE}:8053`, `pod-a from ${OUTSIDE}`],
        [`${NODE6}:8080`, `pod-a from ${WIRE[6].address(2)}`],
        [`${NODE}:9090`, `pod-a from ${OUTSIDE}`],
        [`${NODE}:8080`, `pod-a from ${NODE}`],
        ['127.0.0.1:8080', 'pod-a from 10.1.0.1'],
        ['127.0.0.1:8053', 'pod-a from 10.1.0.1'],
        ['10.1.0.1:9090', undefined],
        [`${NODE}:8080`, 'pod-a from 10.1.0.1'],
        [`${NODE6}:8080`, 'pod-a from fd01::1'],
        [`${NODE}:8080`, 'pod-a from 10.1.0.1'],
        [`${addressOf('c')}:8080`, undefined],
      ]);
      // A flow of UDP that is remembered would go on to where it went, whoever has the port by then.
      const flows = (): Promise<string> => shell('conntrack -L -p udp --orig-port-dst 8053 2>/dev/null');
      expect(await flows()).toContain('dport=8053');
      await ensure('portMap', args);
      expect(await flows()).toBe('');
      await undo('portMap', args);
      expect(await ask(fromOutside(), 'tcp', `${NODE}:8080`)).toBeUndefined();
      expect(await owned()).toEqual([]);
    });

    it('gives a port to one pod, and to whoever has its address next', { timeout: 60_000 }, async () => {
      const args = { ports: [{ hostPort: 8080, containerPort: 80 }], to: addressesOf('a'), backend };
      await ensure('portMap', args, 'a');
      const other = ensure('portMap', { ...args, to: addressesOf('b') }, 'b');
      await expect(other).rejects.toThrow(`port 8080/tcp is taken by ${ownerTag('fld', 'a').text}`);
      expect(await answer(fromOutside(), 'tcp', `${NODE}:8080`)).toBe(`pod-a from ${OUTSIDE}`);
      await ensure('portMap', args, 'next');
      await undo('portMap', args, 'a');
      expect(await answer(fromOutside(), 'tcp', `${NODE}:8080`)).toBe(`pod-a from ${OUTSIDE}`);
      await undo('portMap', args, 'next');
      expect(await owned()).toEqual([]);
    });

    it('keeps pods of one bridge from each other, not from the world', { timeout: 60_000 }, async () => {
      const through = { addresses: addressesOf('a'), backend, ingressPolicy: 'isolated', bridge: 'cni0' };
      const ports = { ports: [{ hostPort: 8080, containerPort: 80 }], to: addressesOf('a'), backend };
      await ensure('portMap', ports);
      await ensure('firewall', through);
      await ensure('firewall', through);
      expect(await check('firewall', through)).toEqual([]);
      expect(await ask(inPod('b'), 'tcp', `${addressOf('a')}:80`)).toBeUndefined();
      expect(await answer(fromOutside(), 'tcp', `${NODE}:8080`)).toBe(`pod-a from ${OUTSIDE}`);
      expect(await answer(onNode(), 'tcp', `${addressOf('a')}:80`)).toBe('pod-a from 10.1.0.1');
      await undo('firewall', through);
      await undo('portMap', ports);
      expect(await answer(inPod('b'), 'tcp', `${addressOf('a')}:80`)).toBe(`pod-a from ${addressOf('b')}`);
      expect(await owned()).toEqual([]);
    });
  });

  it('lets a pod through what drops all that is forwarded', { timeout: 60_000 }, async () => {
    await shell('iptables-legacy -P FORWARD DROP');
    try {
      const args = { addresses: addressesOf('a'), backend: 'iptables' };
      const masquerading = { from: addressesOf('a') };
      await ensure('masquerade', masquerading);
      expect(await ask(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBeUndefined();
      await ensure('firewall', args);
      expect(await answer(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBe(`outside from ${NODE}`);
      await shell(`iptables-legacy -A CNI-ADMIN -d ${OUTSIDE} -j DROP`);
      expect(await ask(inPod('a'), 'tcp', `${OUTSIDE}:7000`)).toBeUndefined();
      await ensure('firewall', args);
      expect(await shell('iptables-legacy-save -t filter')).toContain(`-A CNI-ADMIN -d ${OUTSIDE}/32 -j DROP`);
      await shell('iptables-legacy -F CNI-ADMIN');
      await undo('firewall', args);
      await undo('masquerade', masquerading);
    } finally {
      await shell('iptables-legacy -P FORWARD ACCEPT');
    }
    expect(await owned()).toEqual([]);
  });

  describe('network policies', () => {
    const bare = (pod: string): readonly string[] => addressesOf(pod).map((each) => each.split('/')[0]!);
    type Direction = Readonly<Record<string, readonly [pods: readonly string[], allow: readonly JsonObject[]]>>;
    /** Policies by their names, each with the pods that it selects and what it allows. */
    function policies({
      ingress = {},
      egress = {},
      groups = {},
    }: {
      readonly ingress?: Direction;
      readonly egress?: Direction;
      readonly groups?: JsonObject;
    }) {
      const direction = (named: Direction): JsonObject => ({
        policies: Object.fromEntries(Object.entries(named).map(([name, [, allow]]) => [name, allow])),
        pods: PODS.flatMap((pod) => {
          const names = Object.keys(named).filter((name) => named[name]![0].includes(pod));
          return names.length === 0 ? [] : [{ addresses: addressesOf(pod), policies: names }];
        }),
      });
      return { policies: { groups, ingress: direction(ingress), egress: direction(egress) } };
    }
    const NOTHING = policies({});
    /** Of b, c and the node, these reach a, and no other. */
    const expectToReachA = async (...expected: readonly string[]): Promise<void> => {
      const reach = async (name: string): Promise<boolean> => {
        const place = name === 'node' ? onNode() : inPod(name);
        return (await (expected.includes(name) ? answer : ask)(place, 'tcp', `${addressOf('a')}:80`)) !== undefined;
      };
      const places = ['b', 'c', 'node'];
      const reached = await Promise.all(places.map(reach));
      expect(places.filter((_, index) => reached[index])).toEqual(expected);
    };

    it('hold connections, also on one bridge', { timeout: 60_000 }, async () => {
      await expectToReachA('b', 'c', 'node');
      // Kubernetes: the node always reaches its pods, for the probes of the kubelet.
      await ensure('firewall', policies({ ingress: { deny: [['a'], []] } }));
      await expectToReachA('node');
      expect(await answer(inPod('a'), 'tcp', `${addressOf('b')}:80`)).toBe(`pod-b from ${addressOf('a')}`);
      expect(await ask(inPod('b'), 'tcp', '[fd01::5]:80')).toBeUndefined();
      const first = { peers: ['@b'], ports: [{ port: 80 }] };
      const groups = { b: bare('b') };
      await ensure('firewall', policies({ ingress: { first: [['a'], [first]] }, groups }));
      await expectToReachA('b', 'node');
      expect(await ask(inPod('b'), 'udp', `${addressOf('a')}:53`)).toBeUndefined();
      expect(await answer(inPod('b'), 'tcp', '[fd01::5]:80')).toBe('pod-a from fd01::6');
      // What has no ports is allowed by rules without ports only, but for answers.
      expect(await probe.ping(inPod('b'), addressOf('a'))).toBe(false);
      expect(await probe.ping(inPod('a'), addressOf('b'))).toBe(true);
      expect(await probe.ping(inPod('a'), addressOf('a'))).toBe(true);
      await ensure('firewall', policies({ ingress: { first: [['a'], [{ peers: ['@b'] }]] }, groups }));
      expect(await probe.ping(inPod('b'), addressOf('a'))).toBe(true);
      // Of a network but for a part of it, and of ports from one to another.
      const second = { peers: ['10.1.0.0/24', '10.1.0.0/16'], except: [addressOf('b')], ports: [{ port: 50, endPort: 90 }] };
      await ensure('firewall', policies({ ingress: { first: [['a'], [first]], second: [['a'], [second]] }, groups }));
      await expectToReachA('b', 'c', 'node');
      await ensure('firewall', policies({ ingress: { first: [['a'], []], second: [['a'], [second]] }, groups }));
      await expectToReachA('c', 'node');
      // Both ends must allow a connection.
      const out = { peers: 'any', ports: [{ protocol: 'UDP', port: 53 }] };
      const both = policies({ ingress: { second: [['a'], [second]] }, egress: { out: [['c'], [out]] } });
      await ensure('firewall', both);
      await expectToReachA('node');
      expect(await answer(inPod('c'), 'udp', `${addressOf('b')}:53`)).toBe(`pod-b from ${addressOf('c')}`);
      expect(await check('firewall', both)).toEqual([]);
      await ensure('firewall', NOTHING);
      await expectToReachA('b', 'c', 'node');
      expect(await owned()).toEqual([]);
    });

    it('are what they are found to be again, whatever is in them', { timeout: 60_000 }, async () => {
      const allow = [
        { peers: ['@b', '192.0.2.0/25', '192.0.2.128/25', '198.51.100.7'], except: ['192.0.2.64/26'] },
        {
          peers: ['@nobody', '2001:db8::/32', 'fd00::1'],
          except: ['2001:db8:1::/48'],
          ports: [{ protocol: 'SCTP', port: 5000, endPort: 5010 }],
        },
        { ports: [{ protocol: 'SCTP' }, { protocol: 'UDP', port: 1, endPort: 65535 }, { port: 80 }, { port: 81 }] },
      ];
      const args = policies({
        groups: { b: bare('b'), nobody: [] },
        ingress: { 'shop/a?TCP/http=80': [['a', 'b'], allow], 'shop/other': [['a'], []] },
        egress: { [`shop/${'long'.repeat(60)}`]: [['c'], allow] },
      });
      await ensure('firewall', args);
      expect(await check('firewall', args)).toEqual([]);
      const made = await shell('nft list ruleset');
      recollected.clear();
      await ensure('firewall', args);
      expect(await shell('nft list ruleset')).toBe(made);
      await shell(`nft flush set inet ${/fairlead-policies-\w+/.exec(made)![0]} ingress-pods4`);
      expect(await check('firewall', args)).toHaveLength(1);
      await ensure('firewall', args);
      expect(await check('firewall', args)).toEqual([]);
      await undo('firewall', args);
      expect(await shell('nft list tables')).not.toContain('policies');
    });

    it('are not got round by addresses that every link has', { timeout: 60_000 }, async () => {
      const [local] = /fe80::[0-9a-f:]+/.exec(await shell('ip -n a -6 address show dev eth0 scope link'))!;
      const target = `[${local}%eth0]:80`;
      expect(await answer(inPod('b'), 'tcp', target)).toMatch(/^pod-a from fe80::/);
      await ensure('firewall', policies({ ingress: { deny: [['a'], []] } }));
      expect(await ask(inPod('b'), 'tcp', target)).toBeUndefined();
      // Out of a pod that may not connect to anybody.
      await ensure('firewall', policies({ egress: { deny: [['b'], []] } }));
      expect(await ask(inPod('b'), 'tcp', target)).toBeUndefined();
      await ensure('firewall', NOTHING);
    });

    it('go on with connections that were allowed when they began, and with answers', { timeout: 60_000 }, async () => {
      const closed = policies({ ingress: { deny: [['a', 'b'], []] }, egress: { deny: [['b'], []] } });
      const bytes = 2_000_000;
      await shell('tc qdisc replace dev va root tbf rate 8mbit burst 100kb latency 500ms');
      try {
        // From the first policy on, connections are tracked.
        await ensure('firewall', policies({ ingress: { open: [['a'], [{}]] } }));
        const transfer = probe.transfer(inPod('b'), 'upload', `${addressOf('a')}:80`, bytes);
        await answer(inPod('b'), 'tcp', `${addressOf('a')}:80`);
        await ensure('firewall', closed);
        expect(await ask(inPod('b'), 'tcp', `${addressOf('a')}:80`)).toBeUndefined();
        expect((await transfer).bytes).toBe(bytes);
      } finally {
        await shell('tc qdisc del dev va root');
      }
      // Nobody may connect to a, which may connect to others.
      await ensure('firewall', policies({ ingress: { deny: [['a'], []] } }));
      expect(await answer(inPod('a'), 'udp', `${addressOf('c')}:53`)).toBe(`pod-c from ${addressOf('a')}`);
      await ensure('firewall', NOTHING);
    });

    it('hold at every moment while they are others', { timeout: 60_000 }, async () => {
      const isolating = (name: string, peers: readonly string[]) =>
        policies({ ingress: { [name]: [['a'], [{ peers: ['@peers'] }]] }, groups: { peers } });
      await shell(
        'nft add table inet flp-count',
        "nft add chain inet flp-count passed '{ type filter hook forward priority 100 ; }'",
        `nft add rule inet flp-count passed ip saddr ${addressOf('b')} ip daddr ${addressOf('a')} counter`,
      );
      const passed = async (): Promise<number> => Number(/packets (\d+)/.exec(await shell('nft list chain inet flp-count passed'))![1]);
      await ensure('firewall', isolating('old', bare('c')));
      // Each of these is the beginning of a connection.
      const flood = await node.start('flood', 'bash', ['-c', `while :; do echo > /dev/udp/${addressOf('a')}/9; done 2>/dev/null`], {
        pod: 'b',
      });
      try {
        for (let turn = 0; turn < 50; turn++) {
          await ensure('firewall', isolating(turn % 2 === 0 ? 'new' : 'old', turn % 3 === 0 ? bare('c') : []));
          if (turn % 10 === 9) recollected.clear();
        }
        expect(await passed()).toBe(0);
        await ensure('firewall', isolating('new', bare('b')));
        await expect.poll(passed, { timeout: PATIENCE }).toBeGreaterThan(0);
      } finally {
        await flood.stop();
        await shell('nft delete table inet flp-count');
        await ensure('firewall', NOTHING);
      }
    });
  });

  it('limits what a pod receives and sends', { timeout: 120_000 }, async () => {
    const rate = 16_000_000;
    const args = { device: 'va', ingressRate: rate, ingressBurst: 800_000, egressRate: rate, egressBurst: 800_000 };
    const before = await shell('tc qdisc show', 'ip -br link show type ifb');
    await ensure('bandwidth', args);
    await ensure('bandwidth', args);
    expect(await check('bandwidth', args)).toEqual([]);
    const target = `${addressOf('a')}:80`;
    for (const direction of ['upload', 'download'] as const) {
      const bytes = 2_000_000;
      const { seconds } = await probe.transfer(inPod('b'), direction, target, bytes);
      expect((bytes * 8) / seconds).toBeLessThan(rate * 1.25);
    }
    await undo('bandwidth', args);
    await undo('bandwidth', args);
    expect(await shell('tc qdisc show', 'ip -br link show type ifb')).toBe(before);
  });
});
