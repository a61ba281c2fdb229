import {
  formatIpAddress,
  formatIpPrefix,
  type IpAddress,
  type IpPrefix,
  maskPrefix,
  networkAddress,
  parseIp,
  parseIpOrCidr,
} from '../../object/ip-address.ts';
import { type Infer, integer, object, string } from '../../text/shape.ts';
import { type Command, EffectError, type Steps } from '../effect.ts';
import { bridge, command, ip, tolerating } from '../effects/iproute.ts';
import { link, routes, routesTo, show } from '../effects/show.ts';
import { addressProblems, ipProblems, readAddress } from '../network/address.ts';
import { linkNameProblems, macProblems } from '../network/link-name.ts';
import { ROUTE_PROTOCOL } from '../network/route.ts';
import { cidrs, linkName, mac } from '../network/shapes.ts';
import { tunnelMac } from '../network/tunnel-mac.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  dev: linkName('The tunnel, made by a step `vxlan`.'),
  id: integer({ doc: 'Number of the network.', minimum: 0, maximum: 16_777_215 }),
  node: string({ doc: 'Address of the other node.', maxLength: 64 }),
  mac: mac("MAC address of the other end; by default the one that its step `vxlan` chooses by `id` and the node's address."),
  networks: cidrs('Networks behind the other node. The first address of each is taken for the other end of the tunnel.'),
});
type Arguments = Infer<typeof shape>;

/**
 * One other node of a VXLAN network: where its end is, and what lies behind it. As flannel does: pkg/backend/vxlan/vxlan_network.go. All of it
 * belongs to the tunnel and goes with it.
 */
export const VXLAN_PEER: Operation<Arguments> = {
  name: 'vxlanPeer',
  group: 'network',
  doc: 'Another node of a VXLAN network, and routes to what is behind it.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',

  validate: (args) => [
    ...linkNameProblems(args, 'dev'),
    ...ipProblems(args, 'node'),
    ...macProblems(args, 'mac'),
    ...addressProblems(args.networks, ['networks']),
  ],
  requires: () => [],
  lockKeys: () => [],

  *ensure(args) {
    yield* bridge(undefined, command('fdb', 'replace', macOf(args), 'dev', args.dev, 'dst', nodeOf(args), 'self', 'permanent'));
    yield* ip(undefined, ...behind(args).map(({ end }) => neighbour('replace', args, end)));
    for (const { network, end } of behind(args)) yield* addRoute(args, network, end);
    return {};
  },

  *check(args) {
    const entries = yield* show<{ readonly mac?: string; readonly dst?: string }>('bridge', undefined, 'fdb', 'show', 'dev', args.dev);
    const problems = entries.some((entry) => entry.mac === macOf(args) && entry.dst === nodeOf(args))
      ? []
      : [`tunnel ${args.dev} does not know the node ${args.node}`];
    for (const family of [4, 6] as const) {
      const wanted = behind(args).filter(({ end }) => (end.bytes.length === 4 ? 4 : 6) === family);
      const rows = wanted.length === 0 ? [] : yield* routes(undefined, family, 'dev', args.dev);
      for (const { network, end } of wanted) {
        if (rows.some((row) => row.dst === shown(network) && row.gateway === formatIpAddress(end))) continue;
        problems.push(`there is no route to ${formatIpPrefix(network)} through ${args.dev}`);
      }
    }
    return problems;
  },

  *undo(args) {
    if ((yield* link(undefined, args.dev)) === undefined) return;
    yield* ip(
      undefined,
      ...behind(args).flatMap(({ network, end }) => [
        tolerating(route('del', args, network, end), 'missing'),
        tolerating(neighbour('del', args, end), 'missing'),
      ]),
    );
    yield* bridge(undefined, tolerating(command('fdb', 'del', macOf(args), 'dev', args.dev, 'dst', nodeOf(args), 'self'), 'missing'));
  },

  predict: () => ({}),
  describe: (args) => `node ${args.node} on ${args.dev}, with ${args.networks.join(', ')} behind it`,
};

const macOf = (args: Arguments): string => (args.mac ? args.mac.toLowerCase() : tunnelMac(args.id, args.node));
const nodeOf = (args: Arguments): string => formatIpAddress(parseIp(args.node)!);

const behind = (args: Arguments): readonly { readonly network: IpPrefix; readonly end: IpAddress }[] =>
  args.networks.map((text) => {
    const network = maskPrefix(readAddress(text));
    return { network, end: networkAddress(network) };
  });

const neighbour = (verb: 'replace' | 'del', args: Arguments, end: IpAddress): Command =>
  command(
    'neighbour',
    verb,
    formatIpAddress(end),
    ...(verb === 'del' ? [] : ['lladdr', macOf(args)]),
    'dev',
    args.dev,
    ...(verb === 'del' ? [] : ['nud', 'permanent']),
  );

const route = (verb: 'add' | 'replace' | 'del', args: Arguments, network: IpPrefix, end: IpAddress): Command =>
  command('route', verb, formatIpPrefix(network), 'via', formatIpAddress(end), 'dev', args.dev, 'onlink', 'proto', ROUTE_PROTOCOL);

/** A network as `ip route show` writes it: one address without a length. */
const shown = (network: IpPrefix): string => {
  const text = formatIpPrefix(network);
  return parseIpOrCidr(text.split('/')[0]!)!.bits === network.bits ? text.split('/')[0]! : text;
};

/** A route of somebody else to this network is a failure; one of ours may lead to where the end was before. */
function* addRoute(args: Arguments, network: IpPrefix, end: IpAddress): Steps<void> {
  try {
    yield* ip(undefined, route('add', args, network, end));
  } catch (error) {
    if (!(error instanceof EffectError && error.code === 'exists')) throw error;
    const rows = yield* routesTo(undefined, formatIpPrefix(network));
    if (!rows.some((row) => row.dev === args.dev && row.protocol === String(ROUTE_PROTOCOL))) throw error;
    yield* ip(undefined, route('replace', args, network, end));
  }
}
