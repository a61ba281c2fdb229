import { sha256 } from '../../text/digest.ts';
import type { OwnerTag } from '../operation.ts';
import { type Network, readAll, readNetwork } from './address-list.ts';
import type { Policy, PolicyAllowance, PolicyPort } from './policy-shape.ts';

/** What a policy is in nftables. */
export interface PolicyRules {
  readonly direction: Policy['direction'];
  /** Accepts what the policy allows, and returns. */
  readonly chain: string;
  /** An empty chain whose name stands for all of the policy: where it is, nothing has to be done. */
  readonly marker: string;
  /** What follows `add rule <table> <chain>`. */
  readonly rules: readonly string[];
  readonly sets: readonly PolicySet[];
  readonly pods: readonly Network[];
}

/** Peers of one kind. Their names begin with {@link setPrefix} of the policy. */
export interface PolicySet {
  readonly name: string;
  readonly family: 4 | 6;
  /** Of networks; else of addresses, which are looked up faster and changed one by one. */
  readonly isInterval: boolean;
  readonly elements: readonly string[];
}

/** Names of chains of policies begin so. */
export const POLICY_PREFIX = 'policy-';

/** Names of the sets of a policy begin so. */
export const setPrefix = (chain: string): string => `peers-${chain.slice(POLICY_PREFIX.length)}`;

export const markerPrefix = (chain: string): string => `is-${chain.slice(POLICY_PREFIX.length)}-`;

/** Chain of a pod in one direction, which all policies for it share. */
export const podChain = (direction: Policy['direction'], { text }: Network): string => `${direction}-${text.replaceAll(':', '_')}`;

export function policyRules(policy: Policy, owner: OwnerTag): PolicyRules {
  const { name, direction, allow } = policy;
  const id = sha256([owner.id, direction, name].join('\0')).slice(0, 12);
  // The name is for people; the id tells apart.
  const chain = `${POLICY_PREFIX}${id}-${name.replaceAll(/[^A-Za-z0-9.-]/g, '_').slice(0, 60)}`;
  const sets: PolicySet[] = [];
  const rules = allow.flatMap((allowance, index) => allowanceRules(allowance, direction, `${setPrefix(chain)}-${index}`, sets));
  const pods = unique(readAll(policy.pods, readHost));
  const content = JSON.stringify([rules, sets, pods]);
  return { direction, chain, marker: markerPrefix(chain) + sha256(content).slice(0, 16), rules, sets, pods };
}

function allowanceRules(
  { peers, except, ports }: PolicyAllowance,
  direction: Policy['direction'],
  prefix: string,
  sets: PolicySet[],
): readonly string[] {
  const field = direction === 'ingress' ? 'saddr' : 'daddr';
  const networks = peers === 'any' ? undefined : readAll(peers, readNetwork);
  const exceptions = readAll(except, readNetwork);
  const set = (family: 4 | 6, kind: string, members: readonly Network[], isInterval: boolean): string => {
    const name = `${prefix}-${kind}${family}`;
    sets.push({ name, family, isInterval, elements: [...new Set(members.map(({ text }) => text))].toSorted() });
    return name;
  };
  const whom = ([4, 6] as const).flatMap((family) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const ofFamily = (each: Network): boolean => each.family === family;
    const excepted = exceptions.filter(ofFamily);
    if (excepted.some(isAll)) return [];
    const groups: string[] = [];
    if (networks === undefined || networks.filter(ofFamily).some(isAll)) groups.push(`meta nfproto ipv${family}`);
    else {
      const members = networks.filter(ofFamily);
      const [single, wide] = [members.filter((each) => each.single), members.filter((each) => !each.single)];
      if (single.length > 0) groups.push(`${ip} ${field} @${set(family, 'hosts', single, false)}`);
      if (wide.length > 0) groups.push(`${ip} ${field} @${set(family, 'networks', wide, true)}`);
    }
    const but = excepted.length === 0 || groups.length === 0 ? '' : ` ${ip} ${field} != @${set(family, 'except', excepted, true)}`;
    return groups.map((group) => group + but);
  });
  const which = ports === 'any' ? [''] : portMatches(ports);
  return whom.flatMap((peer) => which.map((match) => `${peer}${match} accept`));
}

/** One match for each protocol. */
function portMatches(ports: readonly PolicyPort[]): readonly string[] {
  const byProtocol = new Map<string, PolicyPort[]>();
  for (const each of ports) {
    const protocol = each.protocol.toLowerCase();
    byProtocol.set(protocol, [...(byProtocol.get(protocol) ?? []), each]);
  }
  return [...byProtocol].map(([protocol, group]) =>
    group.some(({ port }) => port === undefined) ? ` meta l4proto ${protocol}` : ` ${protocol} dport { ${portRanges(group).join(', ')} }`,
  );
}

/** Ranges that do not overlap, as nft wants them. */
function portRanges(ports: readonly PolicyPort[]): readonly string[] {
  const ranges = ports.map(({ port, endPort }) => [port as number, endPort ?? (port as number)] as const).toSorted(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [first, last] of ranges) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
}

const isAll = ({ text }: Network): boolean => text.endsWith('/0');

/** The address alone, whatever prefix length it is written with. */
const readHost = (text: string): Network | undefined => readNetwork(text.split('/')[0] as string);

const unique = (pods: readonly Network[]): readonly Network[] => [...new Map(pods.map((pod) => [pod.text, pod])).values()];
