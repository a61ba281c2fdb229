import { formatIpAddress, formatIpPrefix, parseCidr, parseIpOrCidr } from '../../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../object/json.ts';
import { EVERYTHING, type LabelSelector, labelSelectorOf } from '../../../object/label-selector.ts';

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

/** A policy in one direction, as the step `firewall` takes it. */
export interface ResolvedPolicy {
  readonly name: string;
  readonly direction: Direction;
  /** Addresses of pods of this node that are isolated. */
  readonly pods: readonly string[];
  readonly allow: readonly Allowance[];
}

interface Allowance {
  readonly peers: 'any' | readonly string[];
  readonly except: readonly string[];
  readonly ports: 'any' | readonly Port[];
}

interface Port {
  readonly protocol: string;
  readonly port?: number;
  readonly endPort?: number;
}

type Direction = 'ingress' | 'egress';

interface Pod {
  readonly labels: JsonObject;
  readonly addresses: readonly string[];
  /** Numbers of named ports, by protocol and name: `TCP/http`. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A pod of this node; without labels where the cluster does not tell of it (yet, or any more). */
interface LocalPod {
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly pod: Pod | undefined;
}

/** Name of what isolates pods that are not known; no policy of a namespace is called so. */
const UNKNOWN = 'unknown-pods';

/**
 * The policies that isolate pods of this node, by `namespace/name/direction`. Where a policy names ports that its pods number differently, it
 * is one for each way. A pod that the cluster does not tell of is isolated as far as there are policies in its namespace, and nobody
 * reaches it until it is known.
 */
export function resolvePolicies(world: PolicyWorld): ReadonlyMap<string, ResolvedPolicy> {
  return new PolicyResolver(world).resolve();
}

class PolicyResolver {
  readonly #policies: readonly JsonObject[];
  readonly #namespaces: ReadonlyMap<string, JsonObject>;
  readonly #pods: ReadonlyMap<string, readonly Pod[]>;
  readonly #local: readonly LocalPod[];
  /** Pods that selectors select, by what they say. */
  readonly #selected = new Map<string, readonly Pod[]>();
  readonly #resolved = new Map<string, ResolvedPolicy>();

