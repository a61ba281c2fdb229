import { mapOf, STRING } from '../../cel/types.ts';
import { familyOf, formatIpPrefix, type IpPrefix, isV4, prefixContains } from '../../object/ip-address.ts';
import { boolean, defaulted, type Infer, object } from '../../text/shape.ts';
import { type Command, EffectError, type Steps } from '../effect.ts';
import { command, ip } from '../effects/iproute.ts';
import { type AddressInfo, existingLink, type LinkRow, link, links } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { readSysctl, writeSysctl, writeSysctlIfAny } from '../effects/sysctl.ts';
import {
  addAddress,
  addressProblems,
  deleteAddress,
  isAddress,
  lackingAddresses,
  missingAddresses,
  readAddress,
} from '../network/address.ts';
import { linkNameProblems, macProblems } from '../network/link-name.ts';
import { ownedLinks, tagLink } from '../network/owned-link.ts';
import { vlanField } from '../network/port-vlans.ts';
import { cidrs, linkName, mac, mtu } from '../network/shapes.ts';
import { deleteBridge, ensureVlanGateway, gatewayName } from '../network/vlan-gateway.ts';
import type { Operation, OwnerTag } from '../operation.ts';

const shape = object({
  name: linkName('Name of the bridge, as `cni0`.'),
  addresses: defaulted(cidrs('Addresses of the bridge itself: the gateways of those who are plugged into it.'), []),
  mtu: mtu(),
  mac: mac('MAC address; by default a random one, which stays when interfaces come and go.'),
  up: defaulted(boolean({ doc: 'Whether the bridge is set up.' }), true),
  vlan: vlanField('VLAN of `addresses`: they are put on an interface `<name>.<vlan>` that is plugged into the bridge. 0 is none.'),
  vlanFiltering: defaulted(boolean({ doc: 'Whether ports have VLANs; needed where a port names one.' }), false),
  promiscuous: defaulted(boolean({ doc: 'Whether the bridge takes packets for any MAC address.' }), false),
  forceAddress: defaulted(boolean({ doc: 'Takes away an address that stands in the way of `addresses`, instead of failing.' }), false),
  forwarding: defaulted(boolean({ doc: 'Whether the host forwards packets of the families of `addresses`. It stays so.' }), true),
});
type Arguments = Infer<typeof shape>;
/** `addressed`: the interface that has the addresses; the bridge itself where they have no VLAN. */
type End = { readonly name: string; readonly mac: string };
type Outputs = End & { readonly addressed: End };

/** A bridge that many plug into. Official plugin: plugins/main/bridge/bridge.go ensureBridge, ensureAddr. */
export const BRIDGE: Operation<Arguments, Outputs> = {
  name: 'bridge',
  makesLink: ['name'],
  group: 'network',
  doc: 'A bridge of the host, made by whoever needs it first.',
  arguments: shape,
  outputs: { name: STRING, mac: STRING, addressed: mapOf(STRING, STRING) },
  lifetime: 'shared',

  validate: (args) => [
    ...addressProblems(args.addresses, ['addresses']),
    ...linkNameProblems({ name: args.vlan ? gatewayName(args.name, args.vlan) : args.name }, 'name'),
    ...macProblems(args, 'mac'),
  ],

  requires: (args) => [{ kind: 'link-type', name: 'bridge', ...(filtersByArguments(args) && { option: 'vlan_filtering' }) }],
  lockKeys: (args) => [`link:${args.name}`],

  *ensure(args, { owner, memory }) {
    const present = yield* link(undefined, args.name);
    const row = present ?? (yield* make(args, owner));
    // Made by this step, which was interrupted before it could say so.
    if (memory !== undefined && present !== undefined && present.ifalias === undefined) yield* ip(undefined, tagLink(args.name, owner));
    if (row.linkinfo?.info_kind !== 'bridge') {
      throw new EffectError('exists', `${JSON.stringify(args.name)} already exists but is not a bridge`, `ip link show dev ${args.name}`);
    }
    yield* ip(undefined, ...attributes(args, row));
    const addressed = args.vlan && args.addresses.length > 0 ? yield* ensureVlanGateway(row, args.vlan) : row;
    yield* ensureAddresses(args, addressed, present !== undefined);
    if (args.forwarding) yield* forward(args.addresses.map(readAddress));
    return { ...endOf(row), addressed: endOf(addressed) };
  },

  *check(args) {
    const row = yield* link(undefined, args.name);
    if (row === undefined) return [`there is no bridge ${args.name}`];
    if (row.linkinfo?.info_kind !== 'bridge') return [`${args.name} is not a bridge`];
    return [
      ...(args.up && !row.flags.includes('UP') ? [`bridge ${args.name} is down`] : []),
      ...(args.promiscuous && !row.flags.includes('PROMISC') ? [`bridge ${args.name} is not promiscuous`] : []),
      ...(filtersByArguments(args) && !filtersVlans(row) ? [`bridge ${args.name} does not filter VLANs`] : []),
      ...(yield* missingOn(args, row)),
    ];
  },

  // Others may use it; who collects garbage removes it when nobody does. One that was made a moment before a crash has no tag yet.
  *undo(args, { owner, memory }) {
    const row = memory === undefined ? undefined : yield* link(undefined, args.name);
    if (row?.linkinfo?.info_kind !== 'bridge' || (row.ifalias !== undefined && row.ifalias !== owner.text)) return;
    if ((yield* links(undefined, 'master', args.name)).length === 0) yield* deleteBridge(args.name);
  },
  inventory: () => ownedLinks('bridge', deleteBridge),

  predict: (args) => ({ name: args.name, ...(args.mac && { mac: args.mac.toLowerCase() }) }),
  describe: (args) =>
    [
      `bridge ${args.name}`,
      args.up && 'up',
      filtersByArguments(args) && 'with VLANs',
      args.promiscuous && 'promiscuous',
      args.addresses.length > 0 && `with ${args.addresses.join(', ')}${args.vlan ? ` in VLAN ${args.vlan}` : ''}`,
    ]
      .filter(Boolean)
      .join(', '),
  result: (_, { name, mac, addressed }) => ({ interfaces: addressed.name === name ? [{ name, mac }] : [{ name, mac }, addressed] }),
};

