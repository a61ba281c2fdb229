import { formatIpAddress, formatIpPrefix, parseCidr, parseIpOrCidr } from '../../../object/ip-address.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject, objectsOf, ownText, ownValue, textsOf } from '../../../object/json.ts';
import { EVERYTHING, type LabelSelector, labelSelectorOf } from '../../../object/label-selector.ts';
import { sha256 } from '../../../text/digest.ts';

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

interface ResolvedDirection {
  readonly policies: { readonly [name: string]: readonly Allowance[] };
  /** Pods of this node that are isolated, those under the same policies together. */
  readonly pods: readonly { readonly addresses: readonly string[]; readonly policies: readonly string[] }[];
}

interface Allowance {
  /** Addresses and networks, and groups: `@` and the name of one. */
  readonly peers: 'any' | readonly string[];
  readonly except: readonly string[];
  readonly ports: 'any' | readonly Port[];
}

interface Port {
  readonly protocol: string;
  readonly port?: number;
  readonly endPort?: number;
}

const DIRECTIONS = ['ingress', 'egress'] as const;
type Direction = (typeof DIRECTIONS)[number];

/** What policies need to know of a pod. */
interface Pod {
  readonly namespace: string;
  readonly path: string;
  readonly labels: JsonObject;
  /** The same for pods with the same labels. */
  readonly labelText: string;
  readonly addresses: readonly string[];
  /** Numbers of named ports, by protocol and name: `TCP/http`. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A pod of this node; without `pod` where the cluster does not tell of it (yet, or any more). */
interface LocalPod {
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly pod: Pod | undefined;
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
      const [{ pod }] = pods as [LocalPod];
      const allow = rules.flatMap((rule) => this.#ingress(rule, namespace, pod!));
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

/** Policies that pods are under, in the order in which they came, and what one more makes of it. */
interface Under {
  readonly policies: readonly string[];
  readonly and: Map<string, Under>;
}

/** Gathers who is isolated in one direction, and by what. */
class DirectionResolver {
  readonly #local: readonly LocalPod[];
  readonly #byNamespace = new Map<string, LocalPod[]>();
  readonly #policies = new Map<string, readonly Allowance[]>();
  readonly #under = new Map<LocalPod, Under>();
  readonly #anything: Under = { policies: [], and: new Map() };
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

  put(name: string, pods: readonly LocalPod[], allow: readonly Allowance[]): void {
    this.#policies.set(name, allow);
    for (const pod of pods) {
      const { policies, and } = this.#under.get(pod) ?? this.#anything;
      this.#under.set(
        pod,
        entryOf(and, name, () => ({ policies: [...policies, name], and: new Map() })),
      );
    }
  }

  resolved(): ResolvedDirection {
    const addresses = new Map<Under, string[]>();
    const seen = new Set<string>();
    for (const local of this.#local) {
      const isUnknown = local.pod === undefined && this.#policed.has(local.namespace);
      const under = this.#under.get(local) ?? (isUnknown ? this.#anything : undefined);
      if (under === undefined) continue;
      const alike = entryOf(addresses, under, () => []);
      for (const address of local.addresses) {
        if (seen.has(address)) continue;
        seen.add(address);
        alike.push(address);
      }
    }
    return {
      policies: Object.fromEntries(this.#policies),
      pods: [...addresses].map(([{ policies }, those]) => ({ addresses: those, policies })),
    };
  }
}

/** Everybody: of a rule without peers. */
const EVERYWHERE: JsonObject = { namespaceSelector: {}, podSelector: {} };

const textOf = ({ text }: LabelSelector): string => text || '*';

/** Characters of a name of which nothing is left out. */
const MAX_NAME = 400;

const shortened = (name: string): string => (name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}...${sha256(name).slice(0, 16)}`);

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** What was read of pods: objects do not change, and most of a cluster's are the same from one time to the next. */
const podsRead = new WeakMap<JsonObject, Pod>();

function podOf(object: JsonObject): Pod {
  let pod = podsRead.get(object);
  if (pod === undefined) {
    const labels = labelsOf(object);
    pod = {
      namespace: namespaceOf(object),
      path: pathOf(object),
      labels,
      labelText: canonicalJson(labels),
      addresses: addressesOfPod(object),
      ports: namedPorts(object),
    };
    podsRead.set(object, pod);
  }
  return pod;
}

/** Kubernetes: "If this field is not specified, it will default based on the existence of ingress or egress rules". */
function directionsOf(policy: JsonObject): readonly Direction[] {
  const spec = objectOf(ownValue(policy, 'spec'));
  const types = textsOf(ownValue(spec, 'policyTypes'));
  if (types.length === 0) return objectsOf(ownValue(spec, 'egress')).length > 0 ? ['ingress', 'egress'] : ['ingress'];
  return DIRECTIONS.filter((direction) => types.some((type) => type.toLowerCase() === direction));
}

/** Ports of a rule whose numbers are known: undefined where it names some and none of them is. */
function portsOf(rule: JsonObject, numberOf: (key: string) => number | undefined): 'any' | readonly Port[] | undefined {
  const ports = objectsOf(ownValue(rule, 'ports'));
  if (ports.length === 0) return 'any';
  const known = ports.flatMap((entry): readonly Port[] => {
    const protocol = protocolOf(entry);
    const port = ownValue(entry, 'port') ?? null;
    const endPort = ownValue(entry, 'endPort');
    if (port === null) return [{ protocol }];
    if (typeof port === 'number') return [{ protocol, port, ...(typeof endPort === 'number' ? { endPort } : {}) }];
    const number = numberOf(`${protocol}/${String(port)}`);
    return number === undefined ? [] : [{ protocol, port: number }];
  });
  return known.length === 0 ? undefined : known;
}

/** Named ports of rules: `TCP/http`. */
const namesOfPorts = (rules: readonly JsonObject[]): readonly string[] => [
  ...new Set(
    rules.flatMap((rule) =>
      objectsOf(ownValue(rule, 'ports')).flatMap((entry) => {
        const port = ownValue(entry, 'port');
        return typeof port === 'string' ? [`${protocolOf(entry)}/${port}`] : [];
      }),
    ),
  ),
];

/** Pods by the numbers that they give to these names: `TCP/http=8080`. */
function byNumbers(pods: readonly LocalPod[], names: readonly string[]): ReadonlyMap<string, readonly LocalPod[]> {
  if (names.length === 0) return new Map([['', pods]]);
  const groups = new Map<string, LocalPod[]>();
  for (const each of pods) {
    const way = names.map((name) => `${name}=${each.pod?.ports.get(name) ?? ''}`).join(',');
    groups.set(way, [...(groups.get(way) ?? []), each]);
  }
  return groups;
}

/** Those of containers that run as long as the pod does. */
function namedPorts(pod: JsonObject): ReadonlyMap<string, number> {
  const spec = objectOf(ownValue(pod, 'spec'));
  const sidecars = objectsOf(ownValue(spec, 'initContainers')).filter((each) => ownText(each, 'restartPolicy') === 'Always');
  const ports = new Map<string, number>();
  for (const container of [...objectsOf(ownValue(spec, 'containers')), ...sidecars]) {
    for (const entry of objectsOf(ownValue(container, 'ports'))) {
      const name = ownText(entry, 'name');
      const port = ownValue(entry, 'containerPort');
      const key = `${protocolOf(entry)}/${name}`;
      if (name !== '' && typeof port === 'number' && !ports.has(key)) ports.set(key, port);
    }
  }
  return ports;
}

/** Of a pod with a network of its own that has not ended: what ended may have left its address to another. */
function addressesOfPod(pod: JsonObject): readonly string[] {
  const status = objectOf(ownValue(pod, 'status'));
  const phase = ownText(status, 'phase');
  if (ownValue(objectOf(ownValue(pod, 'spec')), 'hostNetwork') === true || phase === 'Succeeded' || phase === 'Failed') return [];
  const all = [ownText(status, 'podIP'), ...objectsOf(ownValue(status, 'podIPs')).map((each) => ownText(each, 'ip'))];
  return all.flatMap(plainAddress);
}

/** Whether a pod is the one that was attached, and not another of its name. What the kubelet runs by itself has a uid in an annotation. */
function isOf(pod: JsonObject, uid: string): boolean {
  const metadata = objectOf(ownValue(pod, 'metadata'));
  const annotations = objectOf(ownValue(metadata, 'annotations'));
  return uid === '' || uid === ownText(metadata, 'uid') || uid === ownText(annotations, 'kubernetes.io/config.hash');
}

/** Matches nothing; no selector is written so. */
const NOTHING: LabelSelector = { ...EVERYTHING, text: '!', matches: () => false };

function selectorOf(value: Json | undefined): LabelSelector {
  if (value === undefined || value === null) return EVERYTHING;
  if (!isJsonObject(value)) return NOTHING;
  let selector = selectorsRead.get(value);
  if (selector === undefined) {
    const read = labelSelectorOf(value);
    // The API server lets no such object in; should there be one, it selects nothing.
    selector = read.ok ? read.selector : NOTHING;
    selectorsRead.set(value, selector);
  }
  return selector;
}

/** Selectors that were read: policies change seldom. */
const selectorsRead = new WeakMap<JsonObject, LabelSelector>();

const plainAddress = (text: string): readonly string[] => {
  const prefix = parseIpOrCidr(text);
  return prefix === undefined ? [] : [formatIpAddress(prefix.address)];
};

const network = (text: string): readonly string[] => {
  const prefix = parseCidr(text);
  return prefix === undefined ? [] : [formatIpPrefix(prefix)];
};

const protocolOf = (entry: JsonObject): string => ownText(entry, 'protocol') || 'TCP';
const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const labelsOf = (object: JsonObject): JsonObject => objectOf(ownValue(objectOf(ownValue(object, 'metadata')), 'labels'));
const nameOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'name');
const namespaceOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'namespace');
const pathOfAttachment = (attachment: JsonObject): string => `${ownText(attachment, 'namespace')}/${ownText(attachment, 'name')}`;
const pathOf = (object: JsonObject): string => `${namespaceOf(object)}/${nameOf(object)}`;
