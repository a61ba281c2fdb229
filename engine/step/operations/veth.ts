import { mapOf, STRING } from '../../cel/types.ts';
import { boolean, defaulted, type Infer, object, optional } from '../../text/shape.ts';
import { type Command, type Effect, EffectError, type Steps } from '../effect.ts';
import { command, ip, lines, tolerating } from '../effects/iproute.ts';
import { type LinkRow, link } from '../effects/show.ts';
import { afterFirst, inOrder, remember } from '../effects/step.ts';
import { sysctlWritesIfAny } from '../effects/sysctl.ts';
import { addAddress, addressProblems, readAddress } from '../network/address.ts';
import {
  checkInterface,
  configuration,
  describeInterface,
  interfaceProblems,
  interfaceResult,
  type LinkManners,
  settleInterface,
} from '../network/interface.ts';
import { generatedLinkName, generatedMac, linkNameProblems } from '../network/link-name.ts';
import { checkSpoofing, forgetSpoofing, missingSpoofCheck, ownedSpoofChecks } from '../network/mac-spoof-check.ts';
import { deleteLink, isOwned, ownedLinks, tagLink } from '../network/owned-link.ts';
import { hasVlans, missingPortVlans, setPortVlans, trunkProblems, trunkShape, vlanField } from '../network/port-vlans.ts';
import { routeCommand, routeProblems, settleRoute } from '../network/route.ts';
import { cidrs, interfaceFields, linkName, mtu, routes } from '../network/shapes.ts';
import type { ArgumentProblem, Operation, OwnerTag, StepContext } from '../operation.ts';
import { ofNftables } from '../packet-filter/backend.ts';

const shape = object({
  host: defaulted(
    object(
      {
        name: optional(linkName('Name of the end on the host; by default `veth` and 8 digits that follow from the owner.')),
        master: optional(linkName('Bridge that it is plugged into.')),
        mtu: mtu(),
        hairpin: defaulted(boolean({ doc: 'Whether packets may leave by the port that they came in by.' }), false),
        isolated: defaulted(boolean({ doc: 'Whether isolated ports of the bridge are kept from each other.' }), false),
        vlan: vlanField('VLAN of packets without a tag; 0 is none.'),
        vlanTrunk: defaulted(trunkShape, []),
        preserveDefaultVlan: defaulted(boolean({ doc: 'Whether the port stays in the default VLAN of the bridge too.' }), false),
        macSpoofCheck: defaulted(
          boolean({ doc: "Whether packets from the container are dropped that come from another MAC address than the interface's." }),
          false,
        ),
        addresses: defaulted(cidrs('Addresses of the end on the host, for a link without a bridge.'), []),
        routes: defaulted(routes('Routes on the host that go through it, for a link without a bridge.'), []),
        up: defaulted(boolean({ doc: 'Whether it is set up.' }), true),
      },
      { doc: 'The end on the host.' },
    ),
    {
      hairpin: false,
      isolated: false,
      vlanTrunk: [],
      preserveDefaultVlan: false,
      macSpoofCheck: false,
      addresses: [],
      routes: [],
      up: true,
    },
  ),
  container: object(interfaceFields, { doc: 'The end in the container.' }),
});
type Arguments = Infer<typeof shape>;
type End = { readonly name: string; readonly mac: string; readonly sandbox?: string };
type Outputs = { readonly host: End; readonly container: End };
type Context = StepContext<Outputs>;

/** Others on a bridge may remember who had an address before; that nobody has it now is known by who gave it. */
const PLUGGED_IN: LinkManners = { announces: ['arp'], skipsDad: true };

/** How many names are tried where others have the ones before. */
const NAMES = 10;

