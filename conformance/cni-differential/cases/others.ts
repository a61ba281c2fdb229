import type { PluginConf } from '../../cni/conflist.ts';
import type { PluginKind } from '../../cni/plugin-set.ts';
import type { Place, Reached } from '../../cni/probe.ts';
import type { Scene } from '../../cni/scene.ts';
import { UPLINK, WIRE } from '../../cni/topology.ts';
import { canMakeLink, type DifferentialCase } from '../case.ts';

const FOUR = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
const DUAL = {
  type: 'host-local',
  ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
};
const MAC = '0a:00:00:00:00:42';

type More = Partial<Omit<DifferentialCase, 'name' | 'kind' | 'list'>>;

/** A network of this plugin alone. */
function alone(kind: PluginKind, name: string, conf: Readonly<Record<string, unknown>>, more: More = {}): DifferentialCase {
  return {
    name: `${kind}: ${name}`,
    kind,
    list: (compared) => ({ cniVersion: '1.1.0', name: 'testnet', plugins: [compared(conf)] }),
    ...more,
  };
}

/** The plugin behind the official bridge. */
function chained(
  kind: PluginKind,
  name: string,
  conf: Readonly<Record<string, unknown>>,
  more: More & { readonly ipam?: unknown; readonly after?: readonly PluginConf[] } = {},
): DifferentialCase {
  const { ipam = FOUR, after = [], ...rest } = more;
  const bridge: PluginConf = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
  return {
    name: `${kind}: ${name}`,
    kind,
    list: (compared) => ({ cniVersion: '1.1.0', name: 'testnet', plugins: [bridge, compared(conf), ...after] }),
    ...rest,
  };
}

export const ptpCases: readonly DifferentialCase[] = [
  alone('ptp', 'plain', { ipam: FOUR }),
  alone('ptp', 'ipMasq', { ipMasq: true, ipMasqBackend: 'nftables', ipam: FOUR }),
  alone('ptp', 'dual stack', { ipMasq: true, ipMasqBackend: 'nftables', ipam: DUAL }),
  alone('ptp', 'mtu', { mtu: 1400, ipam: FOUR }),
  alone('ptp', 'dns of the list', { ipam: FOUR, dns: { nameservers: ['10.1.0.53'] } }),
];

const MAPPINGS = [
  { hostPort: 9090, containerPort: 8080, protocol: 'tcp' },
  { hostPort: 9091, containerPort: 8080, protocol: 'udp' },
];

/** Who answers at the host ports, seen from each place; addresses of the node are those that whoever answers sees. */
async function askHostPorts(scene: Scene, targets: readonly string[]): Promise<readonly string[]> {
  await scene.probe.serve(scene.pod('pod1'), 'pod1', [8080]);
  const places = { outside: { node: scene.outside }, node: { node: scene.node }, 'the pod itself': scene.pod('pod1') };
  const answers: string[] = [];
  for (const [place, from] of Object.entries(places)) {
    const ask = (protocol: 'tcp' | 'udp', target: string) => askPatiently(scene, place, from, protocol, target);
    // At once, as each that is not answered takes its whole time.
    answers.push(...(await Promise.all(targets.flatMap((target) => [ask('tcp', `${target}:9090`), ask('udp', `${target}:9091`)]))));
  }
  return answers;
}

/** An answer that comes late, on a machine that is busy, comes by then. */
const SILENCE_MS = 5000;

async function askPatiently(scene: Scene, place: string, from: Place, protocol: 'tcp' | 'udp', target: string): Promise<string> {
  return `${protocol} ${target} from ${place}: ${said(await scene.probe.ask(from, protocol, target, { deadlineMs: SILENCE_MS }))}`;
}

function said(reached: Reached | undefined): string {
  return reached === undefined ? 'no answer' : `${reached.name}, who sees ${reached.from.replace(/:\d+$/, '')}`;
}

function portMap(
  name: string,
  conf: Readonly<Record<string, unknown>>,
  mappings: readonly unknown[],
  more: More & { readonly ipam?: unknown } = {},
  targets: readonly string[] = [WIRE[4].address(1), '127.0.0.1'],
): DifferentialCase {
  return chained(
    'portmap',
    name,
    { backend: 'nftables', capabilities: { portMappings: true }, ...conf },
    {
      pods: ['pod1'],
      capabilities: { portMappings: mappings },
      ask: (scene) => askHostPorts(scene, targets),
      ...more,
    },
  );
}

