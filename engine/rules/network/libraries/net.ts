import type { Library } from '../../../cel/function.ts';
import { pricedByName, pricedByTraversal, traversalCost, traversalEstimate } from '../../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../../cel/libraries/declare.ts';
import { BOOL, DYN, INT, listOf, mapOf, STRING } from '../../../cel/types.ts';
import { CelError, type CelValue } from '../../../cel/values.ts';
import { celToJson, OMIT } from '../../../object/cel-to-json.ts';
import {
  addToAddress,
  familyOf,
  formatIpAddress,
  formatIpPrefix,
  hostPrefix,
  type IpAddress,
  type IpPrefix,
  lastAddress,
  maskPrefix,
  networkAddress,
  parseCidr,
  parseIp,
  parseIpOrCidr,
  prefixContains,
} from '../../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../object/json.ts';
import { labelSelectorOf } from '../../../object/label-selector.ts';
import { generatedMac, MAX_LINK_NAME } from '../../../step/network/link-name.ts';
import { sha256 } from '../../../text/digest.ts';
import { resolvePolicies } from './network-policies.ts';
import { parseNetworkSelections } from './network-selections.ts';

function network(text: string): IpPrefix {
  const prefix = parseCidr(text);
  if (prefix === undefined) throw new CelError(`${JSON.stringify(text)} is no network, as 10.1.0.0/16`);
  return prefix;
}

function either(text: string): IpPrefix {
  const prefix = parseIpOrCidr(text);
  if (prefix === undefined) throw new CelError(`${JSON.stringify(text)} is no IP address`);
  return prefix;
}

function host(subnet: string, position: number | bigint): string {
  const prefix = network(subnet);
  const count = BigInt(position);
  const from = count < 0n ? addToAddress(lastAddress(prefix), count + 1n) : addToAddress(networkAddress(prefix), count);
  if (from === undefined || !prefixContains(prefix, from)) throw new CelError(`the network ${subnet} has no address ${String(position)}`);
  return formatIpAddress(from);
}

function next(text: string): string {
  const address = parseIp(text);
  const following = address && addToAddress(address, 1n);
  if (following === undefined) throw new CelError(`there is no address after ${JSON.stringify(text)}`);
  return formatIpAddress(following);
}

const addressOf = (text: string): IpAddress => either(text).address;

function interfaceName(prefix: string, text: string): string {
  if (!/^[A-Za-z0-9_.-]{1,11}$/.test(prefix)) throw new CelError('net.interfaceName takes a prefix of 1 to 11 letters and digits');
  return prefix + sha256(text).slice(0, MAX_LINK_NAME - prefix.length);
}

function selects(selector: CelValue, labels: CelValue): boolean {
  const json = celToJson(selector);
  const read = labelSelectorOf(json === OMIT || json === null ? {} : json);
  if (!read.ok) throw new CelError(read.message);
  const found = celToJson(labels);
  return read.selector.matches(found === OMIT ? undefined : (found as { readonly [key: string]: Json }));
}

function policies([policyList, pods, namespaces, attachments]: readonly CelValue[]): CelValue {
  const [first, second, third, fourth] = [policyList, pods, namespaces, attachments].map(objects) as [Objects, Objects, Objects, Objects];
  return resolvePolicies({ policies: first, pods: second, namespaces: third, attachments: fourth }) as unknown as CelValue;
}

type Objects = readonly JsonObject[];

function objects(list: CelValue | undefined): Objects {
  if (!Array.isArray(list)) throw new CelError('net.policies takes lists of objects');
  // Lists of a cluster are long, and the room for values is for what is written out.
  return list.map(objectOf).filter((each) => each !== undefined);
}

/** Objects of the cluster that were found to be JSON: they do not change. */
const plainObjects = new WeakSet<object>();

function objectOf(value: CelValue): JsonObject | undefined {
  if (typeof value === 'object' && value !== null && plainObjects.has(value)) return value as JsonObject;
  const json = celToJson(value);
  if (json === OMIT || !isJsonObject(json)) return undefined;
  if (json === value) plainObjects.add(json);
  return json;
}

