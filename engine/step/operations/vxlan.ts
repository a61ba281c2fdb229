import { STRING } from '../../cel/types.ts';
import { canonicalIp } from '../../object/ip-address.ts';
import { boolean, defaulted, type Infer, integer, object, optional, string } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { command, ip } from '../effects/iproute.ts';
import { existingLink, type LinkRow, link } from '../effects/show.ts';
import { addAddress, addressProblems, ipProblems, lackingAddresses, missingAddresses } from '../network/address.ts';
import { linkNameProblems, macProblems, optionalLinkNameProblems } from '../network/link-name.ts';
import { deleteLink, isOwned, ownedLinks, tagLink } from '../network/owned-link.ts';
import { cidrs, linkName, mac, mtu } from '../network/shapes.ts';
import { tunnelMac } from '../network/tunnel-mac.ts';
import type { Operation, OwnerTag } from '../operation.ts';

const shape = object({
  name: linkName('Name of the tunnel on the host, as `vxlan.1`.'),
  id: integer({ doc: 'Number of the network, the same on all nodes.', minimum: 0, maximum: 16_777_215 }),
  local: string({ doc: 'Address of this node, which the others send to.', maxLength: 64 }),
  dev: optional(linkName('Interface of this node that packets leave by; by default the one that routes say.')),
  port: defaulted(integer({ doc: 'UDP port, the same on all nodes.', minimum: 1, maximum: 65_535 }), 8472),
  mac: mac('MAC address of this end. By default it follows from `id` and `local`, so that other nodes know it without being told.'),
  mtu: mtu(),
  ttl: optional(integer({ doc: 'Hops of the packets that carry others; 0 takes it from the packet within.', minimum: 0, maximum: 255 })),
  learning: defaulted(boolean({ doc: 'Whether it learns from packets who is where. With `vxlanPeer` that is known.' }), false),
  addresses: defaulted(cidrs("Addresses of this end, as `10.244.1.0/32`: the first address of the node's range."), []),
  up: defaulted(boolean({ doc: 'Whether it is set up.' }), true),
});
type Arguments = Infer<typeof shape>;
type Outputs = { readonly name: string; readonly mac: string };

/** This node's end of a network between nodes. As flannel makes it: pkg/backend/vxlan/device.go. */
export const VXLAN: Operation<Arguments, Outputs> = {
  name: 'vxlan',
  makesLink: ['name'],
  group: 'network',
  doc: 'This end of a tunnel between nodes, which `vxlanPeer` tells of the others.',
  arguments: shape,
  outputs: { name: STRING, mac: STRING },
  lifetime: 'owned',

  validate: (args) => [
    ...linkNameProblems(args, 'name'),
    ...ipProblems(args, 'local'),
    ...optionalLinkNameProblems(args, 'dev'),
    ...macProblems(args, 'mac'),
    ...addressProblems(args.addresses, ['addresses']),
  ],
  requires: () => [{ kind: 'link-type', name: 'vxlan' }],
  lockKeys: (args) => [`link:${args.name}`],

  *ensure(args, { owner }) {
    const row = (yield* link(undefined, args.name)) ?? (yield* make(args, owner));
    if (!isOwned(row, owner, macOf(args))) {
      throw new EffectError('exists', `the host has an interface ${JSON.stringify(args.name)} already`, `ip link show dev ${args.name}`);
    }
    yield* ip(
      undefined,
      ...(row.ifalias === owner.text ? [] : [tagLink(args.name, owner)]),
      ...lackingAddresses(row, args.addresses).map((address) => addAddress(args.name, address, { noDad: true })),
      ...(args.up && !row.flags.includes('UP') ? [command('link', 'set', 'dev', args.name, 'up')] : []),
    );
    return { name: args.name, mac: macOf(args) };
  },

  *check(args) {
    const row = yield* link(undefined, args.name);
    if (row?.linkinfo?.info_kind !== 'vxlan') return [`there is no tunnel ${args.name}`];
    const { id, port, local, local6 } = (row.linkinfo.info_data ?? {}) as Readonly<Record<string, unknown>>;
    return [
      ...(id === args.id ? [] : [`tunnel ${args.name} is of network ${id}, not ${args.id}`]),
      ...(port === args.port ? [] : [`tunnel ${args.name} has port ${port}, not ${args.port}`]),
      ...((local ?? local6) === canonicalIp(args.local) ? [] : [`tunnel ${args.name} does not begin at ${args.local}`]),
      ...(args.up && !row.flags.includes('UP') ? [`tunnel ${args.name} is down`] : []),
      ...missingAddresses(row, args.addresses),
    ];
  },

  *undo(args, { owner }) {
    const row = yield* link(undefined, args.name);
    if (row !== undefined && isOwned(row, owner, macOf(args))) yield* deleteLink(undefined, args.name);
  },

  inventory: () => ownedLinks('vxlan'),
  predict: (args) => ({ name: args.name, mac: macOf(args) }),
  describe: (args) =>
    `vxlan ${args.name} of network ${args.id} from ${args.local}${args.addresses.length === 0 ? '' : `, with ${args.addresses.join(', ')}`}`,
};

const macOf = (args: Arguments): string => (args.mac ? args.mac.toLowerCase() : tunnelMac(args.id, args.local));

/** Makes the tunnel and answers it as it is then. */
function* make(args: Arguments, owner: OwnerTag): Steps<LinkRow> {
  yield* ip(
    undefined,
    command(
      ...['link', 'add', 'name', args.name],
      ...(args.mtu ? ['mtu', args.mtu] : []),
      ...['address', macOf(args)],
      ...['type', 'vxlan', 'id', args.id, 'local', canonicalIp(args.local)],
      ...(args.dev ? ['dev', args.dev] : []),
      ...['dstport', args.port],
      ...(args.ttl === undefined ? [] : ['ttl', args.ttl]),
      args.learning ? 'learning' : 'nolearning',
    ),
    tagLink(args.name, owner),
  );
  return yield* existingLink(undefined, args.name, `tunnel ${args.name} vanished while it was made`);
}
