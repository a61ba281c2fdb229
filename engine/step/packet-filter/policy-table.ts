import { sha256 } from '../../text/digest.ts';
import type { OwnerTag } from '../operation.ts';
import { type Network, readAll, readNetwork } from './address-list.ts';
import { DIRECTIONS, type Direction, groupOf, type Policies, type PolicyAllowance, type PolicyPort } from './policy-shape.ts';
import { ownerComment } from './table.ts';
import type { ChainContent, MapContent, SetContent, TableContent } from './table-content.ts';

/*
 * Network policies in nftables, in a table of their owner. A packet that begins a connection finds by one look-up the chain that pods under
 * the same policies share; there is none for a pod that no policy selects. That chain asks the policies one after the other. What none of them
 * lets through is dropped by the base chain, which knows isolated pods by a set of their own: it does so even in the moment in which the kernel
 * changes generations, when a packet on its way may meet a chain that is still empty. What a pod sends and what it is sent are asked one
 * after the other, in two base chains, because an `accept` ends only its own.
 *
 * Peers that many policies name are one set: a pod that comes is a few elements more, however many policies there are.
 *
 * Only what is forwarded is asked: the node itself always reaches its pods, and they reach it. Kubernetes: "Traffic to and from the node
 * where a Pod is running is always allowed".
 */

type Family = 4 | 6;
const FAMILIES: readonly Family[] = [4, 6];
const ip = (family: Family): string => (family === 4 ? 'ip' : 'ip6');
const addressType = (family: Family): string => `ipv${family}_addr`;

/** What policies are in nftables. */
export function policyTable(args: Policies, owner: OwnerTag): TableContent {
  return new PolicyTable(args).make(ownerComment(owner.text));
}

class PolicyTable {
  readonly #args: Policies;
  readonly #sets = new Map<string, SetContent>();
  readonly #chains = new Map<string, ChainContent>();
  readonly #maps = new Map<string, MapContent>();
  /** Names of the sets of groups, by family and name. */
  readonly #groups = new Map<string, string>();
  /** Those of isolated pods: nobody else reaches them, nor is reached by them. */
  readonly #families: readonly Family[];
  readonly #pods: Readonly<Record<Direction, readonly { readonly pods: readonly Network[]; readonly policies: readonly string[] }[]>>;

  constructor(args: Policies) {
    this.#args = args;
    const podsOf = (direction: Direction) =>
      args[direction].pods.map(({ addresses, policies }) => ({ pods: readAll(addresses, readHost), policies }));
    this.#pods = { ingress: podsOf('ingress'), egress: podsOf('egress') };
    const families = new Set(DIRECTIONS.flatMap((each) => this.#pods[each].flatMap(({ pods }) => pods.map(({ family }) => family))));
    this.#families = FAMILIES.filter((family) => families.has(family));
  }

  make(note: string): TableContent {
    for (const family of this.#families) {
      const pods = DIRECTIONS.flatMap((each) => this.#pods[each].flatMap((entry) => textsOf(entry.pods, family)));
      this.#sets.set(`self${family}`, {
        type: `${addressType(family)} . ${addressType(family)}`,
        isInterval: false,
        elements: [...new Set(pods)].map((address) => `${address} . ${address}`),
      });
    }
    for (const direction of DIRECTIONS) this.#addDirection(direction, note);
    return { sets: this.#sets, chains: this.#chains, maps: this.#maps };
  }

  #addDirection(direction: Direction, note: string): void {
    const entries = this.#pods[direction];
    if (entries.every(({ pods }) => pods.length === 0)) return;
    for (const family of this.#families) {
      const targets = new Map<string, string>();
      for (const { pods, policies } of entries) {
        const chain = this.#addPods(direction, policies);
        for (const pod of textsOf(pods, family)) targets.set(pod, chain);
      }
      this.#maps.set(`${direction}${family}`, { type: addressType(family), targets });
      this.#sets.set(`${direction}-pods${family}`, { type: addressType(family), isInterval: false, elements: [...targets.keys()] });
    }
    const field = direction === 'ingress' ? 'daddr' : 'saddr';
    const each = (rule: (family: Family) => string): readonly string[] => this.#families.map(rule);
    const rules = [
      // Whose the table is.
      `ct state established,related accept ${note}`,
      // Neighbours on one bridge find each other by these, and are not connections.
      'icmpv6 type { 130-137, 143 } accept',
      // Every pod has such an address beside those that are known, and any program in it may use it, on a bridge.
      `ip6 ${field} fe80::/10 drop`,
      // A pod always reaches itself, also by way of a service or a port of the host.
      ...each((family) => `${ip(family)} saddr . ${ip(family)} daddr @self${family} accept`),
      ...each((family) => `${ip(family)} ${field} vmap @${direction}${family}`),
      ...each((family) => `${ip(family)} ${field} @${direction}-pods${family} drop`),
    ];
    const hook = `type filter hook forward priority ${direction === 'egress' ? 0 : 1}`;
    this.#chains.set(direction, { hook, rules });
  }

  /** Chain that pods under these policies share; made where it is not there yet. */
  #addPods(direction: Direction, policies: readonly string[]): string {
    const names = [...new Set(policies)];
    const chain = `pods-${sha256([direction, ...names].join('\0')).slice(0, 16)}`;
    if (!this.#chains.has(chain))
      this.#chains.set(chain, { hook: '', rules: names.map((name) => `jump ${this.#addPolicy(direction, name)}`) });
    return chain;
  }

  /** Chain that accepts what a policy allows; made where it is not there yet. */
  #addPolicy(direction: Direction, name: string): string {
    const chain = identifier(`policy-${direction}`, name);
    if (!this.#chains.has(chain)) {
      const allowances = this.#args[direction].policies[name] as readonly PolicyAllowance[];
      this.#chains.set(chain, { hook: '', rules: allowances.flatMap((each) => this.#allowanceRules(each, direction)) });
    }
    return chain;
  }

