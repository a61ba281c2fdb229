import { sha256 } from '../../text/digest.ts';
import type { Steps } from '../effect.ts';
import { listNft, nft } from '../effects/nft.ts';
import type { OwnerTag } from '../operation.ts';
import type { HostAddress } from './address-list.ts';
import { listedChains } from './listing.ts';
import type { OwnedChain } from './owned-chain.ts';
import { chainWith, type Foundation, foundationCommands, IN_TABLE, TABLE, verdictMap } from './table.ts';

/*
 * What the official firewall plugin does in iptables, in nftables: connections of pods are let through, after the administrator's own
 * rules; and bridges are kept apart. plugins/meta/firewall/{iptables,ingresspolicy}.go
 */

/** Names of the chains that let a pod through begin so. */
export const FORWARD_PREFIX = 'forward-';

/** `admin`: a chain that is made empty, and is the administrator's from then on. */
export const forwardingFoundation = (admin: string): Foundation => ({
  marker: `forwarding-1-${admin}`,
  commands: [
    `add chain ${IN_TABLE} ${admin}`,
    verdictMap(`forward4-${admin}`, 'ipv4_addr'),
    verdictMap(`forward6-${admin}`, 'ipv6_addr'),
    ...chainWith(`forwarding-${admin}`, 'type filter hook forward priority 0', [
      `jump ${admin}`,
      `ct state established,related ip daddr vmap @forward4-${admin}`,
      `ct state established,related ip6 daddr vmap @forward6-${admin}`,
      `ip saddr vmap @forward4-${admin}`,
      `ip6 saddr vmap @forward6-${admin}`,
    ]),
  ],
});

export const forwardingChains = (
  addresses: readonly HostAddress[],
  admin: string,
  owner: OwnerTag,
  bridge: string | undefined,
): readonly OwnedChain[] =>
  addresses.map(({ family, address }) => ({
    // The bridge is told by the chain's name: see stopIsolating.
    chain: `${FORWARD_PREFIX}${owner.id}-${sha256(admin + address).slice(0, 8)}${bridge === undefined ? '' : onBridge(bridge)}`,
    rules: ['accept'],
    entry: { map: `forward${family}-${admin}`, key: address, what: `forwarding of ${address}` },
  }));

const ISOLATION: Foundation = {
  marker: 'isolation-1',
  commands: [
    verdictMap('into-bridge', 'ifname'),
    `add set ${IN_TABLE} isolated-bridges { type ifname ; }`,
    ...chainWith('isolation', 'type filter hook forward priority -1', ['oifname vmap @into-bridge']),
  ],
};

/** Keeps a bridge apart from other bridges that are kept apart; `inside`: its ports from each other, too. */
export function* isolate(bridge: string, inside: boolean): Steps<void> {
  yield* nft([
    ...foundationCommands(ISOLATION),
    ...chainWith(intoChain(bridge), '', [`iifname "${bridge}" ${inside ? 'drop' : 'return'}`, 'iifname @isolated-bridges drop']),
    `add element ${IN_TABLE} into-bridge { "${bridge}" : goto ${intoChain(bridge)} }`,
    `add element ${IN_TABLE} isolated-bridges { "${bridge}" }`,
  ]);
}

/** Ends it when no pod is left on the bridge whose traffic is let through. */
export function* stopIsolating(bridge: string): Steps<void> {
  const chains = listedChains(yield* listNft('table', ...TABLE));
  const isUsed = chains.some((chain) => chain.startsWith(FORWARD_PREFIX) && chain.endsWith(onBridge(bridge)));
  if (isUsed || !chains.includes(intoChain(bridge))) return;
  yield* nft(
    [
      `delete element ${IN_TABLE} into-bridge { "${bridge}" }`,
      `delete element ${IN_TABLE} isolated-bridges { "${bridge}" }`,
      `flush chain ${IN_TABLE} ${intoChain(bridge)}`,
      `delete chain ${IN_TABLE} ${intoChain(bridge)}`,
    ],
    ['missing'],
  );
}

export function* isolationProblems(bridge: string): Steps<readonly string[]> {
  return (yield* listNft('chain', ...TABLE, intoChain(bridge))).length > 0 ? [] : [`nftables does not isolate the bridge ${bridge}`];
}

const onBridge = (bridge: string): string => `-on-${sha256(bridge).slice(0, 8)}`;
const intoChain = (bridge: string): string => `into-${sha256(bridge).slice(0, 8)}`;
