import { familyOf, type IpFamily, parseCidr, parseIp } from '../../object/ip-address.ts';
import { isJsonObject, type Json, ownText, ownValue } from '../../object/json.ts';
import type { Netns, Steps } from '../effect.ts';
import { ip, tolerating } from '../effects/iproute.ts';
import { type RouteRow, routes } from '../effects/show.ts';
import type { ArgumentProblem } from '../operation.ts';
import { routeCommand, type SettledRoute } from './route.ts';

/** Where everything leads that has no route of its own. */
const EVERYWHERE: Readonly<Record<IpFamily, string>> = { 4: '0.0.0.0/0', 6: '::/0' };
const FAMILIES = [4, 6] as const;

/** Gateways behind the first of their family are taken when it is gone: from that which Linux gives IPv6 routes by itself on. */
const LATER_METRIC = 1024;

/** What is wrong with gateways of default routes. */
export function gatewayProblems(gateways: readonly string[], path: string): readonly ArgumentProblem[] {
  return gateways.flatMap((gateway, index) =>
    parseIp(gateway) === undefined ? [{ path: [path, index], message: `${JSON.stringify(gateway)} is not an IP address` }] : [],
  );
}

/**
 * Makes the default routes by an interface those to these gateways, in their order of preference; none: it has no default route. Those by other
 * interfaces are left alone. A default route in a table of its own is policy routing, and stays.
 */
export function* replaceDefaultRoutes(netns: Netns, dev: string, gateways: readonly string[]): Steps<void> {
  const present = yield* defaultRoutesBy(netns, dev);
  yield* ip(
    netns,
    ...present.map((route) => tolerating(routeCommand('del', route), 'missing')),
    ...defaultRoutesTo(gateways, dev).map((route) => routeCommand('add', route)),
  );
}

/** How the default routes by an interface differ from those to these gateways, in words. */
export function* checkDefaultRoutes(netns: Netns, dev: string, gateways: readonly string[]): Steps<readonly string[]> {
  const present = yield* defaultRoutesBy(netns, dev);
  const wanted = defaultRoutesTo(gateways, dev);
  const words = ({ to, via }: SettledRoute): string => `default route${via === undefined ? ` of ${to}` : ` by ${via}`}`;
  const isSame = (one: SettledRoute) => (other: SettledRoute) => one.to === other.to && one.via === other.via;
  return [
    ...wanted.filter((route) => !present.some(isSame(route))).map((route) => `${dev} has no ${words(route)}`),
    ...present.filter((route) => !wanted.some(isSame(route))).map((route) => `${dev} has a ${words(route)}`),
  ];
}

/** Routes of a result, with these default routes in the place of its own. */
export function withDefaultRoutes(given: Json, gateways: readonly string[]): readonly Json[] {
  const kept = Array.isArray(given) ? given.filter((route: Json) => !isDefault(route)) : [];
  return [
    ...kept,
    ...defaultRoutesTo(gateways).map(({ to, via, metric }) => ({
      dst: to,
      gw: via!,
      ...(metric === undefined ? {} : { priority: metric }),
    })),
  ];
}

function isDefault(route: Json): boolean {
  if (!isJsonObject(route) || (ownValue(route, 'table') ?? MAIN_TABLE) !== MAIN_TABLE) return false;
  return parseCidr(ownText(route, 'dst'))?.bits === 0;
}

/** Linux: include/uapi/linux/rtnetlink.h, RT_TABLE_MAIN. */
const MAIN_TABLE = 254;

function* defaultRoutesBy(netns: Netns, dev: string): Steps<readonly SettledRoute[]> {
  const found: SettledRoute[] = [];
  for (const family of FAMILIES) {
    const rows = yield* routes(netns, family, 'dev', dev);
    found.push(...rows.filter(isMainDefault).flatMap((row) => settled(row, family, dev)));
  }
  return found;
}

const isMainDefault = ({ dst, table = 'main', type = 'unicast' }: RouteRow): boolean =>
  dst === 'default' && table === 'main' && type === 'unicast';

/** One for each hop. */
function settled({ gateway, metric, nexthops }: RouteRow, family: IpFamily, dev: string): readonly SettledRoute[] {
  const hops = nexthops?.filter((hop) => hop.dev === undefined || hop.dev === dev) ?? [{ gateway }];
  return hops.map((hop) => ({
    family,
    to: EVERYWHERE[family],
    dev,
    ...(hop.gateway === undefined ? {} : { via: hop.gateway }),
    ...(metric === undefined ? {} : { metric }),
    onlink: false,
  }));
}

function defaultRoutesTo(gateways: readonly string[], dev?: string): readonly SettledRoute[] {
  const before: Record<IpFamily, number> = { 4: 0, 6: 0 };
  return gateways.flatMap((via) => {
    const address = parseIp(via);
    if (address === undefined) return [];
    const family = familyOf(address);
    const rank = before[family]++;
    return {
      family,
      to: EVERYWHERE[family],
      via,
      ...(dev === undefined ? {} : { dev }),
      ...(rank === 0 ? {} : { metric: LATER_METRIC + rank }),
      onlink: false,
    };
  });
}