export const portMapCases: readonly DifferentialCase[] = [
  portMap('TCP and UDP', {}, MAPPINGS),
  portMap(
    'of one address of the node',
    {},
    MAPPINGS.map((each) => ({ ...each, hostIP: WIRE[4].address(1) })),
  ),
  portMap(
    'of loopback',
    {},
    MAPPINGS.map((each) => ({ ...each, hostIP: '127.0.0.1' })),
  ),
  portMap('snat false', { snat: false }, MAPPINGS),
  portMap('conditions', { conditionsV4: ['ip saddr 192.0.2.0/24'] }, MAPPINGS, {}, [WIRE[4].address(1)]),
  portMap('dual stack', {}, MAPPINGS, { ipam: DUAL }, [WIRE[4].address(1), '127.0.0.1', `[${WIRE[6].address(1)}]`]),
  portMap(
    'of an IPv6 address of the node',
    {},
    MAPPINGS.map((each) => ({ ...each, hostIP: WIRE[6].address(1) })),
    { ipam: DUAL },
    [`[${WIRE[6].address(1)}]`],
  ),
  portMap('SCTP', {}, [{ hostPort: 9090, containerPort: 8080, protocol: 'sctp' }], {}, []),
  portMap('none', {}, [], {}, []),
];

export const bandwidthCases: readonly DifferentialCase[] = [
  chained(
    'bandwidth',
    'ingress and egress',
    { ingressRate: 8_000_000, ingressBurst: 1_000_000, egressRate: 4_000_000, egressBurst: 1_000_000 },
    { pods: ['pod1'] },
  ),
  chained('bandwidth', 'ingress alone', { ingressRate: 8_000_000, ingressBurst: 1_000_000 }, { pods: ['pod1'] }),
  chained('bandwidth', 'egress alone', { egressRate: 4_000_000, egressBurst: 1_000_000 }, { pods: ['pod1'] }),
  chained(
    'bandwidth',
    'by its capability',
    { capabilities: { bandwidth: true } },
    {
      pods: ['pod1'],
      capabilities: { bandwidth: { ingressRate: 8_000_000, ingressBurst: 1_000_000, egressRate: 4_000_000, egressBurst: 1_000_000 } },
    },
  ),
  chained('bandwidth', 'none', {}, { pods: ['pod1'] }),
];

/** A node that forwards nothing by itself, and a world outside that knows the way to its pods. */
async function forwardNothing({ node, outside }: Scene): Promise<void> {
  for (const program of ['iptables', 'ip6tables']) await node.expect(program, ['-P', 'FORWARD', 'DROP']);
  await outside.expect('ip', ['route', 'add', '10.1.0.0/24', 'via', WIRE[4].address(1)]);
}

/** Who reaches whom. */
async function askThroughFirewall(scene: Scene): Promise<readonly string[]> {
  const [node, outside] = [{ node: scene.node }, { node: scene.outside }];
  await scene.probe.serve(outside, 'outside', [8080]);
  for (const pod of ['pod1', 'pod2']) await scene.probe.serve(scene.pod(pod), pod, [8080]);
  const asked = [
    ['pod1', scene.pod('pod1'), `${WIRE[4].address(2)}:8080`],
    ['pod2', scene.pod('pod2'), `${WIRE[4].address(2)}:8080`],
    ['pod1', scene.pod('pod1'), '10.1.0.3:8080'],
    ['the node', node, '10.1.0.2:8080'],
    ['outside', outside, '10.1.0.2:8080'],
  ] as const;
  const answers: string[] = [];
  for (const protocol of ['tcp', 'udp'] as const)
    answers.push(...(await Promise.all(asked.map(([place, from, target]) => askPatiently(scene, place, from, protocol, target)))));
  if (!answers[0]!.includes('outside, who sees')) throw new Error(`the pod does not get out, so that nothing is compared: ${answers[0]}`);
  return answers;
}

const FIREWALL = { ipam: FOUR, prepare: forwardNothing, ask: askThroughFirewall };
export const firewallCases: readonly DifferentialCase[] = [
  chained('firewall', 'iptables', { backend: 'iptables' }, FIREWALL),
  chained('firewall', 'iptables, dual stack', { backend: 'iptables' }, { ...FIREWALL, ipam: DUAL }),
  chained('firewall', 'ingressPolicy same-bridge', { backend: 'iptables', ingressPolicy: 'same-bridge' }, FIREWALL),
  chained('firewall', 'ingressPolicy isolated', { backend: 'iptables', ingressPolicy: 'isolated' }, FIREWALL),
  chained('firewall', 'iptablesAdminChainName', { backend: 'iptables', iptablesAdminChainName: 'MY-ADMIN' }, FIREWALL),
];

