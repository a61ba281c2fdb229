import { sha256 } from '../../text/digest.ts';
import { defaulted, type Infer, list, object, optional, string } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { addressProblems } from '../network/address.ts';
import { linkNameProblems } from '../network/link-name.ts';
import { linkName } from '../network/shapes.ts';
import type { Operation, OwnedThing, OwnerTag } from '../operation.ts';
import { type Network, readAll, readNetwork, readSource } from '../packet-filter/address-list.ts';
import { againWith, backendField, backendRequirements, ensureWith, ofNftables } from '../packet-filter/backend.ts';
import {
  type IptablesChain,
  type IptablesFoundation,
  iptablesChainName,
  ownedIptables,
  type SavedTable,
  targetOf,
} from '../packet-filter/iptables.ts';
import { type ChainsByFamily, checkByFamily, ensureByFamily, removeByFamily } from '../packet-filter/iptables-families.ts';
import { checkChains, ensureChains, type OwnedChain, ownedChains, removeChains } from '../packet-filter/owned-chain.ts';
import { chainWith, type Foundation, verdictMap } from '../packet-filter/table.ts';

const shape = object({
  from: list(string(), {
    maxItems: 256,
    doc: 'Addresses or networks whose traffic is masqueraded. An address may have the prefix length of its network.',
  }),
  except: defaulted(
    list(string(), { maxItems: 256, doc: 'Addresses and networks to which traffic goes as it is, such as the own network.' }),
    [],
  ),
  interface: optional(linkName('Only traffic that leaves by this interface of the host.')),
  backend: backendField,
});
type Arguments = Infer<typeof shape>;

const PREFIX = 'masquerade-';

const FOUNDATION: Foundation = {
  marker: 'masquerading-1',
  commands: [
    verdictMap('masquerade4', 'ipv4_addr'),
    verdictMap('masquerade6', 'ipv6_addr'),
    ...chainWith('masquerading-networks', '', []).slice(0, 1),
    ...chainWith('masquerading', 'type nat hook postrouting priority 100', [
      // Pods of one network hear each other's multicast as it was sent.
      'ip daddr 224.0.0.0/4 return',
      'ip6 daddr ff00::/8 return',
      'ip saddr vmap @masquerade4',
      'ip6 saddr vmap @masquerade6',
      'jump masquerading-networks',
    ]),
  ],
};

/** As `ipMasq` of the official plugins: pkg/ip/ipmasq_{nftables,iptables}_linux.go. */
export const MASQUERADE: Operation<Arguments> = {
  name: 'masquerade',
  group: 'network',
  doc: "Gives traffic that leaves the pod's network the address of the host.",
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [
    ...addressProblems(args.from, ['from']),
    ...addressProblems(args.except, ['except']),
    ...linkNameProblems(args, 'interface'),
  ],
  requires: ({ backend }) => backendRequirements(backend),
  lockKeys: () => [],

  *ensure(args, { owner, memory }) {
    yield* ensureWith(args.backend, memory, {
      // Whoever had an address of ours before is gone: it was given to us.
      nftables: () => ensureChains(FOUNDATION, chainsOf(args, owner), owner.text, 'always'),
      iptables: () => ensureByFamily(iptablesOf(args, owner), owner.text),
    });
    return {};
  },
  *check(args, { owner, memory }) {
    return yield* againWith(args.backend, memory, {
      nftables: () => checkChains(chainsOf(args, owner)),
      iptables: () => checkByFamily(iptablesOf(args, owner)),
    });
  },
  *undo(args, { owner, memory }) {
    yield* againWith(args.backend, memory, {
      nftables: () => removeChains(chainsOf(args, owner)),
      iptables: () => removeByFamily(iptablesOf(args, owner)),
    });
  },
  *inventory(): Steps<readonly OwnedThing[]> {
    return [...(yield* ofNftables(ownedChains(PREFIX))), ...(yield* ownedIptables('nat', IPTABLES_PREFIX))];
  },
  predict: () => ({}),
  describe: ({ from, except, interface: device }) =>
    `masquerade ${from.join(', ')}${except.length === 0 ? '' : `, not to ${except.join(', ')}`}${device === undefined ? '' : `, leaving by ${device}`}`,
};

function chainsOf({ from, except, interface: device }: Arguments, owner: OwnerTag): readonly OwnedChain[] {
  const exceptions = readAll(except, readNetwork);
  return sourcesOf(from).map(({ family, text, single }) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const inside = exceptions.filter((network) => network.family === family).map((network) => network.text);
    return {
      chain: `${PREFIX}${owner.id}-${sha256(text).slice(0, 8)}`,
      rules: [
        ...(device === undefined ? [] : [`oifname != "${device}" return`]),
        ...inside.map((network) => `${ip} daddr ${network} return`),
        'masquerade',
      ],
      entry: single
        ? { map: `masquerade${family}`, key: text, what: `masquerading of ${text}` }
        : { in: 'masquerading-networks', match: `${ip} saddr ${text}` },
    };
  });
}

const sourcesOf = (from: readonly string[]): readonly Network[] => [
  ...new Map(readAll(from, readSource).map((source) => [source.text, source])).values(),
];

const IPTABLES_PREFIX = 'FL-MASQ-';
const NOTHING: IptablesFoundation = { table: 'nat', chains: [], rules: [] };

const iptablesOf = (args: Arguments, owner: OwnerTag): ChainsByFamily => ({
  foundation: () => NOTHING,
  chains: (family) => iptablesChainsOf(args, owner, family),
  stale: staleChains,
});

function iptablesChainsOf({ from, except, interface: device }: Arguments, owner: OwnerTag, family: 4 | 6): readonly IptablesChain[] {
  const exceptions = readAll(except, readNetwork).filter((network) => network.family === family);
  const multicast = family === 4 ? '224.0.0.0/4' : 'ff00::/8';
  return sourcesOf(from)
    .filter((source) => source.family === family)
    .map(({ text, single }) => ({
      chain: iptablesChainName(IPTABLES_PREFIX, owner, text),
      rules: [
        ...[multicast, ...exceptions.map((network) => network.text)].map((network) => `-d ${network} -j RETURN`),
        `${device === undefined ? '' : `-o ${device} `}-j MASQUERADE`,
      ],
      entries: [{ in: 'POSTROUTING', match: `-s ${text}${single ? `/${family === 4 ? 32 : 128}` : ''}` }],
    }));
}

/** Chains of others for a single address of ours, which was given to us since. */
function staleChains(table: SavedTable, own: readonly IptablesChain[]): readonly string[] {
  const matches = own.flatMap(({ entries }) => entries.map(({ match }) => match)).filter((match) => /\/(32|128)$/.test(match));
  return table.rules.flatMap((rule) => {
    const target = targetOf(rule);
    return target?.startsWith(IPTABLES_PREFIX) && matches.some((match) => rule.startsWith(`-A POSTROUTING ${match} `)) ? [target] : [];
  });
}