  constructor({ policies, pods, namespaces, attachments }: PolicyWorld) {
    this.#policies = policies;
    this.#namespaces = new Map(namespaces.map((each) => [nameOf(each), labelsOf(each)]));
    const known = new Map<string, { readonly object: JsonObject; readonly addresses: Set<string> }>();
    for (const object of pods) known.set(pathOf(object), { object, addresses: new Set(addressesOfPod(object)) });
    const local: { readonly namespace: string; readonly addresses: readonly string[]; readonly path: string | undefined }[] = [];
    for (const attachment of attachments) {
      const namespace = ownText(attachment, 'namespace');
      if (namespace === '') continue;
      const path = `${namespace}/${ownText(attachment, 'name')}`;
      const addresses = texts(ownValue(attachment, 'addresses')).flatMap(plainAddress);
      const pod = known.get(path);
      const isKnown = pod !== undefined && isOf(pod.object, ownText(attachment, 'uid'));
      // Its status says the address only later; others of this node may reach it by then.
      if (isKnown) for (const address of addresses) pod.addresses.add(address);
      local.push({ namespace, addresses, path: isKnown ? path : undefined });
    }
    const byNamespace = new Map<string, Pod[]>();
    const byPath = new Map<string, Pod>();
    for (const [path, { object, addresses }] of known) {
      const pod: Pod = { labels: labelsOf(object), addresses: [...addresses], ports: namedPorts(object) };
      byPath.set(path, pod);
      const namespace = namespaceOf(object);
      const others = byNamespace.get(namespace);
      if (others === undefined) byNamespace.set(namespace, [pod]);
      else others.push(pod);
    }
    this.#pods = byNamespace;
    this.#local = local.map(({ namespace, addresses, path }) => ({
      namespace,
      addresses,
      pod: path === undefined ? undefined : byPath.get(path),
    }));
  }

  resolve(): ReadonlyMap<string, ResolvedPolicy> {
    const policed = { ingress: new Set<string>(), egress: new Set<string>() };
    for (const policy of this.#policies) {
      for (const direction of directionsOf(policy)) {
        policed[direction].add(namespaceOf(policy));
        this.#add(policy, direction);
      }
    }
    for (const direction of ['ingress', 'egress'] as const) {
      const concerned = this.#local.filter(({ namespace }) => policed[direction].has(namespace));
      // Last, and there before it is needed: a pod goes from this one to others, and is never without any in between.
      if (concerned.length > 0)
        this.#isolate(
          UNKNOWN,
          direction,
          concerned.filter(({ pod }) => pod === undefined),
          [],
        );
    }
    return this.#resolved;
  }

  #add(policy: JsonObject, direction: Direction): void {
    const namespace = namespaceOf(policy);
    const spec = objectOf(ownValue(policy, 'spec'));
    const selector = selectorOf(ownValue(spec, 'podSelector'));
    const selected = this.#local.filter(
      ({ namespace: its, pod }) => its === namespace && pod !== undefined && selector.matches(pod.labels),
    );
    if (selected.length === 0) return;
    const rules = list(ownValue(spec, direction));
    const name = `${namespace}/${nameOf(policy)}`;
    if (direction === 'egress') {
      const allow = rules.flatMap((rule) => this.#egress(rule, namespace));
      this.#put(name, direction, selected, allow);
      return;
    }
    const names = namesOfPorts(rules);
    for (const [way, pods] of byNumbers(selected, names)) {
      const [{ pod }] = pods as [LocalPod];
      const allow = rules.flatMap((rule) => this.#ingress(rule, namespace, pod!));
      this.#put(way === '' ? name : `${name}?${way}`, direction, pods, allow);
    }
  }

  #put(name: string, direction: Direction, pods: readonly LocalPod[], allow: readonly Allowance[]): void {
    if (pods.some(({ addresses }) => addresses.length > 0)) this.#isolate(name, direction, pods, allow);
  }

  #isolate(name: string, direction: Direction, pods: readonly LocalPod[], allow: readonly Allowance[]): void {
    const addresses = [...new Set(pods.flatMap((pod) => pod.addresses))].sort();
    this.#resolved.set(`${name}/${direction}`, { name, direction, pods: addresses, allow });
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
    const peers = list(ownValue(rule, 'to'));
    const pods = peers.length === 0 ? [...this.#pods.values()].flat() : peers.flatMap((peer) => this.#podsOf(peer, namespace));
    const addressesByPort = new Map<string, Set<string>>();
    for (const pod of pods) {
      for (const key of names) {
        const port = pod.ports.get(key);
        if (port === undefined) continue;
        const target = `${key.split('/')[0]}/${port}`;
        const addresses = addressesByPort.get(target) ?? new Set<string>();
        addressesByPort.set(target, addresses);
        for (const address of pod.addresses) addresses.add(address);
      }
    }
    const named = [...addressesByPort].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...allowed,
      ...named.map(([target, addresses]): Allowance => {
        const [protocol, port] = target.split('/') as [string, string];
        return { peers: [...addresses].sort(), except: [], ports: [{ protocol, port: Number(port) }] };
      }),
    ];
  }

  /** Whom a rule means: pods and networks together, and networks with exceptions each by itself. */
  #peers(rule: JsonObject, field: 'from' | 'to', namespace: string): readonly Omit<Allowance, 'ports'>[] {
    const peers = list(ownValue(rule, field));
    if (peers.length === 0) return [{ peers: 'any', except: [] }];
    const together = new Set<string>();
    const apart: Omit<Allowance, 'ports'>[] = [];
    for (const peer of peers) {
      const block = ownValue(peer, 'ipBlock');
      if (isJsonObject(block)) {
        const networks = [ownText(block, 'cidr')].flatMap(network);
        const except = texts(ownValue(block, 'except')).flatMap(network);
        if (except.length === 0) for (const each of networks) together.add(each);
        else if (networks.length > 0) apart.push({ peers: networks, except });
      } else for (const pod of this.#podsOf(peer, namespace)) for (const address of pod.addresses) together.add(address);
    }
    return together.size === 0 ? apart : [{ peers: [...together].sort(), except: [] }, ...apart];
  }

  #podsOf(peer: JsonObject, namespace: string): readonly Pod[] {
    const podSelector = ownValue(peer, 'podSelector');
    const namespaceSelector = ownValue(peer, 'namespaceSelector');
    if (podSelector === undefined && namespaceSelector === undefined) return [];
    const key = JSON.stringify([podSelector ?? null, namespaceSelector ?? namespace]);
    let pods = this.#selected.get(key);
    if (pods === undefined) {
      const selector = selectorOf(podSelector);
      pods = this.#namespacesOf(namespaceSelector, namespace).flatMap((name) =>
        (this.#pods.get(name) ?? []).filter(({ labels }) => selector.matches(labels)),
      );
      this.#selected.set(key, pods);
    }
    return pods;
  }

  #namespacesOf(selector: Json | undefined, own: string): readonly string[] {
    if (selector === undefined || selector === null) return [own];
    const { matches } = selectorOf(selector);
    return [...this.#namespaces].filter(([, labels]) => matches(labels)).map(([name]) => name);
  }
}