export const tuningCases: readonly DifferentialCase[] = [
  chained('tuning', 'sysctl', { sysctl: { 'net.core.somaxconn': '500', 'net.ipv4.conf.IFNAME.arp_filter': '1' } }),
  chained('tuning', 'mac', { mac: MAC }, { pods: ['pod1'], macs: [MAC] }),
  chained('tuning', 'mac by its capability', { capabilities: { mac: true } }, { pods: ['pod1'], macs: [MAC], capabilities: { mac: MAC } }),
  chained('tuning', 'mac by CNI_ARGS', {}, { pods: ['pod1'], macs: [MAC], args: `IgnoreUnknown=1;MAC=${MAC}` }),
  chained('tuning', 'arguments in place of the configuration', {
    mtu: 1300,
    sysctl: { 'net.core.somaxconn': '500', 'net.ipv4.conf.IFNAME.arp_filter': '1' },
    args: { cni: { mtu: 1200, sysctl: { 'net.core.somaxconn': '600' } } },
  }),
  chained('tuning', 'mtu, promisc, allmulti, txQLen', { mtu: 1300, promisc: true, allmulti: true, txQLen: 500 }),
];

const FIXED = { type: 'static', addresses: [{ address: '10.3.0.5/24', gateway: '10.3.0.1' }], routes: [{ dst: '0.0.0.0/0' }] };

/** A device that can be moved: one end of a pair whose other end stays on the node. */
const withDevice: More = {
  pods: ['pod1'],
  prepare: async ({ node }) => {
    await node.expect('ip', ['-batch', '-'], {
      stdin: `link add nic0 address ${MAC} type veth peer name nic0-wire\nlink set nic0-wire up\n`,
    });
  },
};

export const hostDeviceCases: readonly DifferentialCase[] = [
  alone('host-device', 'a device by its name', { device: 'nic0' }, withDevice),
  alone('host-device', 'a device by its name, with addresses', { device: 'nic0', ipam: FIXED }, withDevice),
  alone('host-device', 'a device by its MAC address', { hwaddr: MAC, ipam: FIXED }, { ...withDevice, macs: [MAC] }),
];

export const macvlanCases: readonly DifferentialCase[] = [
  alone(
    'macvlan',
    'IPv6',
    { master: UPLINK, ipam: { type: 'host-local', ranges: [[{ subnet: 'fd00:3::/64' }]], routes: [{ dst: '::/0' }] } },
    { pods: ['pod1'], unavailable: canMakeLink('macvlan links', 'link', UPLINK, 'type', 'macvlan') },
  ),
  alone(
    'macvlan',
    'bridge',
    { master: UPLINK, mode: 'bridge', ipam: FIXED },
    { pods: ['pod1'], unavailable: canMakeLink('macvlan links', 'link', UPLINK, 'type', 'macvlan') },
  ),
  alone(
    'macvlan',
    'private, mtu, mac',
    { master: UPLINK, mode: 'private', mtu: 1400, mac: MAC, ipam: FIXED },
    { pods: ['pod1'], macs: [MAC], unavailable: canMakeLink('macvlan links', 'link', UPLINK, 'type', 'macvlan') },
  ),
  alone(
    'macvlan',
    'two pods',
    { master: UPLINK, ipam: FOUR },
    { unavailable: canMakeLink('macvlan links', 'link', UPLINK, 'type', 'macvlan') },
  ),
  alone(
    'macvlan',
    'without addresses',
    { master: UPLINK },
    { pods: ['pod1'], unavailable: canMakeLink('macvlan links', 'link', UPLINK, 'type', 'macvlan') },
  ),
];

const ON_UPLINK = { master: UPLINK, ipam: FIXED };
const hasIpvlan: More = { pods: ['pod1'], unavailable: canMakeLink('ipvlan links', 'link', UPLINK, 'type', 'ipvlan') };
const hasVlan: More = { pods: ['pod1'], unavailable: canMakeLink('VLAN links', 'link', UPLINK, 'type', 'vlan', 'id', '100') };
const hasDummy: More = { pods: ['pod1'], unavailable: canMakeLink('dummy links', 'type', 'dummy') };

export const ipvlanCases: readonly DifferentialCase[] = [
  alone('ipvlan', 'l2', ON_UPLINK, hasIpvlan),
  alone('ipvlan', 'l3, mtu', { ...ON_UPLINK, mode: 'l3', mtu: 1400 }, hasIpvlan),
];

export const vlanCases: readonly DifferentialCase[] = [
  alone('vlan', 'plain', { ...ON_UPLINK, vlanId: 100 }, hasVlan),
  alone('vlan', 'mtu', { ...ON_UPLINK, vlanId: 100, mtu: 1400 }, hasVlan),
];

export const dummyCases: readonly DifferentialCase[] = [alone('dummy', 'plain', { ipam: FIXED }, hasDummy)];

export const tapCases: readonly DifferentialCase[] = [
  alone('tap', 'with addresses', { ipam: FIXED }, { pods: ['pod1'] }),
  alone('tap', 'owner, group and queues', { owner: 1000, group: 1000, multiQueue: true, ipam: FIXED }, { pods: ['pod1'] }),
];
