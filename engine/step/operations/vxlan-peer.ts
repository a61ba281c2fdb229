import { canonicalIp, familyOf, formatIpAddress, formatIpPrefix, maskPrefix } from '../../object/ip-address.ts';
import { type Infer, integer, object, string } from '../../text/shape.ts';
import { type Command, EffectError, type Steps } from '../effect.ts';
import { bridge, command, ip, tolerating } from '../effects/iproute.ts';
import { link, routesTo, show } from '../effects/show.ts';
import { addressProblems, ipProblems, readAddress } from '../network/address.ts';
import { linkNameProblems, macProblems } from '../network/link-name.ts';
import { missingRoutes, ROUTE_PROTOCOL, routeCommand, type SettledRoute } from '../network/route.ts';
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
  needsLink: ['dev'],
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
    yield* ip(undefined, ...behind(args).map(({ via }) => neighbour('replace', args, via)));
    for (const route of behind(args)) yield* addRoute(args, route);
    return {};
  },

  *check(args) {
    const entries = yield* show<{ readonly mac?: string; readonly dst?: string }>('bridge', undefined, 'fdb', 'show', 'dev', args.dev);
    const problems = entries.some((entry) => entry.mac === macOf(args) && entry.dst === nodeOf(args))
      ? []
      : [`tunnel ${args.dev} does not know the node ${args.node}`];
    const missing = yield* missingRoutes(undefined, behind(args), args.dev);
    return [...problems, ...missing.map(({ to }) => `there is no route to ${to} through ${args.dev}`)];
  },

  *undo(args) {
    if ((yield* link(undefined, args.dev)) === undefined) return;
    yield* ip(
      undefined,
      ...behind(args).flatMap((route) => [
        tolerating(routeLine('del', args, route), 'missing'),
        tolerating(neighbour('del', args, route.via), 'missing'),
      ]),
    );
    yield* bridge(undefined, tolerating(command('fdb', 'del', macOf(args), 'dev', args.dev, 'dst', nodeOf(args), 'self'), 'missing'));
  },

  predict: () => ({}),
  describe: (args) => `node ${args.node} on ${args.dev}, with ${args.networks.join(', ')} behind it`,
};

const macOf = (args: Arguments): string => (args.mac ? args.mac.toLowerCase() : tunnelMac(args.id, args.node));
const nodeOf = (args: Arguments): string => canonicalIp(args.node);

/** Routes to the networks behind the node, by their first addresses, which are the tunnel's other end. */
const behind = (args: Arguments): readonly (SettledRoute & { readonly via: string })[] =>
  args.networks.map((text) => {
    const { address, bits } = maskPrefix(readAddress(text));
    return { family: familyOf(address), to: formatIpPrefix({ address, bits }), via: formatIpAddress(address), onlink: true };
  });

const neighbour = (verb: 'replace' | 'del', args: Arguments, end: string): Command =>
  command(
    ...['neighbour', verb, end],
    ...(verb === 'del' ? [] : ['lladdr', macOf(args)]),
    ...['dev', args.dev],
    ...(verb === 'del' ? [] : ['nud', 'permanent']),
  );

const routeLine = (verb: 'add' | 'replace' | 'del', { dev }: Arguments, route: SettledRoute): Command =>
  routeCommand(verb, route, { dev, protocol: ROUTE_PROTOCOL });

/** A route of somebody else to this network is a failure; one of ours may lead to where the end was before. */
function* addRoute(args: Arguments, route: SettledRoute): Steps<void> {
  try {
    yield* ip(undefined, routeLine('add', args, route));
  } catch (error) {
    if (!(error instanceof EffectError && error.code === 'exists')) throw error;
    const rows = yield* routesTo(undefined, route.to);
    if (!rows.some((row) => row.dev === args.dev && row.protocol === String(ROUTE_PROTOCOL))) throw error;
    yield* ip(undefined, routeLine('replace', args, route));
  }
}
