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

/** Gathers who is isolated in one direction, and by what. */
export class DirectionResolver {
  readonly #local: readonly LocalPod[];
  readonly #byNamespace = new Map<string, LocalPod[]>();
  readonly #policies = new Map<string, readonly Allowance[]>();
  readonly #under = new Map<LocalPod, Under>();
  /** Where all begin: isolated, and nothing is allowed. */
  readonly #nothing: Under = { policies: [], and: new Map() };
  readonly #policed = new Set<string>();

  constructor(local: readonly LocalPod[]) {
    this.#local = local.filter(({ addresses }) => addresses.length > 0);
    for (const each of this.#local) entryOf(this.#byNamespace, each.namespace, () => []).push(each);
  }

  /** Pods of this node in a namespace that a policy of it selects. */
  select(namespace: string, selector: LabelSelector): readonly LocalPod[] {
    this.#policed.add(namespace);
    return (this.#byNamespace.get(namespace) ?? []).filter(({ pod }) => pod !== undefined && selector.matches(pod.labels));
  }

  /** Keeps a policy with the pods that it selects. */
  put(name: string, pods: readonly LocalPod[], allow: readonly Allowance[]): void {
    this.#policies.set(name, allow);
    for (const pod of pods) {
      const { policies, and } = this.#under.get(pod) ?? this.#nothing;
      this.#under.set(
        pod,
        entryOf(and, name, () => ({ policies: [...policies, name], and: new Map() })),
      );
    }
  }

  resolved(): ResolvedDirection {
    const byAddress = new Map<string, Under>();
    for (const local of this.#local) {
      const isUnknown = local.pod === undefined && this.#policed.has(local.namespace);
      const under = this.#under.get(local) ?? (isUnknown ? this.#nothing : undefined);
      if (under === undefined) continue;
      // Two pods have an address while one of them goes: whose it is will be known in a moment, and until then nobody reaches it.
      for (const address of local.addresses) byAddress.set(address, (byAddress.get(address) ?? under) === under ? under : this.#nothing);
    }
    const alike = new Map<Under, string[]>();
    for (const [address, under] of byAddress) entryOf(alike, under, () => []).push(address);
    return {
      policies: Object.fromEntries(this.#policies),
      pods: [...alike].map(([{ policies }, addresses]) => ({ addresses, policies })),
    };
  }
}

/** Policies that pods are under, in the order in which they came, and what one more makes of it. */
interface Under {
  readonly policies: readonly string[];
  readonly and: Map<string, Under>;
}

/** Pods by the numbers that they give to these names: `TCP/http=8080`. */
export function byNumbers(pods: readonly LocalPod[], names: readonly string[]): ReadonlyMap<string, readonly LocalPod[]> {
  if (names.length === 0) return new Map([['', pods]]);
  const groups = new Map<string, LocalPod[]>();
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
