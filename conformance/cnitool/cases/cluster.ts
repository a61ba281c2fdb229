import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../../engine/object/json.ts';
import { type ClusterNode, type ClusterScene, POD_NAMESPACE, podNetwork, podObject } from '../../cni/cluster-scene.ts';
import type { Conflist } from '../../cni/conflist.ts';
import { UPLINK, WIRE } from '../../cni/topology.ts';
import { claim, expectEqual, NETWORK } from '../case.ts';

/** A network of rules that follow a cluster, on two nodes of it. */
export interface ClusterCase {
  readonly name: string;
  /** Bundles of the library that the daemons serve. */
  readonly bundles: readonly string[];
  play(scene: ClusterScene): Promise<void>;
}

export const PORT = 8080;
const OTHER_PORT = 9090;

const overlay = (...chained: readonly Conflist['plugins'][number][]): Conflist => ({
  cniVersion: '1.1.0',
  name: NETWORK,
  plugins: [{ type: 'fairlead-overlay' }, ...chained],
});
const policed = overlay({ type: 'fairlead-network-policy' });

/** Makes pods on nodes, in turns, and answers their addresses. */
export async function attachAll(
  { create }: ClusterScene,
  pods: readonly (readonly [node: ClusterNode, pod: JsonObject])[],
): Promise<Readonly<Record<string, string>>> {
  const addresses: Record<string, string> = {};
  for (const [node, pod] of pods) {
    const { name } = pod['metadata'] as { readonly name: string };
    await create(pod);
    addresses[name] = (await node.attach(NETWORK, name)).ips![0]!.address.split('/')[0]!;
  }
  return addresses;
}

/** Only what never comes takes so long. */
const DEADLINE_MS = 30_000;

/** Waits until it is so: what changes in a cluster is on the nodes a moment later. */
export async function expectSoon(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    claim(Date.now() < deadline, `not after ${DEADLINE_MS / 1000} s: ${what}`);
    await delay(50);
  }
}

export function policy(name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: POD_NAMESPACE }, spec };
}

/** Interfaces of a pod with their IPv4 addresses. */
export async function interfacesOf({ node }: ClusterNode, pod: string): Promise<readonly string[]> {
  const links = JSON.parse(await node.expect('ip', ['-json', '-4', 'address', 'show'], { pod })) as {
    readonly ifname: string;
    readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
  }[];
  return links
    .filter(({ ifname }) => ifname !== 'lo')
    .flatMap(({ ifname, addr_info }) => addr_info.map(({ local, prefixlen }) => `${ifname} ${local}/${prefixlen}`))
    .sort();
}

/** What attachments leave on a node if they leave something: links to pods, and addresses that are given out. */
export async function leftOn({ node }: ClusterNode): Promise<readonly string[]> {
  const links = JSON.parse(await node.expect('ip', ['-json', 'link', 'show', 'type', 'veth'])) as { readonly ifname: string }[];
  const addresses = await node.expect('sh', ['-c', 'find /var/lib/cni/networks -type f -name "*.*.*.*" ! -name "last_*" | sort']);
  return [...links.map(({ ifname }) => ifname).filter((name) => name !== UPLINK), ...addresses.split('\n').filter((line) => line !== '')];
}

