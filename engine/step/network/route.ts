import {
  canonicalIp,
  familyOf,
  formatIpPrefix,
  type IpFamily,
  type IpPrefix,
  maskPrefix,
  parseIp,
  parseIpOrCidr,
} from '../../object/ip-address.ts';
import type { Command, Netns, Steps } from '../effect.ts';
import { command } from '../effects/iproute.ts';
import { type NextHop, type RouteRow, routes } from '../effects/show.ts';
import type { ArgumentProblem, ResultRoute } from '../operation.ts';
import { linkNameProblems } from './link-name.ts';
import type { Route } from './shapes.ts';

/** Number by which routes and rules in the host's tables are known to be ours: they can't carry a tag. No daemon in /etc/iproute2/rt_protos has it. */
export const ROUTE_PROTOCOL = 250;

const SCOPES: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 };

/** A route whose words are settled: one word for each thing, canonical addresses. */
export interface SettledRoute {
  readonly family: IpFamily;
  /** CIDR, its bits beyond the prefix 0. */
  readonly to: string;
  readonly via?: string;
  readonly dev?: string;
  readonly src?: string;
  readonly metric?: number;
  readonly table?: number;
  readonly scope?: number;
  readonly onlink: boolean;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly type?: string;
}

const present = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** @throws Error for what {@link routeProblems} says no to. */
export function settleRoute(route: Route): SettledRoute {
  const target = targetOf(route);
  if (target === undefined) throw new Error(`no route leads to ${JSON.stringify(route.to ?? route.dst)}`);
  const via = present(route.via ?? route.gw);
  const src = present(route.src);
  const metric = route.metric ?? route.priority;
  const scope = typeof route.scope === 'string' ? SCOPES[route.scope] : route.scope;
  return {
    family: familyOf(target.address),
    to: formatIpPrefix(maskPrefix(target)),
    ...(via !== undefined && { via: canonicalIp(via) }),
    ...(route.dev !== undefined && { dev: route.dev }),
    ...(src !== undefined && { src: canonicalIp(src) }),
    ...(metric !== undefined && metric > 0 && { metric }),
    ...(route.table !== undefined && route.table > 0 && { table: route.table }),
    ...(scope !== undefined && { scope }),
    onlink: route.onlink === true,
    ...(route.mtu !== undefined && route.mtu > 0 && { mtu: route.mtu }),
    ...(route.advmss !== undefined && route.advmss > 0 && { advmss: route.advmss }),
    ...(route.type !== undefined && route.type !== 'unicast' && { type: route.type }),
  };
}

/** `default` is of the gateway's family, without a gateway of IPv4. */
function targetOf(route: Route): IpPrefix | undefined {
  const to = route.to ?? route.dst ?? '';
  if (to !== 'default') return parseIpOrCidr(to);
  const via = parseIp(route.via ?? route.gw ?? '');
  return parseIpOrCidr(via === undefined || familyOf(via) === 4 ? '0.0.0.0/0' : '::/0');
}

export function routeProblems(route: Route, path: readonly (string | number)[]): ArgumentProblem[] {
  const problems: ArgumentProblem[] = [];
  const name = route.to === undefined && route.dst !== undefined ? 'dst' : 'to';
  const to = route[name];
  if (to === undefined)
    return [{ path: [...path, 'to'], message: 'a route needs a network that it leads to', hint: '`to: default` or `to: 10.0.0.0/8`' }];
  if (route.to !== undefined && route.dst !== undefined)
    problems.push({ path: [...path, 'dst'], message: '`to` and `dst` are the same thing: give one of them' });
  const target = targetOf(route);
  if (target === undefined)
    problems.push({ path: [...path, name], message: `${JSON.stringify(to)} is not a network like 10.0.0.0/8, and not \`default\`` });
  for (const key of ['via', 'gw', 'src'] as const) {
    const text = present(route[key]);
    if (text === undefined) continue;
    const address = parseIp(text);
    if (address === undefined) problems.push({ path: [...path, key], message: `${JSON.stringify(text)} is not an IP address` });
    else if (target !== undefined && familyOf(address) < familyOf(target.address)) {
      problems.push({ path: [...path, key], message: `${text} is IPv4, the network ${to} is IPv6` });
    } else if (key === 'src' && target !== undefined && familyOf(address) !== familyOf(target.address)) {
      problems.push({ path: [...path, key], message: `${text} is IPv6, the network ${to} is IPv4` });
    }
  }
  return [...problems, ...linkNameProblems(route, 'dev', path)];
}