  #allowanceRules({ peers, except, ports }: PolicyAllowance, direction: Direction): readonly string[] {
    const field = direction === 'ingress' ? 'saddr' : 'daddr';
    const exceptions = readAll(except, readNetwork);
    const whom = this.#families.flatMap((family) => {
      const excepted = exceptions.filter((each) => each.family === family);
      if (excepted.some(isAll)) return [];
      const matches = this.#peerMatches(peers, family, field);
      const but = excepted.length === 0 || matches.length === 0 ? '' : ` ${ip(family)} ${field} != @${this.#addNetworks(excepted, family)}`;
      return matches.map((match) => match + but);
    });
    const which = ports === 'any' ? [''] : portMatches(ports);
    return whom.flatMap((peer) => which.map((match) => `${peer}${match} accept`));
  }

  #peerMatches(peers: PolicyAllowance['peers'], family: Family, field: string): readonly string[] {
    if (peers === 'any') return [`meta nfproto ipv${family}`];
    const groups = [...new Set(peers.flatMap((peer) => groupOf(peer) ?? []))];
    const networks = readAll(
      peers.filter((peer) => groupOf(peer) === undefined),
      readNetwork,
    ).filter((each) => each.family === family);
    if (networks.some(isAll)) return [`meta nfproto ipv${family}`];
    const sets = groups.map((group) => this.#addGroup(group, family));
    if (networks.length > 0) sets.push(this.#addNetworks(networks, family));
    return sets.map((set) => `${ip(family)} ${field} @${set}`);
  }

  #addGroup(group: string, family: Family): string {
    const key = `${family} ${group}`;
    let set = this.#groups.get(key);
    if (set === undefined) {
      set = identifier(`group${family}`, group);
      this.#groups.set(key, set);
      const members = new Set<string>();
      for (const each of this.#args.groups[group] as readonly string[]) {
        const member = readHost(each);
        if (member?.family === family) members.add(member.text);
      }
      this.#sets.set(set, { type: addressType(family), isInterval: false, elements: [...members] });
    }
    return set;
  }

  #addNetworks(networks: readonly Network[], family: Family): string {
    const elements = [...new Set(networks.map(({ text }) => text))].toSorted();
    const set = `networks${family}-${sha256(elements.join(' ')).slice(0, 16)}`;
    this.#sets.set(set, { type: addressType(family), isInterval: true, elements });
    return set;
  }
}

/** A name for nftables: what a person knows it by, and digits that tell it apart where that is not all of it. */
function identifier(prefix: string, name: string): string {
  const legible = name.replaceAll(/[^A-Za-z0-9/.-]/g, '_').slice(0, 100);
  return legible === name ? `${prefix}-${name}` : `${prefix}-${legible}-${sha256(name).slice(0, 12)}`;
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

const textsOf = (networks: readonly Network[], wanted: Family): readonly string[] =>
  networks.flatMap(({ family, text }) => (family === wanted ? [text] : []));

const isAll = ({ text }: Network): boolean => text.endsWith('/0');

/** The address alone, whatever prefix length it is written with. */
const readHost = (text: string): Network | undefined => readNetwork(text.includes('/') ? (text.split('/')[0] as string) : text);
