import type { NetworkRequest } from '../../../engine/rules/network/program.ts';
import type { CniResult, ResultIp } from '../../../engine/rules/network/protocol/result.ts';
import { runSteps, type Steps } from '../../../engine/step/effect.ts';
import { type LinkRow, link, links, routes } from '../../../engine/step/effects/show.ts';
import { isAddress, readAddress } from '../../../engine/step/network/address.ts';
import { leadsTo, settleRoute } from '../../../engine/step/network/route.ts';
import type { ResultInterface, ResultRoute } from '../../../engine/step/operation.ts';
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
    return await runSteps(differences(record, result, netns, ifName), session, signal);
  } finally {
    session.close();
  }
}

function* differences(record: PlanRecord, result: CniResult, netns: string, ifName: string): Steps<readonly string[]> {
  const found = yield* links(netns);
  const problems: string[] = [];
  for (const each of result.interfaces) {
    const { name, sandbox = '' } = each;
    if (sandbox === netns) {
      const row = found.find(({ ifname }) => ifname === name);
      problems.push(...differencesOfLink(each, row));
    } else if (sandbox === '' && isKnownTo(record, name)) problems.push(...differencesOfLink(each, yield* link(undefined, name)));
  }
  return [...problems, ...missingAddresses(result, found, netns, ifName), ...(yield* missingRoutes(netns, result.routes))];
}

/** A bridge is everybody's, and takes the least MAC address of its ports unless somebody set one: none to insist on. */
function differencesOfLink({ name, mac, sandbox = '' }: ResultInterface, row: LinkRow | undefined): readonly string[] {
  if (row === undefined) return [`interface ${name} is gone`];
  if (sandbox === '' && row.linkinfo?.info_kind === 'bridge') return [];
  return mac === undefined || mac.toLowerCase() === row.address ? [] : [`interface ${name} has the MAC address ${row.address}, not ${mac}`];
}

/** Whether a step has given the name as one of its outputs. */
const isKnownTo = ({ steps }: PlanRecord, name: string): boolean =>
  steps.some(({ outputs }) => Object.values(outputs ?? {}).includes(name));

function missingAddresses(result: CniResult, found: readonly LinkRow[], netns: string, ifName: string): readonly string[] {
  const interfaceOf = ({ interface: index }: ResultIp): string | undefined => {
    if (index === undefined) return ifName;
    const each = result.interfaces[index];
    return each?.sandbox === netns ? each.name : undefined;
  };
  return result.ips.flatMap((ip) => {
    const name = interfaceOf(ip);
    const row = found.find(({ ifname }) => ifname === name);
    if (row === undefined || row.addr_info.some((info) => isAddress(info, readAddress(ip.address)))) return [];
    return [`interface ${row.ifname} has not the address ${ip.address}`];
  });
}

function* missingRoutes(netns: string, wanted: readonly ResultRoute[]): Steps<readonly string[]> {
  const rows = { 4: yield* routes(netns, 4), 6: yield* routes(netns, 6) };
  return wanted.flatMap(({ dst, gw }) => {
    const route = settleRoute({ dst, ...(gw !== undefined && { gw }) });
    return rows[route.family].some((row) => leadsTo(row, route))
      ? []
      : [`the route to ${dst}${gw === undefined ? '' : ` by ${gw}`} is gone`];
  });
}
