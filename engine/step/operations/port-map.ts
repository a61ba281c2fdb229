import { isJsonObject, type Json, ownText } from '../../object/json.ts';
import { sha256 } from '../../text/digest.ts';
import { boolean, defaulted, type Infer, integer, list, object, oneOf, optional, string } from '../../text/shape.ts';
import { EffectError, type Steps } from '../effect.ts';
import { listNft } from '../effects/nft.ts';
import { run } from '../effects/outside.ts';
import { type RouteRow, show } from '../effects/show.ts';
import { readSysctl, writeSysctl } from '../effects/sysctl.ts';
import type { ArgumentProblem, Operation, OwnerTag } from '../operation.ts';
import { addressProblems, type HostAddress, readAll, readHostAddress } from '../packet-filter/address-list.ts';
import { type ListedElement, listedRules } from '../packet-filter/listing.ts';
import { checkChains, ensureChains, type OwnedChain, ownedChains, removeChains } from '../packet-filter/owned-chain.ts';
import { chainWith, type Foundation, TABLE, verdictMap } from '../packet-filter/table.ts';

const condition = string({ maxLength: 200, pattern: /^[A-Za-z0-9 .:/_{},!=<>&|@()*+-]*$/, patternName: 'words of nftables' });

const port = object({
  hostPort: integer({ minimum: 1, maximum: 65535 }),
  containerPort: integer({ minimum: 1, maximum: 65535 }),
  protocol: defaulted(oneOf('tcp', 'udp', 'sctp', 'TCP', 'UDP', 'SCTP'), 'tcp'),
  hostIP: optional(string({ doc: 'Address of the host; all of one family with 0.0.0.0 or ::, all without.' })),
});

const shape = object({
  ports: list(port, { maxItems: 1024, doc: 'As the capability portMappings gives them.' }),
  to: list(string(), {
    maxItems: 64,
    doc: 'Addresses of the pod, best with the prefix length of their network; the first of each family is used.',
  }),
  snat: defaulted(
    boolean({
      doc: "Gives connections from the host's localhost and from the pod's own network the address of the host, without which their answers would not find back.",
    }),
    true,
  ),
  masqueradeAll: defaulted(
    boolean({ doc: 'Gives all connections the address of the host, for pods whose answers would take another way.' }),
    false,
  ),
  markBit: defaulted(
    integer({ minimum: 0, maximum: 31, doc: 'Bit of the mark of packets by which the host knows which connections get its address.' }),
    13,
  ),
  conditionsV4: defaulted(list(condition, { maxItems: 64, doc: 'What else an IPv4 connection must be, in the words of the backend.' }), []),
  conditionsV6: defaulted(list(condition, { maxItems: 64, doc: 'What else an IPv6 connection must be, in the words of the backend.' }), []),
  backend: defaulted(oneOf('auto', 'nftables', 'iptables'), 'auto'),
});
type Arguments = Infer<typeof shape>;
type Port = Infer<typeof port>;

const PREFIX = 'port-map-';

export const PORT_MAP: Operation<Arguments> = {
  name: 'portMap',
  group: 'network',
  doc: 'Leads connections to ports of the host to a pod.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [...addressProblems('to', args.to), ...portProblems(args.ports)],
  requires: () => [{ kind: 'nft-family', name: 'inet' }],
  lockKeys: () => [],
  *ensure(args, { owner }) {
    const mappings = mappingsOf(args);
    const targets = new Set(mappings.map(({ target }) => target.address));
    yield* ensureChains(foundation(args.markBit), chainsOf(args, owner), owner.text, (found) => leadsTo(found, targets));
    if (args.snat) yield* routeLocalhost(mappings);
    yield* forgetFlows(mappings);
    return {};
  },
  *check(args, { owner }) {
    return yield* checkChains(chainsOf(args, owner));
  },
  *undo(args, { owner }) {
    yield* removeChains(chainsOf(args, owner));
  },
  inventory: () => ownedChains(PREFIX),
  predict: () => ({}),
  describe: (args) =>
    mappingsOf(args)
      .map((mapping) => `${portText(mapping)} of the host to ${endpoint(mapping)}`)
      .join(', '),
};

interface Mapping {
  readonly target: HostAddress;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostPort: number;
  readonly containerPort: number;
  /** Undefined for all addresses of the host. */
  readonly hostAddress: string | undefined;
}

/** Each port for each family that the pod has, and that the port's host address is of. */
function mappingsOf({ ports, to }: Arguments): readonly Mapping[] {
  const addresses = readAll(to, readHostAddress);
  const targets = ([4, 6] as const).flatMap((family) => addresses.find((address) => address.family === family) ?? []);
  const found = ports.flatMap(({ hostPort, containerPort, protocol, hostIP }) => {
    const host = hostIP === undefined || hostIP === '' ? undefined : readHostAddress(hostIP);
    return targets
      .filter(({ family }) => host === undefined || host.family === family)
      .map((target): Mapping => {
        const hostAddress = host === undefined || UNSPECIFIED.has(host.address) ? undefined : host.address;
        return { target, protocol: protocol.toLowerCase() as Mapping['protocol'], hostPort, containerPort, hostAddress };
      });
  });
  // Of two mappings of the same port the first one counts.
  return [
    ...new Map(found.toReversed().map((mapping) => [`${mapping.target.family} ${portText(mapping)}`, mapping])).values(),
  ].toReversed();
}

const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function portProblems(ports: readonly Port[]): readonly ArgumentProblem[] {
  return ports.flatMap(({ hostIP }, index) =>
    hostIP === undefined || hostIP === '' || (readHostAddress(hostIP) !== undefined && !hostIP.includes('/'))
      ? []
      : [
          {
            path: ['ports', index, 'hostIP'],
            message: `${JSON.stringify(hostIP)} is not an address`,
            hint: 'such as 192.0.2.7, or 0.0.0.0 for all',
          },
        ],
  );
}

