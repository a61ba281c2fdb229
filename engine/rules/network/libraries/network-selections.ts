import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../object/json.ts';

/** A network that a pod asks for. Fields beside the first are there where the annotation has them. */
export interface NetworkSelection {
  /** Of the NetworkAttachmentDefinition. */
  readonly namespace: string;
  readonly name: string;
  /** Name that the pod wants its interface to have; `` leaves it to the order. */
  readonly interface: string;
  /** Addresses that are asked for. */
  readonly ips: readonly string[];
  readonly mac: string;
  /** Gateways of default routes by this network, in place of the cluster network's. */
  readonly defaultRoute: readonly string[];
  readonly portMappings: readonly JsonObject[];
  readonly bandwidth?: JsonObject;
  readonly infinibandGUID: string;
  readonly cniArgs?: JsonObject;
}

/** More networks are a mistake. */
const MAX_SELECTIONS = 32;
const MAX_LENGTH = 256 * 1024;

/** Kubernetes: names of objects, of at most 253 characters. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
/** IFNAMSIZ without the NUL that ends it. */
const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}$/;

/**
 * Reads the annotation `k8s.v1.cni.cncf.io/networks` in both of its forms: `namespace/name@interface, ...`, or a list in JSON. `namespace` is
 * the pod's, for networks that name none. Kubernetes Network Custom Resource Definition De-facto Standard, 4.1.
 */
export function parseNetworkSelections(
  text: string,
  namespace: string,
): { readonly selections: readonly NetworkSelection[] } | { readonly message: string } {
  if (text.length > MAX_LENGTH) return { message: `the list of networks has more than ${MAX_LENGTH} characters` };
  const trimmed = text.trim();
  if (trimmed === '') return { selections: [] };
  const read = /^[[{"]/.test(trimmed) ? fromJson(trimmed, namespace) : trimmed.split(',').map((each) => fromText(each.trim(), namespace));
  if (!Array.isArray(read)) return read as { readonly message: string };
  if (read.length > MAX_SELECTIONS) return { message: `more than ${MAX_SELECTIONS} networks are asked for` };
  const selections: NetworkSelection[] = [];
  for (const each of read as readonly (NetworkSelection | string)[]) {
    const problem = typeof each === 'string' ? each : objection(each);
    if (problem !== undefined) return { message: `the list of networks: ${problem}` };
    selections.push(each as NetworkSelection);
  }
  return { selections };
}

function fromText(text: string, namespace: string): NetworkSelection | string {
  const parts = /^(?:([^/@]*)\/)?([^/@]*)(?:@([^/@]*))?$/.exec(text);
  if (parts === null) return `${JSON.stringify(text)} is not of the form namespace/name@interface`;
  const [, own, name, ifName] = parts;
  if (own === '' || ifName === '') return `${JSON.stringify(text)} is not of the form namespace/name@interface`;
  return { ...EMPTY, namespace: own ?? namespace, name: name!, interface: ifName ?? '' };
}

const EMPTY = { interface: '', ips: [], mac: '', defaultRoute: [], portMappings: [], infinibandGUID: '' } as const;

function fromJson(text: string, namespace: string): readonly (NetworkSelection | string)[] | { readonly message: string } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { message: 'the list of networks begins as JSON, and is none' };
  }
  if (!Array.isArray(value)) return { message: 'the list of networks is no list' };
  return value.map((each: Json) => (isJsonObject(each) ? selection(each, namespace) : 'expected a map with a name'));
}

function selection(entry: JsonObject, namespace: string): NetworkSelection | string {
  const bandwidth = ownValue(entry, 'bandwidth');
  const cniArgs = ownValue(entry, 'cni-args');
  for (const field of ['ips', 'default-route', 'portMappings']) {
    const value = ownValue(entry, field) ?? [];
    if (!Array.isArray(value)) return `${field} of ${JSON.stringify(ownText(entry, 'name'))} is no list`;
  }
  const portMappings = (ownValue(entry, 'portMappings') ?? []) as readonly Json[];
  return {
    namespace: ownText(entry, 'namespace') || namespace,
    name: ownText(entry, 'name'),
    interface: ownText(entry, 'interface'),
    ips: texts(ownValue(entry, 'ips')),
    mac: ownText(entry, 'mac'),
    defaultRoute: texts(ownValue(entry, 'default-route')),
    portMappings: portMappings.filter(isJsonObject),
    ...(isJsonObject(bandwidth) ? { bandwidth } : {}),
    infinibandGUID: ownText(entry, 'infiniband-guid'),
    ...(isJsonObject(cniArgs) ? { cniArgs } : {}),
  };
}

function objection({ namespace, name, interface: ifName }: NetworkSelection): string | undefined {
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not the name of a network`;
  if (!NAME.test(namespace)) return `${JSON.stringify(namespace)} is not a namespace`;
  if (ifName !== '' && !INTERFACE.test(ifName)) return `${JSON.stringify(ifName)} is not the name of an interface`;
  return undefined;
}

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