export const clusterCases: readonly ClusterCase[] = [
  {
    name: 'cluster: pods of two nodes reach each other through VXLAN',
    bundles: ['overlay'],
    async play(scene) {
      const [one, two] = scene.nodes;
      for (const node of scene.nodes) node.configure(overlay());
      const address = await attachAll(scene, [
        [one, podObject('a')],
        [two, podObject('b')],
        [one, podObject('c')],
      ]);
      expectEqual('addresses', address, { a: '10.244.1.2', b: '10.244.2.2', c: '10.244.1.3' });
      await scene.probe.serve(two.place('b'), 'b', [PORT]);
      await scene.probe.serve(one.place('c'), 'c', [PORT]);
      await scene.probe.serve({ node: two.node }, 'node2', [OTHER_PORT]);
      claim(await scene.probe.ping(one.place('a'), address['b']!), 'a gets no answer to a ping from b');
      for (const protocol of ['tcp', 'udp'] as const) {
        const across = await scene.probe.ask(one.place('a'), protocol, `${address['b']}:${PORT}`);
        expectEqual(`a to b over ${protocol}`, [across?.name, across?.from.split(':')[0]], ['b', address['a']]);
        const beside = await scene.probe.ask(one.place('a'), protocol, `${address['c']}:${PORT}`);
        expectEqual(`a to c over ${protocol}`, [beside?.name, beside?.from.split(':')[0]], ['c', address['a']]);
      }
      // Outside of the cluster's networks, a pod has the address of its node.
      const out = await scene.probe.ask(one.place('a'), 'tcp', `${WIRE[4].address(2)}:${OTHER_PORT}`);
      expectEqual('a to the other node', [out?.name, out?.from.split(':')[0]], ['node2', WIRE[4].address(1)]);
      const link = JSON.parse(await one.node.expect('ip', ['-json', 'link', 'show', 'eth0'], { pod: 'a' })) as [{ readonly mtu: number }];
      expectEqual('mtu of a pod', link[0].mtu, 1450);
      // A packet of that size comes through whole.
      await scene.probe.transfer(one.place('a'), 'upload', `${address['b']}:${PORT}`, 1_000_000);
    },
  },
  {
    name: 'cluster: nodes that come, change and go are followed',
    bundles: ['overlay'],
    async play(scene) {
      const [one] = scene.nodes;
      one.configure(overlay());
      await attachAll(scene, [[one, podObject('a')]]);
      const routes = async (): Promise<readonly string[]> =>
        (JSON.parse(await one.node.expect('ip', ['-json', 'route', 'show', 'dev', 'fairlead-vxlan'])) as { readonly dst: string }[]).map(
          ({ dst }) => dst,
        );
      expectEqual('routes', await routes(), [podNetwork(2)]);
      const third = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node3' }, spec: { podCIDR: podNetwork(3) } };
      await scene.create({ ...third, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.3' }] } });
      await expectSoon('there is a route to the third node', async () => (await routes()).includes(podNetwork(3)));
      const ends = (): Promise<string> => one.node.expect('bridge', ['fdb', 'show', 'dev', 'fairlead-vxlan']);
      claim((await ends()).includes('dst 192.0.2.3'), 'the tunnel does not know the third node');
      await scene.change(third, { status: { addresses: [{ type: 'InternalIP', address: '192.0.2.33' }] } });
      await expectSoon('the tunnel knows its new address', async () => (await ends()).includes('dst 192.0.2.33'));
      claim(!(await ends()).includes('dst 192.0.2.3 '), 'the tunnel still knows the old address');
      await scene.remove(third);
      await expectSoon('its route is gone', async () => !(await routes()).includes(podNetwork(3)));
      // A daemon that was started anew goes on, without anybody asking for the network.
      await one.plugins.daemon!.stop();
      await one.plugins.daemon!.start();
      await scene.create({ ...third, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.3' }] } });
      await expectSoon('the third node is back', async () => (await routes()).includes(podNetwork(3)));
    },
  },
  {
    name: 'cluster: network policies let through what they say, and follow changes while pods run',
    bundles: ['overlay', 'network-policy'],
    async play(scene) {
      const [one, two] = scene.nodes;
      for (const node of scene.nodes) node.configure(policed);
      const serve = (place: Parameters<typeof scene.probe.serve>[0], name: string) => scene.probe.serve(place, name, [PORT, OTHER_PORT]);
      const db = podObject('db', { app: 'db' }, { ports: [{ name: 'sql', containerPort: PORT }] });
      const deny = policy('deny', { podSelector: { matchLabels: { app: 'db' } } });
      await scene.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } }, deny);
      const address = await attachAll(scene, [
        [one, db],
        [one, podObject('near', { app: 'web' })],
        [two, podObject('far', { app: 'web' })],
        [two, podObject('stranger', { app: 'stranger' })],
      ]);
      await serve(one.place('db'), 'db');
      const reaches = async (node: ClusterNode, pod: string, port = PORT): Promise<boolean> =>
        (await scene.probe.ask(node.place(pod), 'tcp', `${address['db']}:${port}`, { deadlineMs: 400 })) !== undefined;
      claim(!(await reaches(one, 'near')) && !(await reaches(two, 'far')), 'a pod that nobody may connect to is reached');
      claim(
        (await scene.probe.ask({ node: one.node }, 'tcp', `${address['db']}:${PORT}`))?.name === 'db',
        'the node does not reach its own pod',
      );

      const allow = policy('web', {
        podSelector: { matchLabels: { app: 'db' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 'sql' }] }],
      });
      await scene.create(allow);
      await expectSoon('what is allowed gets through', async () => (await reaches(one, 'near')) && (await reaches(two, 'far')));
      claim(!(await reaches(two, 'stranger')), 'a pod that is not selected gets through');
      claim(!(await reaches(one, 'near', OTHER_PORT)), 'a port that is not named gets through');

      // Labels of a pod that runs.
      await scene.change(podObject('stranger'), { metadata: { labels: { app: 'web' } } });
      await expectSoon('a pod with new labels gets through', () => reaches(two, 'stranger'));
      await scene.change(podObject('far'), { metadata: { labels: { app: 'former' } } });
      await expectSoon('a pod that lost its labels does not', async () => !(await reaches(two, 'far')));

      await scene.change(allow, { spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/16', except: [podNetwork(2)] } }] }] } });
      await expectSoon('the policy is another', async () => (await reaches(one, 'near', OTHER_PORT)) && !(await reaches(two, 'stranger')));

      // Out of a pod.
      await scene.create(policy('out', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] }));
      await expectSoon('a pod that may not connect to anybody does not', async () => !(await reaches(one, 'near')));
      for (const name of ['deny', 'web', 'out']) await scene.remove(policy(name, {}));
      await expectSoon('without policies all is open', async () => (await reaches(one, 'near')) && (await reaches(two, 'far')));
      const chains = await one.node.expect('nft', ['list', 'chains']);
      claim(!/fairlead-policies/.test(chains), `something of policies is left:\n${chains}`);
    },
  },
  {
    name: 'cluster: a pod is isolated at every moment while its policies are replaced by others',
    bundles: ['overlay', 'network-policy'],
    async play(scene) {
      const [one] = scene.nodes;
      one.configure(policed);
      const deny = (index: number): JsonObject => policy(`deny${index}`, { podSelector: { matchLabels: { app: 'db' } } });
      await scene.create(deny(0));
      const address = await attachAll(scene, [
        [one, podObject('db', { app: 'db' })],
        [one, podObject('near')],
      ]);
      const counter = `ip saddr ${address['near']} ip daddr ${address['db']} counter`;
      await one.node.expect('nft', ['-f', '-'], {
        stdin: `table inet flp {\n chain passed {\n type filter hook forward priority 100 ;\n ${counter}\n }\n}\n`,
      });
      const passed = async (): Promise<number> =>
        Number(/packets (\d+)/.exec(await one.node.expect('nft', ['list', 'table', 'inet', 'flp']))![1]);
      // Each of these is the beginning of a connection.
      const flood = `while :; do echo > /dev/udp/${address['db']}/9; done 2>/dev/null`;
      const flooding = await one.node.start('flood', 'bash', ['-c', flood], { pod: 'near' });
      try {
        for (let index = 1; index <= 8; index++) {
          await scene.create(deny(index));
          await scene.remove(deny(index - 1));
          await expectSoon('the policy is replaced', async () => {
            const chains = await one.node.expect('nft', ['list', 'chains']);
            return chains.includes(`/deny${index} `) && !chains.includes(`/deny${index - 1} `);
          });
        }
        expectEqual('packets that got through', await passed(), 0);
        await scene.remove(deny(8));
        await expectSoon('without a policy they get through', async () => (await passed()) > 0);
      } finally {
        await flooding.stop();
      }
    },
  },
  {
    name: 'cluster: a pod is under its policies when its ADD is answered, thirty of them at once',
    bundles: ['overlay', 'network-policy'],
    async play(scene) {
      const [one] = scene.nodes;
      one.configure(policed);
      await scene.create(policy('deny', { podSelector: {} }));
      const names = Array.from({ length: 30 }, (_, index) => `pod${index}`);
      await scene.create(...names.map((name) => podObject(name)));
      const added = await Promise.all(
        names.map(async (name) => {
          const result = await one.attach(NETWORK, name, { quiet: true });
          const address = result.ips![0]!.address.split('/')[0]!;
          // Of the set of isolated pods, and not among the peers.
          return new RegExp(`^\\s*(elements = \\{ )?(.*, )?${address} : jump`, 'm').test(await one.node.expect('nft', ['list', 'ruleset']));
        }),
      );
      expectEqual('pods without a policy', added.filter((isIsolated) => !isIsolated).length, 0);
      await Promise.all(names.map((name) => one.detach(NETWORK, name)));
      await expectSoon(
        'nothing is left of their policies',
        async () => !(await one.node.expect('nft', ['list', 'tables'])).includes('fairlead-policies'),
      );
    },
  },
];
