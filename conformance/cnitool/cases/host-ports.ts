import type { Place, Reached } from '../../cni/probe.ts';
import type { Scene } from '../../cni/scene.ts';
import { WIRE } from '../../cni/topology.ts';
import { bridgeList, type CniCase, expectEqual, expectState, NETWORK, nodeState } from '../case.ts';

const PORT = 8080;
const TCP = { hostPort: 9090, containerPort: PORT, protocol: 'tcp' };
const UDP = { hostPort: 9091, containerPort: PORT, protocol: 'udp' };
const NODE = WIRE[4].address(1);

const DUAL = {
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  },
};

/** A pod with these host ports on a bridge, and its server. */
async function publish(scene: Scene, mappings: readonly object[], conf: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const portMap = scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } });
  scene.configure(bridgeList(scene, { hairpinMode: true, ...conf }, portMap));
  await scene.attach(NETWORK, 'pod1', { capabilities: { portMappings: mappings } });
  await scene.probe.serve(scene.pod('pod1'), 'pod1', [PORT]);
}

async function expectAnswer(
  scene: Scene,
  what: string,
  place: Place,
  protocol: 'tcp' | 'udp',
  target: string,
  name: string | undefined,
): Promise<Reached | undefined> {
  const reached = await scene.probe.ask(place, protocol, target, name === undefined ? { deadlineMs: 500 } : {});
  expectEqual(`who answers ${what} over ${protocol} at ${target}`, reached?.name, name);
  return reached;
}

function published(
  name: string,
  from: (scene: Scene) => Place | Promise<Place>,
  target: string,
  mappings: readonly object[] = [TCP, UDP],
  conf: Readonly<Record<string, unknown>> = {},
): CniCase {
  return {
    name: `host port: ${name}`,
    async play(scene) {
      await publish(scene, mappings, conf);
      const place = await from(scene);
      await expectAnswer(scene, '', place, 'tcp', `${target}:${TCP.hostPort}`, 'pod1');
      await expectAnswer(scene, '', place, 'udp', `${target}:${UDP.hostPort}`, 'pod1');
    },
  };
}

/** Another pod of the network, without host ports. */
async function neighbour(scene: Scene): Promise<Place> {
  await scene.attach(NETWORK, 'pod2');
  return scene.pod('pod2');
}

