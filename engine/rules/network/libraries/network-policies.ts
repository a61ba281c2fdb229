import { isJsonObject, type JsonObject, objectsOf, ownText, ownValue, textsOf } from '../../../object/json.ts';
import type { LabelSelector } from '../../../object/label-selector.ts';
import { sha256 } from '../../../text/digest.ts';
import { type Allowance, byNumbers, DirectionResolver, entryOf, type LocalPod, type ResolvedDirection } from './isolated-pods.ts';
import {
  type Direction,
  directionsOf,
  isOf,
  labelsOf,
  nameOf,
  namesOfPorts,
  namespaceOf,
  network,
  objectOf,
  type Pod,
  plainAddress,
  podOf,
  portsOf,
  selectorOf,
} from './network-policy-objects.ts';

/*
 * NetworkPolicies of a cluster, resolved for one node: which of its pods are isolated, and who may connect. Kubernetes: api/networking/v1
 * types.go; what is not said there is as the end-to-end tests of sig-network have it.
 */

/** What policies are resolved with. Objects are those of the API server; attachments are pods of this node. */
export interface PolicyWorld {
  readonly policies: readonly JsonObject[];
  readonly pods: readonly JsonObject[];
  readonly namespaces: readonly JsonObject[];
  readonly attachments: readonly JsonObject[];
}

/** Policies of a node as the step `firewall` takes them. */
export interface ResolvedPolicies {
  /** Addresses of pods that rules name by the same selectors. */
  readonly groups: { readonly [name: string]: readonly string[] };
  readonly ingress: ResolvedDirection;
  readonly egress: ResolvedDirection;
}

/** Pods of a namespace that no selector can tell apart. */
interface Alike {
  readonly labels: JsonObject;
  readonly pods: Pod[];
  /** Of all of them; written down when they are first asked for. */
  addresses: readonly string[] | undefined;
}

/**
 * The policies that isolate pods of this node. Where a policy names ports that its pods number differently, it is one for each way. A pod that
 * the cluster does not tell of is isolated as far as there are policies in its namespace, and nobody reaches it until it is known.
 */
export function resolvePolicies(world: PolicyWorld): ResolvedPolicies {
  return new PolicyResolver(world).resolve();
}

class PolicyResolver {
  readonly #policies: readonly JsonObject[];
  readonly #namespaces: ReadonlyMap<string, JsonObject>;
  /** By namespace and the text of their labels. */
  readonly #pods: ReadonlyMap<string, ReadonlyMap<string, Alike>>;
  readonly #local: readonly LocalPod[];
  /** Addresses of attachments, which the status of their pods may not tell of yet. */
  readonly #given = new Map<Pod, readonly string[]>();
  /** Pods that selectors select, by what they say. */
  readonly #selected = new Map<string, readonly Alike[]>();
  readonly #groups = new Map<string, readonly string[]>();

