import type { PluginConf } from '../../cni/conflist.ts';
import { canMakeLink, type DifferentialCase } from '../case.ts';

const FOUR = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
const SIX = { type: 'host-local', ranges: [[{ subnet: 'fd00:1::/64' }]], routes: [{ dst: '::/0' }] };
const DUAL = {
  type: 'host-local',
  ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
};
const MAC = '0a:00:00:00:00:42';

const VLANS: More = { unavailable: canMakeLink('bridges that filter VLANs', 'type', 'bridge', 'vlan_filtering', '1') };

type More = Partial<Omit<DifferentialCase, 'name' | 'kind' | 'list'>> & {
  readonly version?: string;
  readonly after?: readonly PluginConf[];
};

/** A bridge `cni0` with these fields more; masquerading by nftables, as ours does. */
function bridge(
  name: string,
  conf: Readonly<Record<string, unknown>>,
  { version = '1.1.0', after = [], ...more }: More = {},
): DifferentialCase {
  return {
    name: `bridge: ${name}`,
    kind: 'bridge',
    list: (compared) => ({
      cniVersion: version,
      name: 'testnet',
      plugins: [compared({ bridge: 'cni0', ipMasqBackend: 'nftables', ipam: FOUR, ...conf }), ...after],
    }),
    ...more,
  };
}

export const bridgeCases: readonly DifferentialCase[] = [
  bridge('without a gateway', {}),
  bridge('isGateway', { isGateway: true }),
  bridge('isDefaultGateway', { isDefaultGateway: true, ipam: { type: 'host-local', subnet: '10.1.0.0/24' } }),
  bridge('ipMasq', { isGateway: true, ipMasq: true }),
  bridge('IPv6', { isGateway: true, ipam: SIX }),
  bridge('IPv6, ipMasq', { isGateway: true, ipMasq: true, ipam: SIX }),
  bridge('dual stack', { isGateway: true, ipMasq: true, ipam: DUAL }),
  bridge('dual stack, isDefaultGateway', { isDefaultGateway: true, ipam: { type: 'host-local', ranges: DUAL.ranges } }),
  bridge('mtu', { isGateway: true, mtu: 1400 }),
  bridge('hairpinMode', { isGateway: true, hairpinMode: true }),
  bridge('promiscMode', { isGateway: true, promiscMode: true }),
  bridge('portIsolation', { isGateway: true, portIsolation: true }),
  bridge('vlan', { vlan: 100 }, VLANS),
  bridge('vlan, preserveDefaultVlan false', { vlan: 100, preserveDefaultVlan: false }, VLANS),
  bridge('vlanTrunk', { vlanTrunk: [{ minID: 100, maxID: 105 }, { id: 200 }] }, VLANS),
  bridge('disableContainerInterface', { disableContainerInterface: true, ipam: {} }),
  bridge('without addresses', { ipam: {} }),
  bridge('enabledad', { isGateway: true, enabledad: true, ipam: SIX }),
  bridge(
    'forceAddress',
    { isGateway: true, forceAddress: true },
    {
      prepare: async ({ node }) => {
        await node.expect('ip', ['-batch', '-'], {
          stdin: 'link add cni0 type bridge\naddress add 10.9.0.1/24 dev cni0\nlink set cni0 up\n',
        });
      },
    },
  ),
  bridge(
    'an existing bridge with an address more',
    { isGateway: true },
    {
      prepare: async ({ node }) => {
        await node.expect('ip', ['-batch', '-'], {
          stdin: 'link add cni0 type bridge\naddress add 10.1.0.1/24 dev cni0\nlink set cni0 up\n',
        });
      },
    },
  ),
  bridge('routes with a gateway, mtu, priority and table', {
    isGateway: true,
    ipam: {
      ...FOUR,
      routes: [
        { dst: '0.0.0.0/0' },
        { dst: '10.9.0.0/16', gw: '10.1.0.9' },
        { dst: '10.8.0.0/16', mtu: 1300, priority: 50 },
        { dst: '10.7.0.0/16', table: 100 },
      ],
    },
  }),
  bridge(
    'a mac by its capability',
    { isGateway: true, capabilities: { mac: true } },
    { pods: ['pod1'], macs: [MAC], capabilities: { mac: MAC } },
  ),
  bridge('a mac by CNI_ARGS', { isGateway: true }, { pods: ['pod1'], macs: [MAC], args: `IgnoreUnknown=1;MAC=${MAC}` }),
  bridge(
    'addresses by their capability',
    { isGateway: true, capabilities: { ips: true } },
    { pods: ['pod1'], capabilities: { ips: ['10.1.0.77/24'] } },
  ),
  bridge('an address by CNI_ARGS', { isGateway: true }, { pods: ['pod1'], args: 'IgnoreUnknown=1;IP=10.1.0.78' }),
  bridge(
    'ranges by their capability',
    { isGateway: true, ipam: { type: 'host-local' }, capabilities: { ipRanges: true } },
    {
      capabilities: { ipRanges: [[{ subnet: '10.6.0.0/24', rangeStart: '10.6.0.10', rangeEnd: '10.6.0.20', gateway: '10.6.0.254' }]] },
    },
  ),
  bridge('a range with a start, an end and a gateway', {
    isGateway: true,
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.100', rangeEnd: '10.1.0.110', gateway: '10.1.0.254' }]],
    },
  }),
  bridge(
    'addresses of the static plugin',
    {
      isGateway: true,
      ipam: {
        type: 'static',
        addresses: [{ address: '10.1.0.5/24', gateway: '10.1.0.1' }],
        routes: [{ dst: '0.0.0.0/0' }],
        dns: { nameservers: ['10.1.0.53'] },
      },
    },
    { pods: ['pod1'] },
  ),
  bridge('several ranges of a set', {
    isGateway: true,
    ipam: {
      type: 'host-local',
      ranges: [
        [
          { subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.9' },
          { subnet: '10.2.0.0/24', rangeStart: '10.2.0.9' },
        ],
      ],
    },
    forceAddress: true,
  }),
  bridge('a folder for addresses', { isGateway: true, ipam: { ...FOUR, dataDir: '/var/lib/cni/networks/elsewhere' } }),
  bridge(
    'a resolv.conf of host-local',
    { isGateway: true, ipam: { ...FOUR, resolvConf: '/run/resolv.conf' } },
    {
      prepare: async ({ node }) => {
        const stdin = '# ours\nnameserver 10.1.0.53\nsearch a.test b.test\ndomain a.test\noptions ndots:2\n';
        await node.expect('tee', ['/run/resolv.conf'], { stdin });
      },
    },
  ),
  bridge(
    'a mac and an address by args',
    { isGateway: true, args: { cni: { mac: MAC, ips: ['10.1.0.79/24'] } } },
    { pods: ['pod1'], macs: [MAC] },
  ),
  bridge('dns of the list', {
    isGateway: true,
    dns: { nameservers: ['10.1.0.53'], domain: 'example.test', search: ['example.test'], options: ['ndots:2'] },
  }),
  ...['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'].map((version) =>
    bridge(`version ${version}`, { isGateway: true }, { version }),
  ),
];
