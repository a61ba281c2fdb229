import { sha256 } from '../../text/digest.ts';
import { defaulted, type Infer, list, object, oneOf, optional, string } from '../../text/shape.ts';
import type { Operation, OwnerTag } from '../operation.ts';
import { addressProblems, readAll, readNetwork, readSource } from '../packet-filter/address-list.ts';
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
  interface: optional(
    string({
      pattern: /^[^\s/:"'\\]{1,15}$/,
      patternName: 'the name of an interface',
      doc: 'Only traffic that leaves by this interface of the host.',
    }),
  ),
  backend: defaulted(oneOf('auto', 'nftables', 'iptables'), 'auto'),
});
type Arguments = Infer<typeof shape>;

const PREFIX = 'masquerade-';

const FOUNDATION: Foundation = {
  marker: 'masquerading-1',
  commands: [
    verdictMap('masquerade4', 'ipv4_addr'),
    verdictMap('masquerade6', 'ipv6_addr'),
    ...chainWith('masquerade-networks', '', []).slice(0, 1),
    ...chainWith('masquerading', 'type nat hook postrouting priority 100', [
      // Pods of one network hear each other's multicast as it was sent.
      'ip daddr 224.0.0.0/4 return',
      'ip6 daddr ff00::/8 return',
      'ip saddr vmap @masquerade4',
      'ip6 saddr vmap @masquerade6',
      'jump masquerade-networks',
    ]),
  ],
};

export const MASQUERADE: Operation<Arguments> = {
  name: 'masquerade',
  group: 'network',
  doc: "Gives traffic that leaves the pod's network the address of the host.",
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: ({ from, except }) => [...addressProblems('from', from), ...addressProblems('except', except)],
  requires: () => [{ kind: 'nft-family', name: 'inet' }],
  lockKeys: () => [],
  *ensure(args, { owner }) {
    // Whoever had an address of ours before is gone: it was given to us.
    yield* ensureChains(FOUNDATION, chainsOf(args, owner), owner.text, 'always');
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
  describe: ({ from, except, interface: device }) =>
    `masquerade ${from.join(', ')}${except.length === 0 ? '' : `, not to ${except.join(', ')}`}${device === undefined ? '' : `, leaving by ${device}`}`,
};

function chainsOf({ from, except, interface: device }: Arguments, owner: OwnerTag): readonly OwnedChain[] {
  const exceptions = readAll(except, readNetwork);
  const sources = new Map(readAll(from, readSource).map((source) => [source.text, source]));
  return [...sources.values()].map(({ family, text, single }) => {
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
        : { in: 'masquerade-networks', match: `${ip} saddr ${text}` },
    };
  });
}