  constructor({ policies, pods, namespaces, attachments }: PolicyWorld) {
    this.#policies = policies;
    this.#namespaces = new Map(namespaces.map((each) => [nameOf(each), labelsOf(each)]));
    const attached = new Set(attachments.map(pathOfAttachment));
    const known = new Map<string, { readonly object: JsonObject; readonly pod: Pod }>();
    const byNamespace = new Map<string, Map<string, Alike>>();
    for (const object of pods) {
      const pod = podOf(object);
      if (attached.has(pod.path)) known.set(pod.path, { object, pod });
      const others = entryOf(byNamespace, pod.namespace, () => new Map<string, Alike>());
      entryOf(others, pod.labelText, () => ({ labels: pod.labels, pods: [], addresses: undefined })).pods.push(pod);
    }
    this.#pods = byNamespace;
    this.#local = attachments.flatMap((attachment): readonly LocalPod[] => {
      const namespace = ownText(attachment, 'namespace');
      if (namespace === '') return [];
      const addresses = textsOf(ownValue(attachment, 'addresses')).flatMap(plainAddress);
      const found = known.get(pathOfAttachment(attachment));
      if (found === undefined || !isOf(found.object, ownText(attachment, 'uid'))) return [{ namespace, addresses, pod: undefined }];
      const { pod } = found;
      // Its status says the address only later; others of this node may reach it by then.
      this.#given.set(pod, [...(this.#given.get(pod) ?? []), ...addresses]);
      return [{ namespace, addresses, pod }];
    });
  }

  resolve(): ResolvedPolicies {
    const resolvers = { ingress: new DirectionResolver(this.#local), egress: new DirectionResolver(this.#local) };
    for (const policy of this.#policies) {
      for (const direction of directionsOf(policy)) this.#add(policy, direction, resolvers[direction]);
    }
    return { groups: Object.fromEntries(this.#groups), ingress: resolvers.ingress.resolved(), egress: resolvers.egress.resolved() };
  }

  #add(policy: JsonObject, direction: Direction, resolver: DirectionResolver): void {
    const namespace = namespaceOf(policy);
    const spec = objectOf(ownValue(policy, 'spec'));
    const selected = resolver.select(namespace, selectorOf(ownValue(spec, 'podSelector')));
    if (selected.length === 0) return;
    const rules = objectsOf(ownValue(spec, direction));
    const name = `${namespace}/${nameOf(policy)}`;
    if (direction === 'egress') {
      resolver.put(
        name,
        selected,
        rules.flatMap((rule) => this.#egress(rule, namespace)),
      );
      return;
    }
    for (const [way, pods] of byNumbers(selected, namesOfPorts(rules))) {
      // They number their ports alike, and are known, or no selector would select them.
      const pod = pods[0]!.pod!;
      const allow = rules.flatMap((rule) => this.#ingress(rule, namespace, pod));
      resolver.put(way === '' ? name : `${name}?${way}`, pods, allow);
    }
  }

  /** Ports are those of the pod that is connected to. */
  #ingress(rule: JsonObject, namespace: string, pod: Pod): readonly Allowance[] {
    const ports = portsOf(rule, (key) => pod.ports.get(key));
    return ports === undefined ? [] : this.#peers(rule, 'from', namespace).map((peers) => ({ ...peers, ports }));
  }

  /** A named port has a number of its own at each pod that is connected to. */
  #egress(rule: JsonObject, namespace: string): readonly Allowance[] {
    const byNumber = portsOf(rule, () => undefined);
    const allowed = byNumber === undefined ? [] : this.#peers(rule, 'to', namespace).map((peers) => ({ ...peers, ports: byNumber }));
    const names = namesOfPorts([rule]);
    if (names.length === 0) return allowed;
    const peers = objectsOf(ownValue(rule, 'to'));
    const selections =
      peers.length === 0 ? [this.#select(EVERYWHERE, namespace)] : peers.flatMap((peer) => this.#selectionOf(peer, namespace));
    const groupsByPort = new Map<string, Set<string>>();
    for (const { name, pods } of selections) {
      const byTarget = new Map<string, Pod[]>();
      for (const pod of pods.flatMap((alike) => alike.pods)) {
        for (const key of names) {
          const port = pod.ports.get(key);
          if (port !== undefined) entryOf(byTarget, `${key.split('/')[0]}/${port}`, () => []).push(pod);
        }
      }
      for (const [target, those] of byTarget)
        entryOf(groupsByPort, target, () => new Set<string>()).add(
          this.#group(`${name}?${target}`, () => this.#addressesOf([...new Set(those)])),
        );
    }
    const named = [...groupsByPort].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...allowed,
      ...named.map(([target, groups]): Allowance => {
        const [protocol, port] = target.split('/') as [string, string];
        return { peers: [...groups], except: [], ports: [{ protocol, port: Number(port) }] };
      }),
    ];
  }

  /** Whom a rule means: pods and networks together, and networks with exceptions each by itself. */
  #peers(rule: JsonObject, field: 'from' | 'to', namespace: string): readonly Omit<Allowance, 'ports'>[] {
    const peers = objectsOf(ownValue(rule, field));
    if (peers.length === 0) return [{ peers: 'any', except: [] }];
    const together = new Set<string>();
    const apart: Omit<Allowance, 'ports'>[] = [];
    for (const peer of peers) {
      const block = ownValue(peer, 'ipBlock');
      if (isJsonObject(block)) {
        const networks = [ownText(block, 'cidr')].flatMap(network);
        const except = textsOf(ownValue(block, 'except')).flatMap(network);
        if (except.length === 0) for (const each of networks) together.add(each);
        else if (networks.length > 0) apart.push({ peers: networks, except });
      } else
        for (const { name, pods } of this.#selectionOf(peer, namespace))
          together.add(this.#group(name, () => this.#addressesOfAlike(pods)));
    }
    return together.size === 0 ? apart : [{ peers: [...together], except: [] }, ...apart];
  }

  /** The name of a group as a peer; made where it is not there yet. */
  #group(name: string, addresses: () => readonly string[]): string {
    if (!this.#groups.has(name)) this.#groups.set(name, addresses());
    return `@${name}`;
  }

  #addressesOf(pods: readonly Pod[]): readonly string[] {
    const addresses: string[] = [];
    for (const pod of pods) {
      for (const each of pod.addresses) addresses.push(each);
      for (const each of this.#given.get(pod) ?? []) if (!pod.addresses.includes(each)) addresses.push(each);
    }
    return addresses;
  }

  #addressesOfAlike(pods: readonly Alike[]): readonly string[] {
    return pods.flatMap((alike) => {
      alike.addresses ??= this.#addressesOf(alike.pods);
      return alike.addresses;
    });
  }

  #selectionOf(peer: JsonObject, namespace: string): readonly Selection[] {
    const isAnybody = ownValue(peer, 'podSelector') !== undefined || ownValue(peer, 'namespaceSelector') !== undefined;
    return isAnybody ? [this.#select(peer, namespace)] : [];
  }

  /** Pods that a peer selects, under a name that says how: `shop/app=web`, `{team=ops}/*`. */
  #select(peer: JsonObject, own: string): Selection {
    const selector = selectorOf(ownValue(peer, 'podSelector'));
    const spaces = ownValue(peer, 'namespaceSelector') ?? undefined;
    const spaceSelector = spaces === undefined ? undefined : selectorOf(spaces);
    const name = shortened(`${spaceSelector === undefined ? own : `{${textOf(spaceSelector)}}`}/${textOf(selector)}`);
    let pods = this.#selected.get(name);
    if (pods === undefined) {
      const namespaces =
        spaceSelector === undefined
          ? [own]
          : [...this.#namespaces].flatMap(([each, labels]) => (spaceSelector.matches(labels) ? [each] : []));
      pods = namespaces.flatMap((each) => [...(this.#pods.get(each)?.values() ?? [])].filter(({ labels }) => selector.matches(labels)));
      this.#selected.set(name, pods);
    }
    return { name, pods };
  }
}

interface Selection {
  readonly name: string;
  readonly pods: readonly Alike[];
}

/** Everybody: of a rule without peers. */
const EVERYWHERE: JsonObject = { namespaceSelector: {}, podSelector: {} };

const textOf = ({ text }: LabelSelector): string => text || '*';

/** Characters of a name of which nothing is left out. */
const MAX_NAME = 400;

const shortened = (name: string): string => (name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}...${sha256(name).slice(0, 16)}`);

const pathOfAttachment = (attachment: JsonObject): string => `${ownText(attachment, 'namespace')}/${ownText(attachment, 'name')}`;