export const hostPortCases: readonly CniCase[] = [
  published('from outside', ({ outside }) => ({ node: outside }), NODE),
  published('from the node, by its address', ({ node }) => ({ node }), NODE),
  published('from the node, by loopback', ({ node }) => ({ node }), '127.0.0.1'),
  published('from another pod', neighbour, NODE),
  published('from another pod, by the gateway', neighbour, '10.1.0.1'),
  published('from the pod itself', (scene) => scene.pod('pod1'), NODE),
  published('from outside, over IPv6', ({ outside }) => ({ node: outside }), `[${WIRE[6].address(1)}]`, [TCP, UDP], DUAL),
  published('from another pod, over IPv6', neighbour, `[${WIRE[6].address(1)}]`, [TCP, UDP], DUAL),
  // containerd's fields have the names of Go (go-cni: types.go, PortMapping), which Go reads in any case.
  published('in the spelling of containerd', ({ outside }) => ({ node: outside }), NODE, [
    { HostPort: TCP.hostPort, ContainerPort: PORT, Protocol: 'tcp', HostIP: '' },
    { HostPort: UDP.hostPort, ContainerPort: PORT, Protocol: 'udp', HostIP: '' },
  ]),
  published('of one address of the node', ({ outside }) => ({ node: outside }), NODE, [
    { ...TCP, hostIP: NODE },
    { ...UDP, hostIP: NODE },
  ]),
  {
    name: 'host port: the pod sees who is outside',
    async play(scene) {
      await publish(scene, [TCP]);
      const reached = await scene.probe.ask({ node: scene.outside }, 'tcp', `${NODE}:${TCP.hostPort}`);
      expectEqual('address that the pod sees', reached?.from.replace(/:\d+$/, ''), WIRE[4].address(2));
    },
  },
  {
    name: 'host port: of loopback alone does not answer outside',
    async play(scene) {
      await publish(scene, [{ ...TCP, hostIP: '127.0.0.1' }]);
      await expectAnswer(scene, 'the node', { node: scene.node }, 'tcp', `127.0.0.1:${TCP.hostPort}`, 'pod1');
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'tcp', `${NODE}:${TCP.hostPort}`, undefined);
    },
  },
  {
    name: 'host port: goes with its pod, and another pod may have it',
    async play(scene) {
      await publish(scene, [TCP, UDP]);
      await scene.detach(NETWORK, 'pod1', { capabilities: { portMappings: [TCP, UDP] } });
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'tcp', `${NODE}:${TCP.hostPort}`, undefined);
      await scene.attach(NETWORK, 'pod2', { capabilities: { portMappings: [TCP, UDP] } });
      await scene.probe.serve(scene.pod('pod2'), 'pod2', [PORT]);
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'tcp', `${NODE}:${TCP.hostPort}`, 'pod2');
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'udp', `${NODE}:${UDP.hostPort}`, 'pod2');
    },
  },
  {
    name: 'host port: a flow of UDP that began before the pod was there reaches it',
    async play(scene) {
      const portMap = scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } });
      scene.configure(bridgeList(scene, { hairpinMode: true }, portMap));
      await scene.attach(NETWORK, 'first', { capabilities: { portMappings: [UDP] } });
      await scene.probe.serve(scene.pod('first'), 'first', [PORT]);
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'udp', `${NODE}:${UDP.hostPort}`, 'first');
      await scene.detach(NETWORK, 'first', { capabilities: { portMappings: [UDP] } });
      await scene.attach(NETWORK, 'pod1', { capabilities: { portMappings: [UDP] } });
      await scene.probe.serve(scene.pod('pod1'), 'pod1', [PORT]);
      await expectAnswer(scene, 'outside', { node: scene.outside }, 'udp', `${NODE}:${UDP.hostPort}`, 'pod1');
    },
  },
  {
    name: 'host port: a thousand of one pod, and nothing is left of them',
    notOfficial: 'the official portmap asks for the flows of each port, and is not done in time',
    async play(scene) {
      const portMap = scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } });
      scene.configure(bridgeList(scene, { hairpinMode: true }, portMap));
      const one = { capabilities: { portMappings: [{ ...TCP, hostPort: 1000 }] } };
      await scene.attach(NETWORK, 'warm-up', one);
      await scene.detach(NETWORK, 'warm-up', one);
      const before = await nodeState(scene);
      const [first, last, unmapped] = [20_000, 20_499, 20_500];
      const ports = Array.from({ length: 500 }, (_, index) => first + index);
      const mappings = ['tcp', 'udp'].flatMap((protocol) => ports.map((hostPort) => ({ hostPort, containerPort: PORT, protocol })));
      for (const port of [last, unmapped]) {
        const flow = ['-p', 'udp', '-s', WIRE[4].address(2), '-d', NODE, '--sport', '40000', '--dport', String(port)];
        await scene.node.expect('conntrack', ['-I', ...flow, '-t', '600', '-u', 'SEEN_REPLY']);
      }
      const options = { capabilities: { portMappings: mappings } };
      await scene.attach(NETWORK, 'pod1', options);
      const flows = await scene.node.expect('conntrack', ['-L', '-p', 'udp']);
      expectEqual(
        'flows that are remembered',
        [...flows.matchAll(/sport=40000 dport=(\d+)/g)].map(([, port]) => Number(port)),
        [unmapped],
      );
      await scene.probe.serve(scene.pod('pod1'), 'pod1', [PORT]);
      for (const protocol of ['tcp', 'udp'] as const)
        for (const port of [first, last])
          await expectAnswer(scene, 'outside', { node: scene.outside }, protocol, `${NODE}:${port}`, 'pod1');
      await scene.cnitool.expect({ ...options, verb: 'check', network: NETWORK, pod: 'pod1' });
      await scene.detach(NETWORK, 'pod1', options);
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
];
