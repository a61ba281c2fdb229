import type { Scene } from '../../cni/scene.ts';
import { WIRE } from '../../cni/topology.ts';
import { bridgeList, type CniCase, claim, expectEqual, NETWORK } from '../case.ts';

const OUTSIDE = { 4: WIRE[4].address(2), 6: WIRE[6].address(2) };
const NODE = { 4: WIRE[4].address(1), 6: WIRE[6].address(1) };
const PORT = 8080;

const SIX = {
  ipam: { type: 'host-local', ranges: [[{ subnet: 'fd00:1::/64' }]], routes: [{ dst: '::/0' }] },
};
const DUAL = {
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  },
};

function target(address: string, port = PORT): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function hostOf(address: string | undefined): string | undefined {
  return address?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Two pods, the node, and what each sees of the other. */
async function expectReach(scene: Scene, pods: readonly [string, string], gateway: string): Promise<void> {
  const [first, second] = pods;
  await scene.probe.serve(scene.pod('pod2'), 'pod2', [PORT]);
  await scene.probe.serve({ node: scene.node }, 'node', [PORT]);
  claim(await scene.probe.ping(scene.pod('pod1'), second), `pod1 gets no answer to a ping from ${second}`);
  for (const protocol of ['tcp', 'udp'] as const) {
    const reached = await scene.probe.ask(scene.pod('pod1'), protocol, target(second));
    expectEqual(`pod1 to pod2 over ${protocol}`, [reached?.name, hostOf(reached?.from)], ['pod2', first]);
    const up = await scene.probe.ask(scene.pod('pod1'), protocol, target(gateway));
    expectEqual(`pod1 to the node over ${protocol}`, [up?.name, hostOf(up?.from)], ['node', first]);
    const down = await scene.probe.ask({ node: scene.node }, protocol, target(second));
    expectEqual(`the node to pod2 over ${protocol}`, [down?.name, hostOf(down?.from)], ['pod2', gateway]);
  }
}

async function expectMasquerade(scene: Scene, family: 4 | 6): Promise<void> {
  await scene.probe.serve({ node: scene.outside }, 'outside', [PORT]);
  for (const protocol of ['tcp', 'udp'] as const) {
    const reached = await scene.probe.ask(scene.pod('pod1'), protocol, target(OUTSIDE[family]));
    expectEqual(`pod1 to the outside over ${protocol}`, [reached?.name, hostOf(reached?.from)], ['outside', NODE[family]]);
  }
}

export const reachCases: readonly CniCase[] = [
  {
    name: 'reach: two pods on one bridge, and the node',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'pod1');
      await scene.attach(NETWORK, 'pod2');
      await expectReach(scene, ['10.1.0.2', '10.1.0.3'], '10.1.0.1');
    },
  },
  {
    name: 'reach: two pods over IPv6, and the node',
    async play(scene) {
      scene.configure(bridgeList(scene, SIX));
      await scene.attach(NETWORK, 'pod1');
      await scene.attach(NETWORK, 'pod2');
      await expectReach(scene, ['fd00:1::2', 'fd00:1::3'], 'fd00:1::1');
    },
  },
  {
    name: 'reach: dual stack, both families at once',
    async play(scene) {
      scene.configure(bridgeList(scene, { ...DUAL, ipMasq: true }));
      const result = await scene.attach(NETWORK, 'pod1');
      expectEqual(
        'addresses',
        result.ips?.map(({ address }) => address),
        ['10.1.0.2/24', 'fd00:1::2/64'],
      );
      await scene.attach(NETWORK, 'pod2');
      await scene.probe.serve(scene.pod('pod2'), 'pod2', [PORT]);
      await scene.probe.serve({ node: scene.outside }, 'outside', [PORT]);
      for (const [family, pod2] of [
        [4, '10.1.0.3'],
        [6, 'fd00:1::3'],
      ] as const) {
        expectEqual(`pod1 to pod2, IPv${family}`, (await scene.probe.ask(scene.pod('pod1'), 'tcp', target(pod2)))?.name, 'pod2');
        const outside = await scene.probe.ask(scene.pod('pod1'), 'tcp', target(OUTSIDE[family]));
        expectEqual(`pod1 to the outside, IPv${family}`, hostOf(outside?.from), NODE[family]);
      }
    },
  },
  {
    name: 'masquerade: the world outside sees the address of the node',
    async play(scene) {
      scene.configure(bridgeList(scene, { ipMasq: true }));
      await scene.attach(NETWORK, 'pod1');
      await expectMasquerade(scene, 4);
    },
  },
  {
    name: 'masquerade: over IPv6',
    async play(scene) {
      scene.configure(bridgeList(scene, { ...SIX, ipMasq: true }));
      await scene.attach(NETWORK, 'pod1');
      await expectMasquerade(scene, 6);
    },
  },
  {
    name: 'masquerade: not between pods',
    async play(scene) {
      scene.configure(bridgeList(scene, { ipMasq: true }));
      await scene.attach(NETWORK, 'pod1');
      await scene.attach(NETWORK, 'pod2');
      await expectReach(scene, ['10.1.0.2', '10.1.0.3'], '10.1.0.1');
    },
  },
  {
    name: 'masquerade: without it the world outside does not answer',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'pod1');
      await scene.probe.serve({ node: scene.outside }, 'outside', [PORT]);
      const reached = await scene.probe.ask(scene.pod('pod1'), 'tcp', target(OUTSIDE[4]), { deadlineMs: 500 });
      expectEqual('answer', reached, undefined);
    },
  },
  {
    name: 'masquerade: goes with its pod',
    async play(scene) {
      scene.configure(bridgeList(scene, { ipMasq: true }));
      const before = await scene.state([]);
      await scene.attach(NETWORK, 'pod1');
      await scene.detach(NETWORK, 'pod1');
      const after = await scene.state([]);
      expectEqual(
        'rules that translate',
        after.firewall.filter((line) => line.includes('10.1.0.2')),
        [],
      );
      expectEqual(
        'routes',
        after.routes.filter((line) => !before.routes.includes(line) && !line.includes('cni0')),
        [],
      );
    },
  },
];