function selections(text: string, namespace: string): CelValue {
  const read = parseNetworkSelections(text, namespace);
  if ('message' in read) throw new CelError(read.message);
  return read.selections as unknown as CelValue;
}

const text1 = (id: string, call: (text: string) => CelValue, result = STRING) =>
  globalOverload(id, [STRING], result, call, pricedByTraversal(1));

/**
 * What rules about networks need and `ip()` and `cidr()` of Kubernetes have not. Addresses and networks are text, as configurations have them.
 *
 * `net.host('10.1.0.0/16', 1)` is `10.1.0.1`, `-1` the last address of the network; `net.network('10.1.2.3/16')` is `10.1.0.0/16`;
 * `net.broadcast('10.1.0.0/16')` is `10.1.255.255`; `net.address('10.1.2.3/16')` is `10.1.2.3`; `net.prefixLength('10.1.2.3/16')` is 16;
 * `net.single('10.1.2.3')` is `10.1.2.3/32`; `net.next('10.1.0.1')` is `10.1.0.2`; `net.family('fd00::1')` is 6;
 * `net.interfaceName('veth', text)` is a name of 15 characters, and `net.mac(text)` an address, that the same text always gives;
 * `net.selects(selector, labels)` says whether a LabelSelector selects labels;
 * `net.policies(policies, pods, namespaces, attachments)` are the NetworkPolicies that isolate pods of this node, as the step `firewall` takes them;
 * `net.networks(annotation, namespace)` are the networks that a pod asks for by its annotation.
 */
export const NET_LIBRARY: Library = {
  name: 'fairlead.net',
  functions: [
    declare('net.host', globalOverload('net_host_string_int', [STRING, INT], STRING, host, pricedByTraversal(1))),
    declare('net.next', text1('net_next_string', next)),
    declare(
      'net.network',
      text1('net_network_string', (text: string) => formatIpPrefix(maskPrefix(network(text)))),
    ),
    declare(
      'net.broadcast',
      text1('net_broadcast_string', (text: string) => formatIpAddress(lastAddress(network(text)))),
    ),
    declare(
      'net.address',
      text1('net_address_string', (text: string) => formatIpAddress(addressOf(text))),
    ),
    declare(
      'net.single',
      text1('net_single_string', (text: string) => formatIpPrefix(hostPrefix(addressOf(text)))),
    ),
    declare(
      'net.prefixLength',
      text1('net_prefix_length_string', (text: string) => network(text).bits, INT),
    ),
    declare(
      'net.family',
      text1('net_family_string', (text: string) => familyOf(addressOf(text)), INT),
    ),
    declare(
      'net.interfaceName',
      globalOverload(
        'net_interface_name',
        [STRING, STRING],
        STRING,
        interfaceName,
        pricedByName(([, text]) => 1 + traversalCost(text as CelValue), traversalEstimate(4)),
      ),
    ),
    declare('net.mac', text1('net_mac_string', generatedMac)),
    declare(
      'net.selects',
      globalOverload(
        'net_selects_dyn_dyn',
        [DYN, DYN],
        BOOL,
        selects,
        pricedByName(
          ([selector, labels]) => 1 + traversalCost(selector as CelValue) + traversalCost(labels as CelValue),
          traversalEstimate(2),
        ),
      ),
    ),
    declare(
      'net.policies',
      globalOverload(
        'net_policies_list_list_list_list',
        [listOf(DYN), listOf(DYN), listOf(DYN), listOf(DYN)],
        mapOf(STRING, DYN),
        (...args: readonly CelValue[]) => policies(args),
        // Each object is looked at a few times, however large it is.
        pricedByName(
          (args) => args.reduce<number>((cost, each) => cost + 1 + (Array.isArray(each) ? each.length : 0), 1),
          traversalEstimate(10),
        ),
      ),
    ),
    declare('net.networks', globalOverload('net_networks_string_string', [STRING, STRING], listOf(DYN), selections, pricedByTraversal(2))),
  ],
};
