import { STRING } from '../../cel/types.ts';
import { type Command, EffectError, type Netns, type Steps } from '../effect.ts';
import { command, ip, tolerating } from '../effects/iproute.ts';
import { existingLink, type LinkRow, link, routes } from '../effects/show.ts';
import type { Operation, OwnerTag, StepContext } from '../operation.ts';
import { checkInterface, configureInterface, interfaceResult } from './interface.ts';
import { generatedLinkName, generatedMac } from './link-name.ts';
import { deleteLink, ownedLinks, tagLink } from './owned-link.ts';
import type { InterfaceArguments } from './shapes.ts';

/*
 * A link with one end, in the container (on the host where a plan has no container): macvlan, ipvlan, vlan, dummy. It is made under a name
 * that follows from the owner, and gets its own name where it is going to live: the kernel would look for that name on the host too, and
 * a name that nobody else has is as good as a tag from the first moment on.
 */

/** Outputs of operations that make one interface. */
export type InterfaceOutputs = { readonly name: string; readonly mac: string; readonly sandbox?: string };
const INTERFACE_OUTPUTS = { name: STRING, mac: STRING, sandbox: STRING } as const;

type Context = StepContext<InterfaceOutputs>;

export interface ContainerLink {
  /** Type of link: `macvlan`. */
  readonly kind: string;
  /** Where the line is performed: beside the master. */
  readonly madeIn: Netns;
  /** Words of `ip link add` before `type`: the master. */
  readonly before?: readonly (string | number)[];
  /** Words after `type <kind>`. */
  readonly after?: readonly (string | number)[];
  /** Its MAC address, where it can be chosen. */
  readonly mac?: string | undefined;
}

export const interfaceMac = (args: InterfaceArguments, owner: OwnerTag): string =>
  args.mac ? args.mac.toLowerCase() : generatedMac(`${owner.id}/${args.name}`);

const temporaryName = (args: InterfaceArguments, owner: OwnerTag): string => generatedLinkName('tmp', `${owner.id}/${args.name}`);

/** Makes the link, or goes on with the owner's, and configures it. Answers its MAC address. */
export function* ensureContainerLink(args: InterfaceArguments, { owner, netns }: Context, wanted: ContainerLink): Steps<string> {
  const present = yield* link(netns, args.name);
  if (present !== undefined && present.ifalias !== owner.text) {
    throw new EffectError('exists', `the container has an interface ${JSON.stringify(args.name)} already`, `ip link show dev ${args.name}`);
  }
  const temporary = temporaryName(args, owner);
  if (present === undefined) {
    yield* ip(wanted.madeIn, creation(args, wanted, temporary, netns));
    yield* ip(
      netns,
      tagLink(temporary, owner),
      ...(args.mac && wanted.mac === undefined ? [command('link', 'set', 'dev', temporary, 'address', args.mac)] : []),
      // Last: what has the name is whole.
      command('link', 'set', 'dev', temporary, 'name', args.name),
    );
  }
  yield* configureInterface(netns, args, wanted.kind === 'macvlan' || wanted.kind === 'ipvlan' ? { announces: ['arp', 'ndp'] } : {});
  if (wanted.mac !== undefined) return wanted.mac;
  return (present ?? (yield* link(netns, args.name)))?.address ?? '';
}

/** Makes the link on its master, beside it, and configures it. Answers its outputs. */
export function* ensureOnMaster(
  args: InterfaceArguments & { readonly master?: string; readonly linkInContainer: boolean },
  context: Context,
  wanted: Pick<ContainerLink, 'kind' | 'after' | 'mac'>,
): Steps<InterfaceOutputs> {
  const madeIn = args.linkInContainer ? context.netns : undefined;
  const master = yield* masterLink(madeIn, args.master, args.mtu);
  return interfaceOutputs(args, context, yield* ensureContainerLink(args, context, { ...wanted, madeIn, before: ['link', master.ifname] }));
}

/** Made before an interruption, it is there already. */
const creation = (args: InterfaceArguments, wanted: ContainerLink, name: string, netns: Netns): Command =>
  tolerating(
    command(
      ...['link', 'add', ...(wanted.before ?? []), 'name', name],
      ...(args.mtu ? ['mtu', args.mtu] : []),
      ...(wanted.mac === undefined ? [] : ['address', wanted.mac]),
      ...(netns === undefined || netns === wanted.madeIn ? [] : ['netns', netns]),
      ...['type', wanted.kind, ...(wanted.after ?? [])],
    ),
    'exists',
  );

function* undoContainerLink(args: InterfaceArguments, { owner, netns, netnsGone }: Context): Steps<void> {
  if (netnsGone) return;
  const present = yield* link(netns, args.name);
  if (present?.ifalias === owner.text) yield* deleteLink(netns, args.name);
  else if ((yield* link(netns, temporaryName(args, owner))) !== undefined) yield* deleteLink(netns, temporaryName(args, owner));
}

/** What operations that make one interface in the container have in common; `kind` is the type of its link. */
export const containerLink = (kind: string) =>
  ({
    group: 'network',
    outputs: INTERFACE_OUTPUTS,
    lifetime: 'owned',
    requires: () => [{ kind: 'link-type', name: kind }],
    lockKeys: () => [],
    check: (args, { netns }) => checkInterface(netns, args, kind),
    undo: undoContainerLink,
    inventory: () => ownedLinks(kind),
    result: (args, { name, mac, sandbox }) => ({
      interfaces: [{ name, ...(mac && { mac }), ...(sandbox !== undefined && { sandbox }) }],
      ...interfaceResult(args, 0),
    }),
  }) satisfies Partial<Operation<InterfaceArguments, InterfaceOutputs>>;

export const interfaceOutputs = (args: InterfaceArguments, context: Pick<Context, 'netns'>, mac: string): InterfaceOutputs => ({
  ...predictInterface(args, context),
  mac,
});

/** Outputs as far as they are known before; `mac` is left out where the kernel or the link below chooses it. */
export const predictInterface = (args: InterfaceArguments, { netns }: Pick<Context, 'netns'>, mac?: string) => ({
  name: args.name,
  ...(mac && { mac }),
  ...(netns !== undefined && { sandbox: netns }),
});

/**
 * The link that another one stands on. `name` absent: the one of the default route, as CNI plugins do. @throws EffectError `missing`, and
 * `invalid` where `mtu` is more than it has.
 */
function* masterLink(netns: Netns, name: string | undefined, mtu: number | undefined): Steps<LinkRow> {
  const master = name || (yield* defaultRouteLink(netns));
  const row = yield* existingLink(netns, master, `there is no interface ${JSON.stringify(master)} to stand on`);
  if (mtu !== undefined && mtu > row.mtu) {
    throw new EffectError('invalid', `invalid MTU ${mtu}, must be [0, master MTU(${row.mtu})]`, `ip link add link ${master} mtu ${mtu}`);
  }
  return row;
}

function* defaultRouteLink(netns: Netns): Steps<string> {
  for (const family of [4, 6] as const) {
    const found = (yield* routes(netns, family)).find(
      (row) => row.dst === 'default' && (row.table ?? 'main') === 'main' && row.dev !== undefined,
    );
    if (found?.dev !== undefined) return found.dev;
  }
  throw new EffectError('missing', 'no default route interface found, and no `master` is named', 'ip route show default');
}
