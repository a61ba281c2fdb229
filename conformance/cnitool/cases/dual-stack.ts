import type { JsonObject } from '../../../engine/object/json.ts';
import { type ClusterScene, podNetwork, podObject } from '../../cni/cluster-scene.ts';
import { WIRE } from '../../cni/topology.ts';
import { claim, expectEqual, NETWORK } from '../case.ts';
import { type ClusterCase, expectSoon, PORT } from './cluster.ts';

const OTHER_PORT = 9090;
const FAMILIES = [4, 6] as const;
type Family = (typeof FAMILIES)[number];

/** Networks of the nth node (from 1) for its pods, one of each family. */
const podNetworks = (index: number): readonly string[] => [podNetwork(index), `fd00:10:244:${index}::/64`];

/** Gives the nodes networks of both families, and lets them reach each other by their addresses of one. */
async function giveBothFamilies(scene: ClusterScene, tunnel: Family): Promise<void> {
  for (const [at, { name }] of scene.nodes.entries()) {
    const index = at + 1;
    const node: JsonObject = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
    // A node's networks are given once.
    await scene.remove(node);
    const [podCIDR, ...more] = podNetworks(index) as [string, string];
    const spec = { podCIDR, podCIDRs: [podCIDR, ...more] };
    await scene.create({ ...node, spec, status: { addresses: [{ type: 'InternalIP', address: WIRE[tunnel].address(index) }] } });
  }
}

const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** Pods of two nodes, by both families, through a tunnel over one of them. */
async function playThrough(scene: ClusterScene, tunnel: Family): Promise<void> {
  const [one, two] = scene.nodes;
  await giveBothFamilies(scene, tunnel);
  for (const node of scene.nodes) node.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [{ type: 'fairlead-overlay' }] });
  const addresses = new Map<string, readonly string[]>();
  for (const [node, pod] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    await scene.create(podObject(pod));
    let ips: readonly string[] = [];
    // The node has just been made anew, which its daemon hears a moment later.
    await expectSoon(`${pod} is attached`, async () => {
      const result = await node.attach(NETWORK, pod).catch(() => undefined);
      if (result === undefined) await node.node.removePod(pod);
      ips = (result?.ips ?? []).map(({ address }) => address);
      return result !== undefined;
    });
    addresses.set(pod, ips);
  }
  expectEqual('addresses of a', addresses.get('a'), ['10.244.1.2/24', 'fd00:10:244:1::2/64']);
  expectEqual('addresses of b', addresses.get('b'), ['10.244.2.2/24', 'fd00:10:244:2::2/64']);
  await scene.probe.serve(two.place('b'), 'b', [PORT]);
  await scene.probe.serve({ node: two.node }, 'node2', [OTHER_PORT]);
  for (const family of FAMILIES) {
    const [from, to] = ['a', 'b'].map((pod) => addresses.get(pod)![family === 4 ? 0 : 1]!.split('/')[0]!) as [string, string];
    // A gateway's IPv6 address answers only once it is known to be nobody else's.
    await expectSoon(`b answers a ping to ${to}`, () => scene.probe.ping(one.place('a'), to));
    for (const protocol of ['tcp', 'udp'] as const) {
      const reached = await scene.probe.ask(one.place('a'), protocol, `${inUrl(to)}:${PORT}`);
      claim(reached?.name === 'b', `a gets no answer from ${to} over ${protocol}`);
      claim(reached.from.startsWith(`${inUrl(from)}:`), `b is reached from ${reached.from} over ${protocol}, and not from ${from}`);
    }
    // More than a packet, and so packets of the largest size.
    await scene.probe.transfer(one.place('a'), 'upload', `${inUrl(to)}:${PORT}`, 1_000_000);
    const out = await scene.probe.ask(one.place('a'), 'tcp', `${inUrl(WIRE[family].address(2))}:${OTHER_PORT}`);
    claim(out?.name === 'node2', `a does not reach the other node at ${WIRE[family].address(2)}`);
    claim(out.from.startsWith(`${inUrl(WIRE[family].address(1))}:`), `the other node is reached from ${out.from}, and not from a's node`);
  }
  const [link] = JSON.parse(await one.node.expect('ip', ['-json', 'link', 'show', 'eth0'], { pod: 'a' })) as [{ readonly mtu: number }];
  expectEqual('mtu of a pod', link.mtu, tunnel === 4 ? 1450 : 1430);
}

export const dualStackCases: readonly ClusterCase[] = FAMILIES.map((tunnel) => ({
  name: `cluster: pods of two nodes reach each other over IPv4 and IPv6 through a tunnel over IPv${tunnel}`,
  bundles: ['overlay'],
  play: (scene) => playThrough(scene, tunnel),
}));
