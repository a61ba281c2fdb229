import type { LabelSelector } from '../../../object/label-selector.ts';
import type { Pod, Port } from './network-policy-objects.ts';

/** Connections that a policy allows. */
export interface Allowance {
  /** Addresses and networks, and groups: `@` and the name of one. */
  readonly peers: 'any' | readonly string[];
  readonly except: readonly string[];
  readonly ports: 'any' | readonly Port[];
}

/** What the policies of a node are in one direction. */
export interface ResolvedDirection {
  readonly policies: { readonly [name: string]: readonly Allowance[] };
  /** Pods of this node that are isolated, those under the same policies together. */
  readonly pods: readonly { readonly addresses: readonly string[]; readonly policies: readonly string[] }[];
}

/** A pod of this node; without `pod` where the cluster does not tell of it (yet, or any more). */
export interface LocalPod {
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly pod: Pod | undefined;
}

/** Policies that pods are under, in the order in which they came, and what one more makes of it. */
interface Under {
  readonly policies: readonly string[];
  readonly and: Map<string, Under>;
}

/** A pod of this node in one direction. */
export interface StandingPod extends LocalPod {
  /** Undefined while no policy selects it. */
  under: Under | undefined;
}

/** Gathers who is isolated in one direction, and by what. */
export class DirectionResolver {
  readonly #pods: readonly StandingPod[];
  readonly #byNamespace = new Map<string, StandingPod[]>();
  readonly #policies = new Map<string, readonly Allowance[]>();
  /** Where all begin: isolated, and nothing is allowed. */
  readonly #nothing: Under = { policies: [], and: new Map() };
  readonly #policed = new Set<string>();

  constructor(local: readonly LocalPod[]) {
    this.#pods = local.filter(({ addresses }) => addresses.length > 0).map((each) => ({ ...each, under: undefined }));
    for (const each of this.#pods) entryOf(this.#byNamespace, each.namespace, () => []).push(each);
  }

  /** Pods of this node in a namespace that a policy of it selects. */
  select(namespace: string, selector: LabelSelector): readonly StandingPod[] {
    this.#policed.add(namespace);
    return (this.#byNamespace.get(namespace) ?? []).filter(({ pod }) => pod !== undefined && selector.matches(pod.labels));
  }

  /** Keeps a policy with the pods that it selects. */
  put(name: string, pods: readonly StandingPod[], allow: readonly Allowance[]): void {
    this.#policies.set(name, allow);
    let before: Under | undefined;
    let after: Under | undefined;
    for (const pod of pods) {
      const under = pod.under ?? this.#nothing;
      // Most pods are under the same policies as the one before.
      if (under !== before) {
        before = under;
        after = entryOf(under.and, name, () => ({ policies: [...under.policies, name], and: new Map() }));
      }
      pod.under = after;
    }
  }

  resolved(): ResolvedDirection {
    const byAddress = new Map<string, Under>();
    for (const { namespace, pod, addresses, under: found } of this.#pods) {
      const isUnknown = pod === undefined && this.#policed.has(namespace);
      const under = found ?? (isUnknown ? this.#nothing : undefined);
      if (under === undefined) continue;
      // Two pods have an address while one of them goes: whose it is will be known in a moment, and until then nobody reaches it.
      for (const address of addresses) byAddress.set(address, (byAddress.get(address) ?? under) === under ? under : this.#nothing);
    }
    const alike = new Map<Under, string[]>();
    for (const [address, under] of byAddress) entryOf(alike, under, () => []).push(address);
    return {
      policies: Object.fromEntries(this.#policies),
      pods: [...alike].map(([{ policies }, addresses]) => ({ addresses, policies })),
    };
  }
}

/** Pods by the numbers that they give to these names: `TCP/http=8080`. */
export function byNumbers(pods: readonly StandingPod[], names: readonly string[]): ReadonlyMap<string, readonly StandingPod[]> {
  if (names.length === 0) return new Map([['', pods]]);
  const groups = new Map<string, StandingPod[]>();
  for (const each of pods) {
    const way = names.map((name) => `${name}=${each.pod?.ports.get(name) ?? ''}`).join(',');
    groups.set(way, [...(groups.get(way) ?? []), each]);
  }
  return groups;
}

/** What a map has for a key; made where it has nothing. */
export function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
