import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { JsonObject } from '../../../engine/object/json.ts';
import { argsOf, type ClusterNode, type ClusterScene, POD_NAMESPACE, podObject } from '../../cni/cluster-scene.ts';
import { RULES } from '../../cni/network-library.ts';
import { WIRE } from '../../cni/topology.ts';
import { claim, expectEqual, NETWORK } from '../case.ts';
import { attachAll, type ClusterCase, expectSoon, interfacesOf, leftOn, PORT, policy } from './cluster.ts';

const BUNDLES = ['overlay', 'network-policy', 'bridge', 'multi-network'];

/** The network that all pods are in. */
const CLUSTER = { cniVersion: '1.1.0', name: 'cluster', plugins: [{ type: 'fairlead-overlay' }, { type: 'fairlead-network-policy' }] };

/** The networks of the cases, by name. */
const NETWORKS = {
  storage: { type: 'fairlead-bridge', bridge: 'br-storage', isGateway: true, ipam: range('10.91.0.0/24') },
  backup: {
    plugins: [
      { type: 'ptp', ipam: range('10.92.0.0/24') },
      { type: 'tuning', sysctl: {}, capabilities: { mac: true } },
    ],
  },
};

/** The storage network in the version that has GC and STATUS. */
const NEWER = { ...NETWORKS.storage, cniVersion: '1.1.0' };

type Networks = Readonly<Record<string, JsonObject>>;

function range(subnet: string): JsonObject {
  return { type: 'host-local', ranges: [[{ subnet }]] };
}

/** Configures the nodes, and offers networks to pods. */
async function offer(scene: ClusterScene, networks: Networks): Promise<void> {
  for (const node of scene.nodes)
    node.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [{ type: 'fairlead-multi-network', delegate: CLUSTER }] });
  await scene.create(parse(readFileSync(`${RULES}/multi-network/definition.yaml`, 'utf8')) as JsonObject);
  const definitions = Object.entries(networks).map(([name, config]) => definition(name, config));
  await expectSoon('the API server has the kind', () =>
    scene.create(...definitions).then(
      () => true,
      () => false,
    ),
  );
}

function definition(name: string, config: JsonObject = {}): JsonObject {
  const { annotations = {}, ...rest } = config;
  return {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { name, namespace: POD_NAMESPACE, annotations },
    spec: { config: JSON.stringify({ cniVersion: '1.0.0', ...rest }) },
  };
}

/** A pod that asks for networks, in either form of the annotation. */
function asking(name: string, networks: string | readonly JsonObject[], labels: JsonObject = {}): JsonObject {
  const value = typeof networks === 'string' ? networks : JSON.stringify(networks);
  return podObject(name, labels, { annotations: { 'k8s.v1.cni.cncf.io/networks': value } });
}

/** What the annotation of a pod says that it is in. */
async function statusOf(scene: ClusterScene, name: string): Promise<readonly JsonObject[]> {
  const pod = await scene.read(podObject(name));
  const { annotations = {} } = (pod?.['metadata'] ?? {}) as { readonly annotations?: Readonly<Record<string, string>> };
  return JSON.parse(annotations['k8s.v1.cni.cncf.io/network-status'] ?? '[]') as readonly JsonObject[];
}

const defaultRoutesOf = async ({ node }: ClusterNode, pod: string): Promise<readonly string[]> =>
  (await node.expect('ip', ['route', 'show', 'default'], { pod })).split('\n').flatMap((line) => (line === '' ? [] : [line.trim()]));

async function expectNothingLeft(node: ClusterNode, before: readonly string[]): Promise<void> {
  await expectSoon('nothing is left of the pods', async () => isDeepStrictEqual(await leftOn(node), before));
}