/**
 * Only what goes to an address of the host is looked at: a pod's own port of the same number is none of ours. A packet that will need
 * the host's address is marked on its way in, as nothing tells on its way out which port it was for.
 */
const foundation = (markBit: number): Foundation => ({
  marker: `port-mapping-1-mark-${markBit}`,
  commands: [
    verdictMap('host-ports4', 'inet_proto . inet_service'),
    verdictMap('host-ports6', 'inet_proto . inet_service'),
    verdictMap('host-address-ports4', 'ipv4_addr . inet_proto . inet_service'),
    verdictMap('host-address-ports6', 'ipv6_addr . inet_proto . inet_service'),
    ...chainWith('port-mapping', '', [
      // Linux can't route from this address to another link, so that a connection would only hang.
      'ip6 daddr ::1 return',
      'ip daddr . meta l4proto . th dport vmap @host-address-ports4',
      'ip6 daddr . meta l4proto . th dport vmap @host-address-ports6',
      'meta nfproto ipv4 meta l4proto . th dport vmap @host-ports4',
      'meta nfproto ipv6 meta l4proto . th dport vmap @host-ports6',
    ]),
    ...chainWith('port-mapping-in', 'type nat hook prerouting priority -100', ['fib daddr type local jump port-mapping']),
    ...chainWith('port-mapping-local', 'type nat hook output priority -100', ['fib daddr type local jump port-mapping']),
    // Before masquerading, which leaves alone what stays in the pod's network.
    ...chainWith(`port-mapping-out-${markBit}`, 'type nat hook postrouting priority 95', [
      `meta mark & ${markOf(markBit)} != 0 ct status dnat masquerade`,
    ]),
  ],
});

const markOf = (bit: number): string => `0x${(2 ** bit).toString(16)}`;

function chainsOf(args: Arguments, owner: OwnerTag): readonly OwnedChain[] {
  return mappingsOf(args).map((mapping) => {
    const { target, protocol, hostPort, hostAddress } = mapping;
    const service = `${protocol} . ${hostPort}`;
    const suffix = hostAddress === undefined ? '' : `-${sha256(hostAddress).slice(0, 8)}`;
    return {
      chain: `${PREFIX}${owner.id}-${target.family}-${protocol}-${hostPort}${suffix}`,
      rules: rulesOf(args, mapping),
      entry:
        hostAddress === undefined
          ? { map: `host-ports${target.family}`, key: service, what: portText(mapping) }
          : { map: `host-address-ports${target.family}`, key: `${hostAddress} . ${service}`, what: portText(mapping) },
    };
  });
}

function rulesOf(args: Arguments, mapping: Mapping): readonly string[] {
  const { family, network } = mapping.target;
  const ip = family === 4 ? 'ip' : 'ip6';
  const conditions = (family === 4 ? args.conditionsV4 : args.conditionsV6).join(' ');
  const mark = `meta mark set meta mark or ${markOf(args.markBit)}`;
  const marking = args.masqueradeAll
    ? [mark]
    : [...(family === 4 ? [`ip saddr 127.0.0.0/8 ${mark}`] : []), `${ip} saddr ${network} ${mark}`];
  return [
    ...(args.snat ? marking : family === 4 ? ['ip saddr 127.0.0.0/8 return'] : []),
    `meta l4proto ${mapping.protocol} dnat ${ip} to ${endpoint(mapping)}`,
  ].map((rule) => (conditions === '' ? rule : `${conditions} ${rule}`));
}

const endpoint = ({ target, containerPort }: Mapping): string =>
  target.family === 4 ? `${target.address}:${containerPort}` : `[${target.address}]:${containerPort}`;

const portText = ({ hostPort, protocol, hostAddress }: Mapping): string =>
  `port ${hostPort}/${protocol}${hostAddress === undefined ? '' : ` of ${hostAddress}`}`;

/** Whether a chain in our way leads to an address that is ours now, so that its owner is gone. */
function* leadsTo({ chain }: ListedElement, targets: ReadonlySet<string>): Steps<boolean> {
  const rules = listedRules(yield* listNft('chain', ...TABLE, chain));
  return rules.some(({ expressions }) => expressions.some((expression) => targets.has(dnatAddress(expression))));
}

const dnatAddress = (expression: Json): string => (isJsonObject(expression) ? ownText(expression['dnat'], 'addr') : '');

/** Lets the host's own connections to 127.0.0.1 leave by the link that leads to the pod. */
function* routeLocalhost(mappings: readonly Mapping[]): Steps<void> {
  const address = mappings.find(({ target }) => target.family === 4)?.target.address;
  if (address === undefined) return;
  const device = (yield* show<RouteRow>('ip', undefined, 'route', 'get', address))[0]?.dev;
  if (device === undefined || device === 'lo') return;
  const key = `net/ipv4/conf/${device}/route_localnet`;
  if ((yield* readSysctl(undefined, key)) !== '1') yield* writeSysctl(undefined, key, '1');
}

/** Flows of UDP that the kernel remembers go on to where they went before, past any rule. */
function* forgetFlows(mappings: readonly Mapping[]): Steps<void> {
  for (const { protocol, hostPort, target } of mappings) {
    if (protocol !== 'udp') continue;
    try {
      yield* run({
        program: 'conntrack',
        arguments: ['-D', '-f', `ipv${target.family}`, '-p', 'udp', '--orig-port-dst', String(hostPort)],
      });
    } catch (error) {
      // Without the program they end by themselves, half a minute after their last packet.
      if (!(error instanceof EffectError)) throw error;
    }
  }
}