const endOf = (row: LinkRow): End => ({ name: row.ifname, mac: row.address ?? '' });

/** An expression that has no value yet says nothing. */
const filtersByArguments = (args: Arguments): boolean => args.vlanFiltering === true || (args.vlan ?? 0) > 0;

const filtersVlans = (row: LinkRow): boolean => row.linkinfo?.info_data?.vlan_filtering === 1;

/** Makes the bridge and answers it as it is then; somebody who was faster may have made it. */
function* make(args: Arguments, owner: OwnerTag): Steps<LinkRow> {
  const wantedMac = args.mac === '' ? undefined : args.mac;
  yield* remember({ making: args.name });
  try {
    yield* ip(
      undefined,
      command(
        ...['link', 'add', 'name', args.name],
        ...(args.mtu ? ['mtu', args.mtu] : []),
        ...(wantedMac === undefined ? [] : ['address', wantedMac]),
        ...['type', 'bridge'],
        ...(filtersByArguments(args) ? ['vlan_filtering', 1] : []),
      ),
      tagLink(args.name, owner),
    );
  } catch (error) {
    if (!(error instanceof EffectError && error.code === 'exists')) throw error;
  }
  // The routes of this link are ours: no router of the network shall give it any.
  yield* writeSysctlIfAny(undefined, `net/ipv6/conf/${args.name}/accept_ra`, '0');
  const row = yield* existingLink(undefined, args.name, `bridge ${args.name} vanished while it was made`);
  if (wantedMac === undefined && row.address !== undefined) {
    yield* ip(undefined, keepMac(args.name, row.address));
  }
  return row;
}

/** A bridge whose MAC address was never set takes the lowest of its ports', and changes it as they come and go. */
const keepMac = (name: string, address: string): Command => command('link', 'set', 'dev', name, 'address', address);

/** Lines that make an existing bridge what the arguments say; none where it is. */
const attributes = (args: Arguments, row: LinkRow): Command[] => [
  ...(filtersByArguments(args) && !filtersVlans(row)
    ? [command('link', 'set', 'dev', args.name, 'type', 'bridge', 'vlan_filtering', 1)]
    : []),
  ...(args.promiscuous && !row.flags.includes('PROMISC') ? [command('link', 'set', 'dev', args.name, 'promisc', 'on')] : []),
  ...(args.up && !row.flags.includes('UP') ? [command('link', 'set', 'dev', args.name, 'up')] : []),
];

/** Gives addresses to the bridge (`wasThere` before), or to the gateway of its VLAN; nothing is done where it has them. */
function* ensureAddresses(args: Arguments, row: LinkRow, wasThere: boolean): Steps<void> {
  const lacking = lackingAddresses(row, args.addresses);
  const inTheWay = lacking.length === 0 ? [] : addressesInTheWay(row.addr_info, args.addresses.map(readAddress));
  if (inTheWay.length > 0 && !args.forceAddress) {
    const names = lacking.map(formatIpPrefix).join(', ');
    throw new EffectError(
      'exists',
      `${JSON.stringify(row.ifname)} already has an IP address different from ${names}: ${inTheWay.map(formatIpPrefix).join(', ')}`,
      `ip address add ${names} dev ${row.ifname}`,
    );
  }
  yield* ip(
    undefined,
    ...inTheWay.map((address) => deleteAddress(row.ifname, address)),
    // Nobody else has the gateway's address; looking for it would take a second in which it can't be used.
    ...lacking.map((address) => addAddress(row.ifname, address, { noDad: true })),
    // Those who know the gateway's MAC address shall not lose it with the next port: an address that was set stays.
    ...(lacking.length > 0 && wasThere && row.ifname === args.name && row.address !== undefined ? [keepMac(row.ifname, row.address)] : []),
    ...(args.up && !row.flags.includes('UP') && row.ifname !== args.name ? [command('link', 'set', 'dev', row.ifname, 'up')] : []),
  );
}

function* missingOn(args: Arguments, bridge: LinkRow): Steps<readonly string[]> {
  if (args.addresses.length === 0) return [];
  const row = args.vlan ? yield* link(undefined, gatewayName(args.name, args.vlan)) : bridge;
  if (row === undefined) return [`bridge ${args.name} has no interface in VLAN ${args.vlan}`];
  return missingAddresses(row, args.addresses);
}

/**
 * Addresses that are not wanted and don't go together with those that are: any of IPv4, those of IPv6 whose networks overlap. Link-local
 * ones overlap with nothing but each other.
 */
function addressesInTheWay(present: readonly AddressInfo[], wanted: readonly IpPrefix[]): IpPrefix[] {
  return present
    .filter((info) => !wanted.some((address) => isAddress(info, address)))
    .map((info) => readAddress(`${info.local}/${info.prefixlen}`))
    .filter((other) =>
      wanted.some(
        (address) =>
          familyOf(address.address) === familyOf(other.address) &&
          (isV4(other.address) || prefixContains(other, address.address) || prefixContains(address, other.address)),
      ),
    );
}

function* forward(addresses: readonly IpPrefix[]): Steps<void> {
  for (const family of new Set(addresses.map(({ address }) => familyOf(address)))) {
    const key = family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding';
    if ((yield* readSysctl(undefined, key)) !== '1') yield* writeSysctl(undefined, key, '1');
  }
}