/** Kubernetes: "If this field is not specified, it will default based on the existence of ingress or egress rules". */
function directionsOf(policy: JsonObject): readonly Direction[] {
  const spec = objectOf(ownValue(policy, 'spec'));
  const types = texts(ownValue(spec, 'policyTypes'));
  if (types.length === 0) return list(ownValue(spec, 'egress')).length > 0 ? ['ingress', 'egress'] : ['ingress'];
  return (['ingress', 'egress'] as const).filter((direction) => types.some((type) => type.toLowerCase() === direction));
}

/** Ports of a rule whose numbers are known: undefined where it names some and none of them is. */
function portsOf(rule: JsonObject, numberOf: (key: string) => number | undefined): 'any' | readonly Port[] | undefined {
  const ports = list(ownValue(rule, 'ports'));
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
      list(ownValue(rule, 'ports')).flatMap((entry) => {
        const port = ownValue(entry, 'port');
        return typeof port === 'string' ? [`${protocolOf(entry)}/${port}`] : [];
      }),
    ),
  ),
];

/** Pods by the numbers that they give to these names: `TCP/http=8080`. */
function byNumbers(pods: readonly LocalPod[], names: readonly string[]): ReadonlyMap<string, readonly LocalPod[]> {
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
  const sidecars = list(ownValue(spec, 'initContainers')).filter((each) => ownText(each, 'restartPolicy') === 'Always');
  const ports = new Map<string, number>();
  for (const container of [...list(ownValue(spec, 'containers')), ...sidecars]) {
    for (const entry of list(ownValue(container, 'ports'))) {
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
  const all = [ownText(status, 'podIP'), ...list(ownValue(status, 'podIPs')).map((each) => ownText(each, 'ip'))];
  return all.flatMap(plainAddress);
}

/** Whether a pod is the one that was attached, and not another of its name. What the kubelet runs by itself has a uid in an annotation. */
function isOf(pod: JsonObject, uid: string): boolean {
  const metadata = objectOf(ownValue(pod, 'metadata'));
  const annotations = objectOf(ownValue(metadata, 'annotations'));
  return uid === '' || uid === ownText(metadata, 'uid') || uid === ownText(annotations, 'kubernetes.io/config.hash');
}

function selectorOf(value: Json | undefined): LabelSelector {
  if (value === undefined || value === null) return EVERYTHING;
  const read = labelSelectorOf(value);
  // The API server lets no such object in; should there be one, it selects nothing.
  return read.ok ? read.selector : { ...EVERYTHING, matches: () => false };
}

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
const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
const labelsOf = (object: JsonObject): JsonObject => objectOf(ownValue(objectOf(ownValue(object, 'metadata')), 'labels'));
const nameOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'name');
const namespaceOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'namespace');
const pathOf = (object: JsonObject): string => `${namespaceOf(object)}/${nameOf(object)}`;
