import { formatIpAddress, formatIpPrefix, parseCidr, parseIpOrCidr } from '../../../object/ip-address.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject, objectsOf, ownText, ownValue, textsOf } from '../../../object/json.ts';
import { EVERYTHING, type LabelSelector, labelSelectorOf } from '../../../object/label-selector.ts';

/* What is read of the objects that network policies are about. Kubernetes: api/networking/v1 types.go, api/core/v1 types.go. */

/** What policies need to know of a pod. */
export interface Pod {
  readonly namespace: string;
  readonly path: string;
  readonly labels: JsonObject;
  /** The same for pods with the same labels. */
  readonly labelText: string;
  readonly addresses: readonly string[];
  /** Numbers of named ports, by protocol and name: `TCP/http`. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Ports of a rule, as numbers. */
export interface Port {
  readonly protocol: string;
  readonly port?: number;
  readonly endPort?: number;
}

/** Of connections, as a pod sees them. */
export const DIRECTIONS = ['ingress', 'egress'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What was read of pods: objects do not change, and most of a cluster's are the same from one time to the next. */
const podsRead = new WeakMap<JsonObject, Pod>();

/** What a Pod of the cluster says. */
export function podOf(object: JsonObject): Pod {
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

/** Of a pod with a network of its own that has not ended: what ended may have left its address to another. */
function addressesOfPod(pod: JsonObject): readonly string[] {
  const status = objectOf(ownValue(pod, 'status'));
  const phase = ownText(status, 'phase');
  if (ownValue(objectOf(ownValue(pod, 'spec')), 'hostNetwork') === true || phase === 'Succeeded' || phase === 'Failed') return [];
  const all = [ownText(status, 'podIP'), ...objectsOf(ownValue(status, 'podIPs')).map((each) => ownText(each, 'ip'))];
  return all.flatMap(plainAddress);
}

/** Whether a pod is the one that was attached, and not another of its name. What the kubelet runs by itself has a uid in an annotation. */
export function isOf(pod: JsonObject, uid: string): boolean {
  const metadata = objectOf(ownValue(pod, 'metadata'));
  const annotations = objectOf(ownValue(metadata, 'annotations'));
  return uid === '' || uid === ownText(metadata, 'uid') || uid === ownText(annotations, 'kubernetes.io/config.hash');
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

/** Kubernetes: "If this field is not specified, it will default based on the existence of ingress or egress rules". */
export function directionsOf(policy: JsonObject): readonly Direction[] {
  const spec = objectOf(ownValue(policy, 'spec'));
  const types = textsOf(ownValue(spec, 'policyTypes'));
  if (types.length === 0) return objectsOf(ownValue(spec, 'egress')).length > 0 ? ['ingress', 'egress'] : ['ingress'];
  return DIRECTIONS.filter((direction) => types.some((type) => type.toLowerCase() === direction));
}

/** Ports of a rule whose numbers are known: undefined where it names some and none of them is. */
export function portsOf(rule: JsonObject, numberOf: (key: string) => number | undefined): 'any' | readonly Port[] | undefined {
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
export const namesOfPorts = (rules: readonly JsonObject[]): readonly string[] => [
  ...new Set(
    rules.flatMap((rule) =>
      objectsOf(ownValue(rule, 'ports')).flatMap((entry) => {
        const port = ownValue(entry, 'port');
        return typeof port === 'string' ? [`${protocolOf(entry)}/${port}`] : [];
      }),
    ),
  ),
];

/** Matches nothing; no selector is written so. */
const NOTHING: LabelSelector = { ...EVERYTHING, text: '!', matches: () => false };

/** Selectors that were read: policies change seldom. */
const selectorsRead = new WeakMap<JsonObject, LabelSelector>();

/** A LabelSelector of a policy; everything where there is none. */
export function selectorOf(value: Json | undefined): LabelSelector {
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

/** An address in canonical form, without a prefix length; nothing for what is none. */
export const plainAddress = (text: string): readonly string[] => {
  const prefix = parseIpOrCidr(text);
  return prefix === undefined ? [] : [formatIpAddress(prefix.address)];
};

/** A network in canonical form; nothing for what is none. */
export const network = (text: string): readonly string[] => {
  const prefix = parseCidr(text);
  return prefix === undefined ? [] : [formatIpPrefix(prefix)];
};

const protocolOf = (entry: JsonObject): string => ownText(entry, 'protocol') || 'TCP';

/** An empty object for what is none. */
export const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
export const labelsOf = (object: JsonObject): JsonObject => objectOf(ownValue(objectOf(ownValue(object, 'metadata')), 'labels'));
export const nameOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'name');
export const namespaceOf = (object: JsonObject): string => ownText(ownValue(object, 'metadata'), 'namespace');
/** `namespace/name` */
export const pathOf = (object: JsonObject): string => `${namespaceOf(object)}/${nameOf(object)}`;
