import { familyOf, formatIpAddress, parseCidr, parseIp } from '../../../engine/object/ip-address.ts';
import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../../../engine/object/json.ts';
import type { NetworkRequest } from '../../../engine/rules/network/program.ts';
import type { CniResult, ResultIp } from '../../../engine/rules/network/protocol/result.ts';
import type { EffectHandler, Netns } from '../../../engine/step/effect.ts';
import type { ResultRoute } from '../../../engine/step/operation.ts';
import type { HostHandler, PlanRecord } from '../../linux/performer.ts';

/**
 * What the result of ADD says and the kernel does not: interfaces, their MAC addresses, IP addresses and routes. A route may be in any table, as
 * plugins later in the chain move routes; interfaces of the host are looked for where the attachment's record knows of them, as the others were
 * made by other plugins. CNI: SPEC.md, "CHECK: Check container's networking is as expected".
 */
export async function differencesFromResult(
  host: HostHandler,
  record: PlanRecord,
  result: CniResult,
  { netns, ifName }: NetworkRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const session = await host.session(netns);
  try {
    if (session.netnsGone) return [`the network namespace ${netns} is gone`];
    const show = (where: Netns, words: readonly string[]): Promise<readonly JsonObject[]> => shown(session, where, words, signal);
    const links = await show(netns, ['address', 'show']);
    const problems: string[] = [];
    for (const { name, mac, sandbox } of result.interfaces) {
      if (sandbox === netns)
        problems.push(
          ...differencesOfLink(
            name,
            mac,
            links.find((link) => ownText(link, 'ifname') === name),
          ),
        );
      else if ((sandbox === undefined || sandbox === '') && isKnownTo(record, name)) {
        const [link] = await show(undefined, ['link', 'show', 'dev', name]);
        problems.push(...differencesOfLink(name, isBridge(link) ? undefined : mac, link));
      }
    }
    problems.push(...missingAddresses(result, links, netns, ifName));
    problems.push(
      ...missingRoutes(
        result.routes,
        // `root` makes it the routes of its family, without a child of iproute2 of its own.
        await show(netns, ['route', 'show', 'table', 'all', 'root', '0.0.0.0/0']),
        await show(netns, ['route', 'show', 'table', 'all', 'root', '::/0']),
      ),
    );
    return problems;
  } finally {
    session.close();
  }
}

async function shown(handler: EffectHandler, netns: Netns, words: readonly string[], signal: AbortSignal): Promise<readonly JsonObject[]> {
  const rows = await handler.perform({ kind: 'show', program: 'ip', netns, words }, signal);
  return Array.isArray(rows) ? rows.filter((row: unknown): row is JsonObject => isJsonObject(row)) : [];
}

function differencesOfLink(name: string, mac: string | undefined, link: JsonObject | undefined): readonly string[] {
  if (link === undefined) return [`interface ${name} is gone`];
  const found = ownText(link, 'address');
  return mac === undefined || mac.toLowerCase() === found.toLowerCase()
    ? []
    : [`interface ${name} has the MAC address ${found}, not ${mac}`];
}

/** A bridge is everybody's, and takes the least MAC address of its ports unless somebody set one: none to insist on. */
const isBridge = (link: JsonObject | undefined): boolean => ownText(link && ownValue(link, 'linkinfo'), 'info_kind') === 'bridge';

/** Whether a step has given the name as one of its outputs. */
const isKnownTo = ({ steps }: PlanRecord, name: string): boolean =>
  steps.some(({ outputs }) => Object.values(outputs ?? {}).includes(name));

function missingAddresses(result: CniResult, links: readonly JsonObject[], netns: string, ifName: string): readonly string[] {
  const interfaceOf = ({ interface: index }: ResultIp): string | undefined => {
    if (index === undefined) return ifName;
    const found = result.interfaces[index];
    return found?.sandbox === netns ? found.name : undefined;
  };
  return result.ips.flatMap((ip) => {
    const name = interfaceOf(ip);
    if (name === undefined) return [];
    const link = links.find((each) => ownText(each, 'ifname') === name);
    return link === undefined || addressesOf(link).includes(ip.address) ? [] : [`interface ${name} has not the address ${ip.address}`];
  });
}

function addressesOf(link: JsonObject): readonly string[] {
  const infos = ownValue(link, 'addr_info');
  if (!Array.isArray(infos)) return [];
  return infos.map((info: Json) => `${canonical(ownText(info, 'local'))}/${String(isJsonObject(info) ? ownValue(info, 'prefixlen') : '')}`);
}

function missingRoutes(routes: readonly ResultRoute[], v4: readonly JsonObject[], v6: readonly JsonObject[]): readonly string[] {
  return routes.flatMap(({ dst, gw }) => {
    const prefix = parseCidr(dst);
    if (prefix === undefined) return [];
    const isV4 = familyOf(prefix.address) === 4;
    const wanted = prefix.bits === 0 ? 'default' : dst;
    const host = prefix.bits === (isV4 ? 32 : 128) ? formatIpAddress(prefix.address) : wanted;
    const has = (isV4 ? v4 : v6).some((route) => {
      const to = ownText(route, 'dst');
      const gateway = ownText(route, 'gateway');
      return (to === wanted || to === host) && (gw === undefined || canonical(gateway) === gw);
    });
    return has ? [] : [`the route to ${dst}${gw === undefined ? '' : ` by ${gw}`} is gone`];
  });
}

function canonical(text: string): string {
  const address = parseIp(text);
  return address === undefined ? text : formatIpAddress(address);
}
