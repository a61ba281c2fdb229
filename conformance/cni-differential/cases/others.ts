import type { PluginConf } from '../../cni/conflist.ts';
import type { PluginKind } from '../../cni/plugin-set.ts';
import type { Reached } from '../../cni/probe.ts';
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
  const answers: string[] = [];
  const places = { outside: { node: scene.outside }, node: { node: scene.node }, 'the pod itself': scene.pod('pod1') };
  for (const [place, from] of Object.entries(places)) {
    for (const target of targets) {
      for (const protocol of ['tcp', 'udp'] as const) {
        const port = protocol === 'tcp' ? 9090 : 9091;
        const reached = await scene.probe.ask(from, protocol, `${target}:${port}`, { deadlineMs: 600 });
        answers.push(`${protocol} ${target} from ${place}: ${said(reached)}`);
      }
    }
  }
  return answers;
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

const FIREWALL = { ipam: FOUR };
export const firewallCases: readonly DifferentialCase[] = [
  chained('firewall', 'iptables', { backend: 'iptables' }, FIREWALL),
  chained('firewall', 'iptables, dual stack', { backend: 'iptables' }, { ipam: DUAL }),
  chained('firewall', 'ingressPolicy same-bridge', { backend: 'iptables', ingressPolicy: 'same-bridge' }, FIREWALL),
  chained('firewall', 'ingressPolicy isolated', { backend: 'iptables', ingressPolicy: 'isolated' }, FIREWALL),
  chained('firewall', 'iptablesAdminChainName', { backend: 'iptables', iptablesAdminChainName: 'MY-ADMIN' }, FIREWALL),
];

export const tuningCases: readonly DifferentialCase[] = [
  chained('tuning', 'sysctl', { sysctl: { 'net.core.somaxconn': '500', 'net.ipv4.conf.IFNAME.arp_filter': '1' } }),
  chained('tuning', 'mac', { mac: MAC }, { pods: ['pod1'], macs: [MAC] }),
  chained('tuning', 'mac by its capability', { capabilities: { mac: true } }, { pods: ['pod1'], macs: [MAC], capabilities: { mac: MAC } }),
  chained('tuning', 'mac by CNI_ARGS', {}, { pods: ['pod1'], macs: [MAC], args: `IgnoreUnknown=1;MAC=${MAC}` }),
  chained('tuning', 'mtu, promisc, allmulti, txQLen', { mtu: 1300, promisc: true, allmulti: true, txQLen: 500 }),
];

const FIXED = { type: 'static', addresses: [{ address: '10.3.0.5/24', gateway: '10.3.0.1' }], routes: [{ dst: '0.0.0.0/0' }] };

/** A device that can be moved: one end of a pair whose other end stays on the node. */
const withDevice: More = {
  pods: ['pod1'],
  prepare: async ({ node }) => {
    await node.expect('ip', ['-batch', '-'], { stdin: 'link add nic0 type veth peer name nic0-wire\nlink set nic0-wire up\n' });
  },
};

export const hostDeviceCases: readonly DifferentialCase[] = [
  alone('host-device', 'a device by its name', { device: 'nic0' }, withDevice),
  alone('host-device', 'a device by its name, with addresses', { device: 'nic0', ipam: FIXED }, withDevice),
];

export const macvlanCases: readonly DifferentialCase[] = [
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

export const tapCases: readonly DifferentialCase[] = [
  alone('tap', 'with addresses', { ipam: FIXED }, { pods: ['pod1'] }),
  alone('tap', 'owner, group and queues', { owner: 1000, group: 1000, multiQueue: true, ipam: FIXED }, { pods: ['pod1'] }),
];
