import type { JsonObject } from '../../engine/object/json.ts';

/** Where a pod's network is, in the node of the suite. */
export const POD = 'flb-pod';

/** A plan of the suite: steps as in a rule, without expressions. */
export interface TrialPlan {
  readonly name: string;
  /** Whether it has a pod. */
  readonly inPod: boolean;
  /** It takes nothing into the pod that would go with it and is not its own. */
  readonly survivesNamespace?: boolean;
  readonly steps: TrialSteps;
  /** What it converges to after it was performed. */
  readonly becomes?: TrialSteps;
}

type TrialSteps = readonly { readonly [operation: string]: JsonObject }[];

/** Policies of which each name stands for one that lets in this group, on a port of its own. */
function policies(names: readonly string[], pods: readonly string[], group: readonly string[]): JsonObject {
  const allow = (index: number): JsonObject[] => [{ peers: ['@group', '192.0.2.128/25'], ports: [{ port: 80 + index }] }];
  return {
    bridged: false,
    policies: {
      groups: { group },
      ingress: {
        policies: Object.fromEntries(names.map((name, index) => [name, allow(index)])),
        pods: [{ addresses: pods, policies: names }],
      },
    },
  };
}

const address = (text: string): JsonObject => ({ name: 'eth0', addresses: [text] });

/** What is performed, and killed at every point. The node has a bridge-less link `up0`, a device `dev0`, and in the pod a link `eth9`. */
export const PLANS: readonly TrialPlan[] = [
  {
    name: 'bridge',
    inPod: true,
    survivesNamespace: true,
    steps: [
      { bridge: { name: 'flb-br0', addresses: ['10.99.0.1/24', 'fd99::1/64'] } },
      {
        veth: {
          host: { name: 'flb-veth0', master: 'flb-br0', hairpin: true },
          container: {
            name: 'eth0',
            addresses: ['10.99.0.5/24', 'fd99::5/64'],
            gateways: ['10.99.0.1', 'fd99::1'],
            routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
          },
        },
      },
      { masquerade: { from: ['10.99.0.5/24', 'fd99::5/64'], except: ['10.99.0.0/24', 'fd99::/64', '224.0.0.0/4'] } },
      {
        portMap: {
          ports: [
            { hostPort: 8080, containerPort: 80 },
            { hostPort: 5353, containerPort: 53, protocol: 'udp' },
          ],
          to: ['10.99.0.5/24', 'fd99::5/64'],
        },
      },
      {
        bandwidth: {
          device: 'flb-veth0',
          ingressRate: 8_000_000,
          ingressBurst: 800_000,
          egressRate: 4_000_000,
          egressBurst: 400_000,
        },
      },
    ],
  },
  {
    name: 'point-to-point',
    inPod: true,
    survivesNamespace: true,
    steps: [
      {
        veth: {
          host: { name: 'flb-veth0', addresses: ['10.99.1.1/32'], routes: [{ dst: '10.99.1.5/32' }] },
          container: {
            name: 'eth0',
            addresses: ['10.99.1.5/32'],
            prefixRoutes: false,
            routes: [
              { dst: '10.99.1.1/32', scope: 253 },
              { dst: '0.0.0.0/0', gw: '10.99.1.1' },
            ],
          },
        },
      },
      { rule: { from: '10.99.1.5/32', table: 99, priority: 990 } },
      { route: { routes: [{ dst: '10.98.0.0/16', table: 99, gw: '192.0.2.2' }], dev: 'up0' } },
      { address: { dev: 'up0', addresses: ['192.0.2.9/32'] } },
    ],
  },
  { name: 'host device', inPod: true, steps: [{ hostDevice: { ...address('10.99.2.5/24'), device: 'dev0' } }] },
  { name: 'macvlan', inPod: true, survivesNamespace: true, steps: [{ macvlan: { ...address('192.0.2.5/24'), master: 'up0' } }] },
  {
    name: 'vxlan',
    inPod: false,
    steps: [
      { vxlan: { name: 'flb-vx0', id: 99, local: '192.0.2.1', dev: 'up0', addresses: ['10.99.0.0/32'] } },
      { vxlanPeer: { dev: 'flb-vx0', id: 99, node: '192.0.2.2', networks: ['10.99.7.0/24'] } },
      { vxlanPeer: { dev: 'flb-vx0', id: 99, node: '192.0.2.3', networks: ['10.99.8.0/24'] } },
    ],
  },
  {
    name: 'network policies',
    inPod: false,
    steps: [{ firewall: policies(['a', 'b'], ['10.99.0.5', 'fd99::5'], ['10.99.0.6']) }],
    becomes: [{ firewall: policies(['b', 'c'], ['10.99.0.5', '10.99.0.7'], ['10.99.0.7', '10.99.0.8']) }],
  },
  {
    name: 'tuning',
    inPod: true,
    survivesNamespace: true,
    steps: [
      { sysctl: { values: { 'net.ipv4.conf.IFNAME.arp_notify': '1' }, dev: 'eth9', in: 'container' } },
      { sysctl: { values: { 'net.ipv4.conf.up0.proxy_arp': '1' }, restore: true } },
      { tuning: { dev: 'eth9', mac: '02:99:00:00:00:09', mtu: 1400, txQLen: 500, sysctl: { 'net.ipv4.conf.IFNAME.rp_filter': '2' } } },
    ],
  },
  {
    name: 'files',
    inPod: false,
    steps: [
      { directory: { path: '/run/flb/new' } },
      { file: { path: '/run/flb/new/a', content: 'made' } },
      { file: { path: '/run/flb/old', content: 'replaced', replace: true } },
    ],
  },
];
