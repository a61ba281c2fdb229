import type { JsonObject } from '../../object/json.ts';
import type { ResultInterface, ResultParts, ResultRoute } from '../../step/operation.ts';
import type { AddressOutputs } from './program.ts';
import type { CniDns, CniResult, ResultIp } from './protocol/result.ts';

export interface ResultContext {
  /** Of the steps, in their order. */
  readonly parts: readonly ResultParts[];
  readonly addresses: AddressOutputs | undefined;
  readonly prevResult: CniResult | undefined;
  readonly ifName: string;
  readonly netns: string;
  /** `dns` of the network configuration. */
  readonly dns: CniDns;
}

/**
 * The result as it follows from the steps: what the plugins before gave, and what each step adds, with the addresses at the container's
 * interface. Official plugins: plugins/main/bridge/bridge.go cmdAdd.
 */
export function resultOfSteps(context: ResultContext): CniResult {
  const { prevResult, addresses } = context;
  const interfaces: ResultInterface[] = [...(prevResult?.interfaces ?? [])];
  const ips: ResultIp[] = [...(prevResult?.ips ?? [])];
  const routes: ResultRoute[] = [...(prevResult?.routes ?? [])];
  for (const parts of context.parts) {
    const places = (parts.interfaces ?? []).map((each) => addInterface(interfaces, each));
    for (const { interface: index, ...ip } of parts.ips ?? []) {
      const place = index === undefined ? undefined : places[index];
      addIp(ips, { ...ip, ...(place === undefined ? {} : { interface: place }) });
    }
    for (const route of parts.routes ?? []) addRoute(routes, route);
  }
  const own = containerInterface(interfaces, context);
  for (const { address, gateway } of addresses?.ips ?? []) {
    // A step may have put it on the interface by itself, without its network.
    const placed = ips.find((ip) => withoutPrefix(ip.address) === withoutPrefix(address))?.address ?? address;
    addIp(ips, { address: placed, ...(gateway === undefined ? {} : { gateway }), ...(own < 0 ? {} : { interface: own }) });
  }
  const given = (addresses?.routes ?? []) as unknown as readonly ResultRoute[];
  for (const route of given) addRoute(routes, route);
  return { interfaces, ips, routes, dns: firstDns(context.dns, addresses?.dns as CniDns | undefined, prevResult?.dns) };
}

/** Answers where it stands. What a later step says of an interface that is known, such as another MAC address, is true from then on. */
function addInterface(interfaces: ResultInterface[], each: ResultInterface): number {
  const at = interfaces.findIndex(({ name, sandbox }) => name === each.name && sandbox === each.sandbox);
  if (at < 0) return interfaces.push(each) - 1;
  interfaces[at] = { ...interfaces[at]!, ...each };
  return at;
}

/** What is known of one address from several sides is put together. */
function addIp(ips: ResultIp[], ip: ResultIp): void {
  const at = ips.findIndex(({ address }) => address === ip.address);
  if (at < 0) ips.push(ip);
  else ips[at] = { ...ip, ...ips[at]! };
}

const withoutPrefix = (address: string): string => address.split('/')[0]!;

function addRoute(routes: ResultRoute[], route: ResultRoute): void {
  const same = ({ dst, gw, table }: ResultRoute): boolean => dst === route.dst && gw === route.gw && table === route.table;
  if (!routes.some(same)) routes.push(route);
}

/** The interface that the runtime asked for; of several, the one that was added last. -1: there is none. */
function containerInterface(interfaces: readonly ResultInterface[], { ifName, netns }: ResultContext): number {
  return interfaces.findLastIndex(({ name, sandbox }) => name === ifName && sandbox === netns);
}

function firstDns(...candidates: readonly (CniDns | undefined)[]): CniDns {
  return candidates.find((dns) => dns !== undefined && Object.keys(dns).length > 0) ?? {};
}

/** `dns` of a network configuration, or what the runtime says in words of its own. CNI: CONVENTIONS.md, capability `dns`. */
export function configuredDns(config: JsonObject, runtimeConfig: JsonObject): CniDns {
  const texts = (value: unknown): readonly string[] | undefined =>
    Array.isArray(value) && value.length > 0 ? value.filter((item): item is string => typeof item === 'string') : undefined;
  const read = (source: unknown, names: { readonly nameservers: string; readonly search: string }): CniDns => {
    if (typeof source !== 'object' || source === null || Array.isArray(source)) return {};
    const dns = source as Readonly<Record<string, unknown>>;
    const [nameservers, search, options] = [texts(dns[names.nameservers]), texts(dns[names.search]), texts(dns['options'])];
    return {
      ...(nameservers && { nameservers }),
      ...(typeof dns['domain'] === 'string' && dns['domain'] !== '' && { domain: dns['domain'] }),
      ...(search && { search }),
      ...(options && { options }),
    };
  };
  const runtime = read(runtimeConfig['dns'], { nameservers: 'servers', search: 'searches' });
  return Object.keys(runtime).length > 0 ? runtime : read(config['dns'], { nameservers: 'nameservers', search: 'search' });
}
