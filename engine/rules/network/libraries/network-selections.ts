import { parseIp, parseIpOrCidr } from '../../../object/ip-address.ts';
import { exceedsDepth, isJsonObject, type Json, type JsonObject, objectsOf, ownText, ownValue, textsOf } from '../../../object/json.ts';
import { suggest } from '../../../text/suggest.ts';

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
  /**
   * There where default routes lead to this network, in place of the cluster's: by these gateways, and where there are none by those that its
   * plugins know of.
   */
  readonly defaultRoute?: readonly string[];
  readonly portMappings: readonly JsonObject[];
  readonly bandwidth?: JsonObject;
  readonly infinibandGUID: string;
  readonly cniArgs?: JsonObject;
  /** Device that the attachment is to use, where no device plugin gave the pod one. */
  readonly deviceID: string;
}

/** More networks are a mistake. */
const MAX_SELECTIONS = 32;
const MAX_LENGTH = 256 * 1024;
/** Nobody nests deeper by hand. */
const MAX_DEPTH = 64;
/** More addresses of one interface are a mistake. */
const MAX_ADDRESSES = 64;

/** Kubernetes: names of objects, of at most 253 characters. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
/** IFNAMSIZ without the NUL that ends it. */
const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}$/;
/** Of Ethernet, and of IP over InfiniBand (RFC 4391, 9.1.1). */
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}((:[0-9a-f]{2}){14})?$/i;
const GUID = /^[0-9a-f]{2}(:[0-9a-f]{2}){7}$/i;
/** An address on a bus, or a name: what device plugins call their devices. */
const DEVICE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;

/**
 * Reads the annotation `k8s.v1.cni.cncf.io/networks` in both of its forms: `namespace/name@interface, ...`, or a list in JSON. `namespace` is
 * the pod's, for networks that name none. Kubernetes Network Custom Resource Definition De-facto Standard 1.3, 4.1.
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

const EMPTY = { interface: '', ips: [], mac: '', portMappings: [], infinibandGUID: '', deviceID: '' } as const;

function fromJson(text: string, namespace: string): readonly (NetworkSelection | string)[] | { readonly message: string } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { message: 'the list of networks begins as JSON, and is none' };
  }
  if (!Array.isArray(value)) return { message: 'the list of networks is no list' };
  if (exceedsDepth(value, MAX_DEPTH)) return { message: `the list of networks is nested deeper than ${MAX_DEPTH} levels` };
  return value.map((each: Json) => (isJsonObject(each) ? selection(each, namespace) : 'expected a map with a name'));
}

function selection(entry: JsonObject, namespace: string): NetworkSelection | string {
  const name = ownText(entry, 'name');
  const given = (field: string): Json | undefined => ownValue(entry, field) ?? undefined;
  // What is passed over in silence is missed when it is too late. A key with a domain is for somebody else.
  const unknown = Object.keys(entry).find((key) => !KEYS.includes(key) && !key.includes('/'));
  if (unknown !== undefined) return `${unknown.slice(0, 64)} of ${JSON.stringify(name)} is not supported${hintFor(unknown)}`;
  for (const field of LISTS) {
    const value = given(field) ?? [];
    if (!Array.isArray(value)) return `${field} of ${JSON.stringify(name)} is no list`;
  }
  for (const field of MAPS) {
    const value = given(field) ?? {};
    if (!isJsonObject(value)) return `${field} of ${JSON.stringify(name)} is no map`;
  }
  const [bandwidth, cniArgs, defaultRoute] = [given('bandwidth'), given('cni-args'), given('default-route')];
  return {
    namespace: ownText(entry, 'namespace') || namespace,
    name,
    interface: ownText(entry, 'interface'),
    ips: textsOf(given('ips')),
    mac: ownText(entry, 'mac'),
    ...(defaultRoute === undefined ? {} : { defaultRoute: textsOf(defaultRoute) }),
    portMappings: objectsOf(given('portMappings')),
    ...(isJsonObject(bandwidth) ? { bandwidth } : {}),
    infinibandGUID: ownText(entry, 'infiniband-guid'),
    ...(isJsonObject(cniArgs) ? { cniArgs } : {}),
    deviceID: ownText(entry, 'deviceID'),
  };
}

const KEYS: readonly string[] = [
  'name',
  'namespace',
  'interface',
  'ips',
  'mac',
  'default-route',
  'portMappings',
  'bandwidth',
  'infiniband-guid',
  'cni-args',
  'deviceID',
];

function hintFor(key: string): string {
  if (key === 'ipam-claim-reference') return ': nothing here keeps addresses for an IPAMClaim; ask for them by ips';
  const near = suggest(key, KEYS);
  return near === undefined ? '' : `: did you mean ${near}?`;
}

const LISTS = ['ips', 'default-route', 'portMappings'];
const MAPS = ['bandwidth', 'cni-args'];

/** What is wrong with a selection; the first thing. */
function objection(selected: NetworkSelection): string | undefined {
  const { namespace, name, interface: ifName, ips, mac, defaultRoute = [], infinibandGUID, deviceID } = selected;
  const refuse = (text: string, what: string): string => `${JSON.stringify(text)} is not ${what}`;
  if (!NAME.test(name)) return refuse(name, 'the name of a network');
  if (!NAME.test(namespace)) return refuse(namespace, 'a namespace');
  if (ifName !== '' && !INTERFACE.test(ifName)) return refuse(ifName, 'the name of an interface');
  if (ips.length > MAX_ADDRESSES || defaultRoute.length > MAX_ADDRESSES) return `${name} asks for more than ${MAX_ADDRESSES} addresses`;
  const noAddress = ips.find((address) => parseIpOrCidr(address) === undefined);
  if (noAddress !== undefined) return refuse(noAddress, 'an IP address');
  const noGateway = defaultRoute.find((address) => parseIp(address) === undefined);
  if (noGateway !== undefined) return refuse(noGateway, 'the IP address of a gateway');
  if (mac !== '' && !MAC.test(mac)) return refuse(mac, 'a MAC address');
  if (infinibandGUID !== '' && !GUID.test(infinibandGUID)) return refuse(infinibandGUID, 'an InfiniBand GUID');
  if (deviceID !== '' && !DEVICE.test(deviceID)) return refuse(deviceID, 'the id of a device');
  return undefined;
}