/** An attachment that fails: what the plugin says. */
async function failureOf(node: ClusterNode, pod: string): Promise<string> {
  try {
    await node.attach(NETWORK, pod, { quiet: true });
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${pod} was attached`);
}

/** A case on nodes that offer networks to their pods. `before` is what is on the first node at the start, and at the end again. */
function offering(
  name: string,
  networks: Networks,
  play: (scene: ClusterScene, one: ClusterNode, before: readonly string[]) => Promise<void>,
): ClusterCase {
  return {
    name: `multi-network: ${name}`,
    bundles: BUNDLES,
    async play(scene) {
      const [one] = scene.nodes;
      await offer(scene, networks);
      const before = await leftOn(one);
      await play(scene, one, before);
      await expectNothingLeft(one, before);
    },
  };
}

export const multiNetworkCases: readonly ClusterCase[] = [
  offering('a pod in the network of the cluster and in two others, ours and an official one', NETWORKS, async (scene, one) => {
    const two = scene.nodes[1];
    await scene.create(policy('deny', { podSelector: { matchLabels: { app: 'closed' } } }));
    const address = await attachAll(scene, [
      [one, asking('a', 'storage,backup', { app: 'closed' })],
      [one, asking('b', [{ name: 'storage', interface: 'data0' }])],
      [two, podObject('c')],
    ]);
    expectEqual('addresses', address, { a: '10.244.1.2', b: '10.244.1.3', c: '10.244.2.2' });
    expectEqual('interfaces of a', await interfacesOf(one, 'a'), ['eth0 10.244.1.2/24', 'net1 10.91.0.2/24', 'net2 10.92.0.2/24']);
    expectEqual('interfaces of b', await interfacesOf(one, 'b'), ['data0 10.91.0.3/24', 'eth0 10.244.1.3/24']);
    await scene.probe.serve(one.place('a'), 'a', [PORT]);
    const ask = async (node: ClusterNode, pod: string, target: string, options?: { readonly deadlineMs: number }) =>
      (await scene.probe.ask(node.place(pod), 'tcp', `${target}:${PORT}`, options))?.name;
    // Policies are about the network of the cluster.
    expectEqual('b to a by the storage network', await ask(one, 'b', '10.91.0.2'), 'a');
    expectEqual('b to a by the network of the cluster', await ask(one, 'b', address['a']!, { deadlineMs: 400 }), undefined);
    expectEqual('c to a by the network of the cluster', await ask(two, 'c', address['a']!, { deadlineMs: 400 }), undefined);
    // What was attached is detached, whatever the annotation says by then.
    await scene.change(podObject('a'), { metadata: { annotations: { 'k8s.v1.cni.cncf.io/networks': 'storage' } } });
    for (const pod of ['a', 'b']) await one.detach(NETWORK, pod);
  }),
  offering(
    'what a pod asks of its networks is done, and its annotation tells what came of it',
    { ...NETWORKS, logs: { plugins: [{ type: 'ptp', ipam: range('10.97.0.0/24') }, { type: 'tuning' }] } },
    async (scene, one) => {
      await attachAll(scene, [
        [
          one,
          asking('a', [
            // Without a capability: by CNI_ARGS.
            { name: 'storage', ips: ['10.91.0.77'], mac: '0a:00:00:00:00:77' },
            // By the capability.
            { name: 'backup', interface: 'bak0', mac: '0a:00:00:00:00:42' },
            // To the second plugin of the chain.
            { name: 'logs', 'cni-args': { mac: '0a:00:00:00:00:43' } },
          ]),
        ],
      ]);
      const found = await interfacesOf(one, 'a');
      expectEqual('interfaces', found, ['bak0 10.92.0.2/24', 'eth0 10.244.1.2/24', 'net1 10.91.0.77/24', 'net3 10.97.0.2/24']);
      for (const [dev, mac] of [
        ['net1', '0a:00:00:00:00:77'],
        ['bak0', '0a:00:00:00:00:42'],
        ['net3', '0a:00:00:00:00:43'],
      ] as const) {
        const [link] = JSON.parse(await one.node.expect('ip', ['-json', 'link', 'show', dev], { pod: 'a' })) as [JsonObject];
        expectEqual(`MAC address of ${dev}`, link['address'], mac);
      }
      const status = (await statusOf(scene, 'a')).map(({ mac, name, ...rest }) => ({
        name,
        ...rest,
        ...(name === 'cluster' ? {} : { mac }),
      }));
      expectEqual('status', status, [
        { name: 'cluster', interface: 'eth0', ips: ['10.244.1.2'], default: true, gateway: ['10.244.1.1'], dns: {} },
        { name: 'default/storage', interface: 'net1', ips: ['10.91.0.77'], dns: {}, mac: '0a:00:00:00:00:77' },
        { name: 'default/backup', interface: 'bak0', ips: ['10.92.0.2'], dns: {}, mac: '0a:00:00:00:00:42' },
        { name: 'default/logs', interface: 'net3', ips: ['10.97.0.2'], dns: {}, mac: '0a:00:00:00:00:43' },
      ]);
      // What nobody would do is found out before anything is done.
      await scene.create(asking('b', [{ name: 'storage', portMappings: [{ hostPort: 80, containerPort: 80 }] }]));
      const said = await failureOf(one, 'b');
      claim(said.includes('no plugin of network storage (fairlead-bridge) has the capability portMappings'), said);
      expectEqual('interfaces of a pod that could not be attached', await interfacesOf(one, 'b'), []);
      await one.detach(NETWORK, 'b');
      await one.detach(NETWORK, 'a');
    },
  ),
  offering('everything leaves a pod by another network than that of the cluster', NETWORKS, async (scene, one) => {
    const address = await attachAll(scene, [
      [one, asking('a', [{ name: 'backup' }, { name: 'storage', 'default-route': ['10.91.0.1'] }])],
      // The gateway that its own plugins know.
      [one, asking('b', [{ name: 'backup', 'default-route': [] }])],
      [one, podObject('c')],
    ]);
    expectEqual('default routes of a', await defaultRoutesOf(one, 'a'), ['default via 10.91.0.1 dev net2']);
    expectEqual('default routes of b', await defaultRoutesOf(one, 'b'), []);
    expectEqual('default routes of c', await defaultRoutesOf(one, 'c'), ['default via 10.244.1.1 dev eth0']);
    expectEqual(
      'gateways in the status of a',
      (await statusOf(scene, 'a')).map((each) => [each['interface'], each['gateway'], each['default-route']]),
      [
        ['eth0', undefined, undefined],
        ['net1', undefined, undefined],
        ['net2', ['10.91.0.1'], ['10.91.0.1']],
      ],
    );
    // Networks with routes of their own are reached as before, and the others by the gateway.
    await scene.probe.serve(one.place('c'), 'c', [PORT]);
    await scene.probe.serve({ node: one.node }, 'node1', [PORT]);
    expectEqual('a to c', (await scene.probe.ask(one.place('a'), 'tcp', `${address['c']}:${PORT}`))?.name, 'c');
    const out = await scene.probe.ask(one.place('a'), 'tcp', `${WIRE[4].address(1)}:${PORT}`);
    expectEqual('a to its node', [out?.name, out?.from.split(':')[0]], ['node1', '10.91.0.2']);
    // CHECK knows the routes as they are, in our words and in those of the plugins.
    const check = { verb: 'check', network: NETWORK, pod: 'a', args: argsOf('a') } as const;
    await one.cnitool.expect(check);
    await one.node.expect('ip', ['route', 'replace', 'default', 'via', '10.91.0.9', 'dev', 'net2'], { pod: 'a' });
    const { exitCode, stdout } = await one.cnitool.call(check);
    claim(exitCode !== 0, `CHECK does not see that the default route is another: ${stdout}`);
    for (const pod of ['a', 'b', 'c']) await one.detach(NETWORK, pod);
  }),
  offering(
    'an attachment that fails undoes those before it, and a definition that is gone keeps no pod',
    { ...NETWORKS, broken: { plugins: [{ type: 'ptp', ipam: range('10.93.0.0/24') }, { type: 'no-such-plugin' }] } },
    async (scene, one, before) => {
      await scene.create(asking('a', 'storage,backup,broken'));
      const said = await failureOf(one, 'a');
      claim(said.includes('no-such-plugin'), said);
      expectEqual('interfaces of a pod that could not be attached', await interfacesOf(one, 'a'), []);
      await expectNothingLeft(one, before);
      expectEqual('status of a pod that could not be attached', await statusOf(scene, 'a'), []);
      await one.detach(NETWORK, 'a');

      await attachAll(scene, [[one, asking('b', 'storage,backup')]]);
      for (const name of ['storage', 'backup']) await scene.remove(definition(name));
      await scene.remove(podObject('b'));
      await one.detach(NETWORK, 'b');
    },
  ),
  offering(
    'GC and STATUS go on to the plugins of the networks',
    {
      storage: NEWER,
      older: { ...NETWORKS.storage, bridge: 'br-older', ipam: range('10.94.0.0/24') },
    },
    async (scene, one, before) => {
      await attachAll(scene, [[one, asking('a', 'storage,older')]]);
      await one.cnitool.expect({ verb: 'status', network: NETWORK, pod: 'a' });
      // Addresses that nobody has a record of, in networks with GC and without.
      const strays = ['/var/lib/cni/networks/storage/10.91.0.200', '/var/lib/cni/networks/older/10.94.0.200'];
      for (const path of strays) await one.node.expect('sh', ['-c', `printf 'gone\\r\\neth0' > ${path}`]);
      // cnitool knows of no valid attachments.
      await one.cnitool.expect({ verb: 'gc', network: NETWORK, pod: 'a' });
      expectEqual('what is left', await leftOn(one), [...before, strays[1]]);
      expectEqual('interfaces after GC', await interfacesOf(one, 'a'), []);
      await one.node.expect('rm', [strays[1]!]);
      await one.detach(NETWORK, 'a');

      // Another network in place of the cluster's, which is not ready.
      const full = { ...NEWER, ipam: { type: 'host-local', ranges: [[{ subnet: '10.95.0.0/30' }]] } };
      const delegate = { cniVersion: '1.1.0', name: 'full', plugins: [full] };
      one.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [{ type: 'fairlead-multi-network', delegate }] });
      await one.cnitool.expect({ verb: 'status', network: NETWORK, pod: 'a' });
      await attachAll(scene, [[one, podObject('b')]]);
      const { exitCode, stdout, stderr } = await one.cnitool.call({ verb: 'status', network: NETWORK, pod: 'a' });
      claim(
        exitCode !== 0 && `${stdout}${stderr}`.includes('no IP addresses available'),
        `STATUS of a network that is full: ${stdout}${stderr}`,
      );
      await one.detach(NETWORK, 'b');
    },
  ),
  offering(
    'networks that are made of devices get those that the kubelet gave to the pod',
    { fast: { ...NETWORKS.storage, annotations: { 'k8s.v1.cni.cncf.io/resourceName': 'example.com/nic' } } },
    async (scene, one) => {
      await scene.create(asking('a', 'fast,fast'));
      const { uid } = (await scene.read(podObject('a')))!['metadata'] as { readonly uid: string };
      // Nobody can be asked.
      const said = await failureOf(one, 'a');
      claim(said.includes('what the rule needs of the cluster is not known yet'), said);
      await one.node.removePod('a');

      const put = (path: string, content: JsonObject): Promise<string> =>
        one.node.expect('sh', ['-c', `mkdir -p "$(dirname "$1")" && cat > "$1"`, 'sh', path], { stdin: JSON.stringify(content) });
      const given = {
        PodUID: uid,
        ContainerName: 'main',
        ResourceName: 'example.com/nic',
        DeviceIDs: { '0': ['0000:18:02.5'] },
        AllocResp: '',
      };
      await put('/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint', {
        Data: { PodDeviceEntries: [given], RegisteredDevices: {} },
        Checksum: 0,
      });
      const device = { type: 'pci', version: '1.1.0', pci: { 'pci-address': '0000:18:02.5' } };
      const files = '/var/run/k8s.cni.cncf.io/devinfo';
      await put(`${files}/dp/example.com-nic-0000:18:02.5-device.json`, device);
      await one.attach(NETWORK, 'a');
      // The pod has one device, and so the second network none.
      expectEqual(
        'devices in the status',
        (await statusOf(scene, 'a')).map((each) => [each['interface'], each['device-info']]),
        [
          ['eth0', undefined],
          ['net1', device],
          ['net2', undefined],
        ],
      );
      const told = async (): Promise<string> => (await one.node.expect('ls', [`${files}/cni`])).trim();
      claim(/^default-fast-cnitool-[0-9a-f]+_net1$/.test(await told()), `files about devices: ${await told()}`);
      await one.detach(NETWORK, 'a');
      expectEqual('files about devices', await told(), '');
    },
  ),
];