/**
 * A line of `ip route`. `prepend` is what CNI plugins do: it never replaces a route, joins IPv6 routes of one network to a multipath route,
 * and fails as `exists` only where this very route is there.
 */
export const routeCommand = (
  verb: 'add' | 'prepend' | 'replace' | 'del',
  route: SettledRoute,
  defaults: { readonly dev?: string; readonly protocol?: number } = {},
): Command => {
  const dev = deviceOf(route, defaults.dev);
  const crossesFamilies = route.via !== undefined && route.family === 4 && route.via.includes(':');
  return command(
    ...['route', verb],
    route.type,
    route.to,
    ...(route.via === undefined ? [] : ['via', crossesFamilies && 'inet6', route.via]),
    ...(dev === undefined ? [] : ['dev', dev]),
    ...(route.table === undefined ? [] : ['table', route.table]),
    ...(route.metric === undefined ? [] : ['metric', route.metric]),
    ...(route.scope === undefined ? [] : ['scope', route.scope]),
    ...(route.src === undefined ? [] : ['src', route.src]),
    route.onlink && 'onlink',
    ...(defaults.protocol === undefined ? [] : ['proto', defaults.protocol]),
    ...(verb === 'del' || route.mtu === undefined ? [] : ['mtu', route.mtu]),
    ...(verb === 'del' || route.advmss === undefined ? [] : ['advmss', route.advmss]),
  );
};

/** What leads nowhere goes through no interface. */
const deviceOf = (route: SettledRoute, dev: string | undefined): string | undefined =>
  route.dev ?? (route.type === undefined || route.type === 'local' ? dev : undefined);

/** Whether a row of `ip route show` is this route, as far as it was asked for. */
export function isRoute(row: RouteRow, route: SettledRoute, dev?: string): boolean {
  const expectedDev = deviceOf(route, dev);
  return (
    rowTarget(row, route.family) === route.to &&
    (row.table ?? 'main') === tableName(route.table) &&
    (route.metric === undefined || row.metric === route.metric) &&
    (route.type === undefined || row.type === route.type) &&
    hopsOf(row).some((hop) => isBy(hop, route.via) && (expectedDev === undefined || hop.dev === expectedDev))
  );
}

/** Whether a row leads to the network of a route, by its gateway where it has one, in any table and by any interface. */
export const leadsTo = (row: RouteRow, { family, to, via }: Pick<SettledRoute, 'family' | 'to' | 'via'>): boolean =>
  rowTarget(row, family) === to && hopsOf(row).some((hop) => isBy(hop, via));

const hopsOf = (row: RouteRow): readonly NextHop[] => row.nexthops ?? [row];

const isBy = ({ gateway, via }: NextHop, wanted: string | undefined): boolean => wanted === undefined || (gateway ?? via?.host) === wanted;

/** Those of the routes that are not there. `dev`: interface of those that name none. */
export function* missingRoutes(netns: Netns, wanted: readonly SettledRoute[], dev?: string): Steps<readonly SettledRoute[]> {
  const missing: SettledRoute[] = [];
  for (const family of [4, 6] as const) {
    const ofFamily = wanted.filter((route) => route.family === family);
    if (ofFamily.length === 0) continue;
    const rows = yield* routes(netns, family);
    missing.push(...ofFamily.filter((route) => !rows.some((row) => isRoute(row, route, dev))));
  }
  return missing;
}

/** What `dst` of a row of this family means, as a CIDR. */
function rowTarget(row: RouteRow, family: IpFamily): string {
  if (row.dst === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return row.dst.includes('/') ? row.dst : `${row.dst}/${family === 4 ? 32 : 128}`;
}

/** A routing table as iproute2 writes it: the kernel's own by name. */
export const tableName = (table = 254): string => ({ 255: 'local', 254: 'main', 253: 'default' })[table] ?? String(table);

/** The route in the words of a CNI result. */
export const resultRoute = (route: SettledRoute): ResultRoute => ({
  dst: route.to,
  ...(route.via !== undefined && { gw: route.via }),
  ...(route.mtu !== undefined && { mtu: route.mtu }),
  ...(route.advmss !== undefined && { advmss: route.advmss }),
  ...(route.metric !== undefined && { priority: route.metric }),
  ...(route.table !== undefined && { table: route.table }),
  ...(route.scope !== undefined && { scope: route.scope }),
});

/** `10.0.0.0/8 via 10.1.0.1`. */
export const describeRoute = (route: SettledRoute): string =>
  [route.type, route.to, route.via && `via ${route.via}`, route.table !== undefined && `in table ${route.table}`].filter(Boolean).join(' ');
