import type { Library } from '../../../cel/function.ts';
import { pricedByTraversal } from '../../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../../cel/libraries/declare.ts';
import { DYN, listOf } from '../../../cel/types.ts';
import type { CelValue } from '../../../cel/values.ts';
import { celToJson, OMIT } from '../../../object/cel-to-json.ts';
import { parseCidr } from '../../../object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject, objectsOf, ownText, ownValue } from '../../../object/json.ts';

/** One attachment of a pod, as a rule tells of it. */
interface Attachment {
  readonly name: string;
  /** Whether it is that of the network of the cluster. */
  readonly isDefault: boolean;
  /** Name of its interface, for results that have none. */
  readonly ifName: string;
  /** Gateways that were asked for by `default-route`. */
  readonly defaultRoute: readonly Json[] | undefined;
  readonly deviceInfo: Json | undefined;
  readonly result: JsonObject;
}

/**
 * What the annotation `k8s.v1.cni.cncf.io/network-status` has of attachments, each `{name, default?, interface?, defaultRoute?, deviceInfo?,
 * result}`: an entry for each of their interfaces in the pod, addresses without prefix lengths, as those who read it are used to.
 * Kubernetes Network Custom Resource Definition De-facto Standard 1.3, 5; network-attachment-definition-client, pkg/utils/net-attach-def.go,
 * CreateNetworkStatuses.
 */
export function networkStatus(attachments: readonly JsonObject[]): readonly JsonObject[] {
  return attachments.map(readAttachment).flatMap(statusOf);
}

function readAttachment(attachment: JsonObject): Attachment {
  const result = ownValue(attachment, 'result');
  const defaultRoute = ownValue(attachment, 'defaultRoute');
  return {
    name: ownText(attachment, 'name'),
    isDefault: ownValue(attachment, 'default') === true,
    ifName: ownText(attachment, 'interface'),
    defaultRoute: Array.isArray(defaultRoute) ? defaultRoute : undefined,
    deviceInfo: ownValue(attachment, 'deviceInfo'),
    result: isJsonObject(result) ? result : {},
  };
}

function statusOf({ name, isDefault, ifName, defaultRoute, deviceInfo, result }: Attachment): readonly JsonObject[] {
  const interfaces = objectsOf(ownValue(result, 'interfaces'));
  const inPod = [...interfaces.keys()].filter((index) => ownText(interfaces[index], 'sandbox') !== '');
  const ips = objectsOf(ownValue(result, 'ips'));
  const gateways = objectsOf(ownValue(result, 'routes'))
    .filter((route) => parseCidr(ownText(route, 'dst'))?.bits === 0 && ownText(route, 'gw') !== '')
    .map((route) => ownText(route, 'gw'));
  const dns = ownValue(result, 'dns');
  const shared = {
    ...(gateways.length === 0 ? {} : { gateway: gateways }),
    ...(defaultRoute === undefined ? {} : { 'default-route': defaultRoute.length === 0 ? gateways : defaultRoute }),
    dns: isJsonObject(dns) ? dns : {},
    ...(deviceInfo === undefined ? {} : { 'device-info': deviceInfo }),
  };
  // Results of old versions, and of plugins that make no interface.
  if (inPod.length === 0) return [entry({ name, ...(ifName === '' ? {} : { interface: ifName }) }, ips.map(addressOf), isDefault, shared)];
  const chosen = inPod.find((index) => ips.some((ip) => ownText(ip, 'gateway') !== '' && ownValue(ip, 'interface') === index)) ?? inPod[0];
  return inPod.map((index) => {
    const mac = ownText(interfaces[index], 'mac');
    const mtu = ownValue(interfaces[index]!, 'mtu');
    const own = ips.filter((ip) => placeOf(ip, interfaces.length, inPod) === index);
    const fields = {
      name,
      interface: ownText(interfaces[index], 'name'),
      ...(mac === '' ? {} : { mac }),
      ...(typeof mtu === 'number' && mtu > 0 ? { mtu } : {}),
    };
    return entry(fields, own.map(addressOf), isDefault && index === chosen, shared);
  });
}

/** The interface that an address belongs to: what says nothing of it is the last one's, and of one interface is all its own. */
function placeOf(ip: JsonObject, interfaces: number, inPod: readonly number[]): Json | undefined {
  const index = ownValue(ip, 'interface');
  return interfaces === 1 || typeof index !== 'number' ? inPod.at(-1) : index;
}

const addressOf = (ip: JsonObject): string => ownText(ip, 'address').split('/')[0]!;

function entry(fields: JsonObject, ips: readonly string[], isDefault: boolean, shared: JsonObject): JsonObject {
  return { ...fields, ...(ips.length === 0 ? {} : { ips }), ...(isDefault ? { default: true } : {}), ...shared };
}

/** `net.networkStatus(attachments)` is what the annotation about the networks of a pod says of them. */
export const NETWORK_STATUS_LIBRARY: Library = {
  name: 'fairlead.net.status',
  functions: [
    declare(
      'net.networkStatus',
      globalOverload(
        'net_network_status_list',
        [listOf(DYN)],
        listOf(DYN),
        (attachments: CelValue) => {
          const json = celToJson(attachments);
          return networkStatus(objectsOf(json === OMIT ? undefined : json)) as unknown as CelValue;
        },
        pricedByTraversal(2),
      ),
    ),
  ],
};
