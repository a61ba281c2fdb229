import { isJsonObject, type Json, ownText } from '../../object/json.ts';
import { sha256 } from '../../text/digest.ts';
import type { Steps } from '../effect.ts';
import { listNft } from '../effects/nft.ts';
import type { OwnerTag } from '../operation.ts';
import { type ListedElement, listedRules } from './listing.ts';
import type { OwnedChain } from './owned-chain.ts';
import { endpoint, type Mapping, mappingsOf, markOf, type PortMapArguments, portText } from './port-mapping.ts';
import { chainWith, type Foundation, TABLE, verdictMap } from './table.ts';

/** Names of chains of port mappings begin so. */
export const PORT_MAP_PREFIX = 'port-map-';

/**
 * Only what goes to an address of the host is looked at: a pod's own port of the same number is none of ours. A packet that will need
 * the host's address is marked on its way in, as nothing tells on its way out which port it was for.
 */
export const portMapFoundation = (markBit: number): Foundation => ({
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

/** A chain for each mapping. */
export function portMapChains(args: PortMapArguments, owner: OwnerTag): readonly OwnedChain[] {
  return mappingsOf(args).map((mapping) => {
    const { target, protocol, hostPort, hostAddress } = mapping;
    const service = `${protocol} . ${hostPort}`;
    const suffix = hostAddress === undefined ? '' : `-${sha256(hostAddress).slice(0, 8)}`;
    return {
      chain: `${PORT_MAP_PREFIX}${owner.id}-${target.family}-${protocol}-${hostPort}${suffix}`,
      rules: rulesOf(args, mapping),
      entry:
        hostAddress === undefined
          ? { map: `host-ports${target.family}`, key: service, what: portText(mapping) }
          : { map: `host-address-ports${target.family}`, key: `${hostAddress} . ${service}`, what: portText(mapping) },
    };
  });
}

function rulesOf(args: PortMapArguments, mapping: Mapping): readonly string[] {
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

/** Whether a chain in our way leads to an address that is ours now, so that its owner is gone. */
export function* leadsTo({ chain }: ListedElement, targets: ReadonlySet<string>): Steps<boolean> {
  const rules = listedRules(yield* listNft('chain', ...TABLE, chain));
  return rules.some(({ expressions }) => expressions.some((expression) => targets.has(dnatAddress(expression))));
}

const dnatAddress = (expression: Json): string => (isJsonObject(expression) ? ownText(expression['dnat'], 'addr') : '');