/** A pair of interfaces, one on the host and one in the container. Official plugins: plugins/main/{bridge,ptp}, pkg/ip/link_linux.go. */
export const VETH: Operation<Arguments, Outputs> = {
  name: 'veth',
  needsLink: ['host', 'master'],
  group: 'network',
  doc: 'A cable between the host and the container.',
  arguments: shape,
  outputs: { host: mapOf(STRING, STRING), container: mapOf(STRING, STRING) },
  lifetime: 'owned',

  validate(args): readonly ArgumentProblem[] {
    const { host, container } = args;
    return [
      ...interfaceProblems(container, ['container']),
      ...linkNameProblems(host, 'name', ['host']),
      ...linkNameProblems(host, 'master', ['host']),
      ...addressProblems(host.addresses, ['host', 'addresses']),
      ...host.routes.flatMap((route, index) => routeProblems(route, ['host', 'routes', index])),
      ...trunkProblems(host.vlanTrunk, ['host', 'vlanTrunk']),
      ...(hasVlans(host) && host.master === undefined
        ? [{ path: ['host', 'master'], message: 'only a port of a bridge has VLANs: `master` is missing' }]
        : []),
    ];
  },

  requires: ({ host }) => [
    { kind: 'link-type', name: 'veth' },
    ...(host.macSpoofCheck === true ? [{ kind: 'nft-family', name: 'bridge' } as const] : []),
  ],
  // The kernel makes both ends at once or none; names follow from the owner.
  lockKeys: () => [],

  *ensure(args, context) {
    const { name, isConfigured } = yield* makePair(args, context);
    yield* setPortVlans(name, args.host);
    if (args.host.macSpoofCheck) yield* checkSpoofing(name, containerMac(args, context), context.owner);
    if (!isConfigured) yield* inOrder(...configurations(args, context, name));
    yield* settleInterface(context.netns, args.container);
    return outputsOf(args, context, name);
  },

  *check(args, context) {
    const name = hostName(args, context);
    const row = yield* link(undefined, name);
    const problems: string[] = [];
    if (row === undefined) problems.push(`there is no interface ${name} on the host`);
    else {
      if (row.linkinfo?.info_kind !== 'veth') problems.push(`interface ${name} on the host is not of type veth`);
      if (args.host.up && !row.flags.includes('UP')) problems.push(`interface ${name} on the host is down`);
      if (args.host.master !== undefined && row.master !== args.host.master) {
        problems.push(`interface ${name} is not plugged into ${args.host.master}`);
      }
      const port = row.linkinfo?.info_slave_data;
      for (const flag of ['hairpin', 'isolated'] as const) {
        if (args.host[flag] && port?.[flag] !== true) problems.push(`port ${name} is not ${flag === 'hairpin' ? 'in hairpin mode' : flag}`);
      }
    }
    if (row !== undefined) problems.push(...(yield* missingPortVlans(name, args.host)));
    if (args.host.macSpoofCheck) problems.push(...(yield* missingSpoofCheck(name, containerMac(args, context))));
    return [...problems, ...(yield* checkInterface(context.netns, args.container, 'veth'))];
  },

  *undo(args, context) {
    // One end takes the other with it.
    const name = hostName(args, context);
    const row = yield* link(undefined, name);
    if (row !== undefined && isOwned(row, context.owner, hostMac(args, context))) yield* deleteLink(undefined, name);
    if (args.host.macSpoofCheck) yield* forgetSpoofing(name, containerMac(args, context));
  },

  *inventory() {
    return [...(yield* ownedLinks('veth')), ...(yield* ofNftables(ownedSpoofChecks()))];
  },
  predict: (args, context) => outputsOf(args, context, hostName(args, context)),
  describe: ({ host, container }) =>
    `veth ${host.name ?? ''}${host.name ? ' ' : ''}to ${describeInterface(container)}${host.master === undefined ? '' : `, on ${host.master}`}`,
  result(args, { host, container }) {
    return { interfaces: [host, container], ...interfaceResult(args.container, 1) };
  },
};

// The interface of the container tells apart the pairs of one owner.
const seed = (args: Arguments, { owner }: Context): string => `${owner.id}/${args.container.name}`;
const hostMac = (args: Arguments, context: Context): string => generatedMac(`${seed(args, context)}/host`);
const containerMac = (args: Arguments, context: Context): string =>
  args.container.mac ? args.container.mac.toLowerCase() : generatedMac(seed(args, context));
const candidate = (args: Arguments, context: Context, turn: number): string =>
  args.host.name ?? generatedLinkName('veth', seed(args, context) + (turn === 0 ? '' : `/${turn}`));

/** The name that was taken, or will be if nobody has it. */
function hostName(args: Arguments, context: Context): string {
  const remembered = context.memory as { readonly name?: string } | undefined;
  return context.outputs?.host.name ?? remembered?.name ?? candidate(args, context, 0);
}

const outputsOf = (args: Arguments, context: Context, name: string): Outputs => ({
  host: { name, mac: hostMac(args, context) },
  container: {
    name: args.container.name,
    mac: containerMac(args, context),
    ...(context.netns !== undefined && { sandbox: context.netns }),
  },
});

/** What makes both ends work when they are there. */
const configurations = ({ host, container }: Arguments, context: Context, name: string): readonly Effect[] => [
  ...sysctlWritesIfAny(undefined, [[`net/ipv6/conf/${name}/accept_ra`, '0']]),
  ...configuration(context.netns, container, host.master === undefined ? {} : PLUGGED_IN),
];

/**
 * Makes the pair and answers the host's name, and whether both ends are configured: making and configuring are one effect where nothing has
 * to come in between. Nothing is asked unless something stands in the way.
 */
function* makePair(args: Arguments, context: Context): Steps<{ readonly name: string; readonly isConfigured: boolean }> {
  const isConfigured = !hasVlans(args.host) && !args.host.macSpoofCheck;
  for (let turn = 0; turn < NAMES; turn++) {
    const name = candidate(args, context, turn);
    if (turn > 0) yield* remember({ name });
    const obstacle = yield* tryMake(args, context, name, isConfigured ? configurations(args, context, name) : []);
    if (obstacle === undefined) return { name, isConfigured };
    const found = yield* link(undefined, name);
    // Both names must be free; it was not the host's.
    if (found === undefined) {
      throw new EffectError('exists', `the container has an interface ${JSON.stringify(args.container.name)} already`, obstacle.tried);
    }
    if (isOwned(found, context.owner, hostMac(args, context)) && found.address === hostMac(args, context)) {
      yield* takeUp(args, context, found);
      return { name, isConfigured: false };
    }
    if (args.host.name !== undefined)
      throw new EffectError('exists', `the host has an interface ${JSON.stringify(name)} already`, obstacle.tried);
  }
  throw new EffectError(
    'exists',
    `other links have all of the ${NAMES} names that were tried`,
    `ip link add ${candidate(args, context, 0)}`,
  );
}

/** What says that a name is taken; undefined when the pair was made, and then `others` are performed. */
function* tryMake(args: Arguments, context: Context, name: string, others: readonly Effect[]): Steps<EffectError | undefined> {
  try {
    yield* afterFirst(lines(undefined, creation(args, context, name)), ...others);
    return undefined;
  } catch (error) {
    if (error instanceof EffectError && error.code === 'exists') return error;
    throw error;
  }
}

/** Goes on with a pair of ours from before an interruption: it stays if its other end is where it should be, else it is made again. */
function* takeUp(args: Arguments, context: Context, found: LinkRow): Steps<void> {
  const peer = yield* link(context.netns, args.container.name);
  if (peer !== undefined && peer.ifindex === found.link_index) {
    yield* ip(undefined, ...hostCommands(args, found.ifname, context.owner));
    return;
  }
  yield* deleteLink(undefined, found.ifname);
  yield* ip(undefined, ...creation(args, context, found.ifname));
}

/** Both ends, and what makes the host's end work, in one go. */
function creation(args: Arguments, context: Context, name: string): Command[] {
  const { host, container } = args;
  return [
    command(
      ...['link', 'add', 'name', name],
      ...(host.mtu ? ['mtu', host.mtu] : []),
      ...['address', hostMac(args, context)],
      ...['type', 'veth', 'peer', 'name', container.name],
      ...(container.mtu ? ['mtu', container.mtu] : []),
      ...['address', containerMac(args, context)],
      ...(context.netns === undefined ? [] : ['netns', context.netns]),
    ),
    ...hostCommands(args, name, context.owner),
  ];
}

/** The tag first, then what makes the end work, in as few lines as there can be. May be run again. */
function hostCommands({ host }: Arguments, name: string, owner: OwnerTag): Command[] {
  return [
    command(...tagLink(name, owner).words, ...(host.master === undefined ? [] : ['master', host.master]), host.up ? 'up' : 'down'),
    ...(host.hairpin || host.isolated
      ? [
          command(
            ...['link', 'set', 'dev', name, 'type', 'bridge_slave'],
            ...(host.hairpin ? ['hairpin', 'on'] : []),
            ...(host.isolated ? ['isolated', 'on'] : []),
          ),
        ]
      : []),
    ...host.addresses.map((address) => addAddress(name, readAddress(address), { noDad: true })),
    ...host.routes.map((route) => tolerating(routeCommand('prepend', settleRoute(route), { dev: name }), 'exists')),
  ];
}
