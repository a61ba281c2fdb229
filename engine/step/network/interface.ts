import { familyOf, formatIpAddress, formatIpPrefix, isV4 } from '../../object/ip-address.ts';
import { type Command, type Effect, EffectError, type Netns, type Steps } from '../effect.ts';
import { command, eagerLines, ip, tolerating } from '../effects/iproute.ts';
import { link } from '../effects/show.ts';
import { inOrder, pause } from '../effects/step.ts';
import { sysctlWrites, sysctlWritesIfAny } from '../effects/sysctl.ts';
import type { ArgumentProblem, ResultParts } from '../operation.ts';
import { addAddress, addressProblems, missingAddresses, readAddress } from './address.ts';
import { linkNameProblems, macProblems } from './link-name.ts';
import { resultRoute, routeCommand, routeProblems, type SettledRoute, settleRoute } from './route.ts';
import type { InterfaceArguments } from './shapes.ts';
import { settleSysctls, sysctlProblems } from './sysctl-values.ts';

/*
 * What all interfaces of containers have in common once they are there: kernel parameters, addresses, up, routes. As the `ConfigureIface`
 * of CNI plugins (pkg/ipam/ipam_linux.go), and what the bridge plugin does before it.
 */

/** Milliseconds between questions whether addresses are settled, and how often they are asked: 5 seconds, as CNI plugins wait. */
const SETTLE_PAUSE = 50;
const SETTLE_QUESTIONS = 100;

/** What an interface with addresses does for others on its link, by its type. An interface without addresses does none of it. */
export interface LinkManners {
  /** Protocols by which it tells, when it comes up, whose its addresses are: others may remember who had them before. */
  readonly announces?: readonly ('arp' | 'ndp')[];
  /** Not even its link-local address is looked for on the link before it is used, unless `enableDad` says so. */
  readonly skipsDad?: boolean;
}

/** May be run again. All of it is one effect, but for what an address has to be waited for. */
export function* configureInterface(netns: Netns, args: InterfaceArguments, manners: LinkManners = {}): Steps<void> {
  yield* inOrder(...configuration(netns, args, manners));
  yield* settleInterface(netns, args);
}

/** All of {@link configureInterface} that needs no waiting, for effects that are performed in order; {@link settleInterface} comes after it. */
export function configuration(netns: Netns, args: InterfaceArguments, manners: LinkManners): readonly Effect[] {
  const addresses = args.addresses.map(readAddress);
  const hasIPv6 = addresses.some(isIPv6);
  return [
    ...parameters(netns, args, hasIPv6, manners),
    ...eagerLines(netns, [
      // Without that word an address can't be used for a moment after the link is up, whatever `accept_dad` says; and routes name it.
      ...addresses.map((address) => addAddress(args.name, address, { noPrefixRoute: !args.prefixRoutes, noDad: !args.enableDad })),
      ...(args.up ? [command('link', 'set', 'dev', args.name, 'up')] : []),
      // Routes need the link to be up, and IPv6's a source address that is not tentative.
      ...(hasIPv6 && args.enableDad ? [] : routeCommands(args)),
    ]),
  ];
}

/** Waits for addresses that others are asked about, and adds the routes that need them. */
export function* settleInterface(netns: Netns, args: InterfaceArguments): Steps<void> {
  if (!args.enableDad || !args.up || !args.addresses.map(readAddress).some(isIPv6)) return;
  yield* settleAddresses(netns, args.name);
  yield* ip(netns, ...routeCommands(args));
}

const isIPv6 = ({ address }: ReturnType<typeof readAddress>): boolean => !isV4(address);

const routeCommands = (args: InterfaceArguments): Command[] =>
  settledRoutes(args).map((route) => tolerating(routeCommand('prepend', route, { dev: args.name }), 'exists'));

/** The routes, through the gateways that they name or that are given for all of them. */
function settledRoutes(args: InterfaceArguments): SettledRoute[] {
  const gateways = args.gateways.map((text) => readAddress(text).address);
  return args.routes.map((each) => {
    const route = settleRoute(each);
    if (route.via !== undefined || route.scope !== undefined || route.type !== undefined) return route;
    const gateway = gateways.find((address) => familyOf(address) === route.family);
    return gateway === undefined ? route : { ...route, via: formatIpAddress(gateway) };
  });
}

function parameters(netns: Netns, args: InterfaceArguments, hasIPv6: boolean, manners: LinkManners): Effect[] {
  const { name } = args;
  const [inet, inet6] = [`net/ipv4/conf/${name}`, `net/ipv6/conf/${name}`];
  const announces = (protocol: 'arp' | 'ndp'): boolean => args.addresses.length > 0 && manners.announces?.includes(protocol) === true;
  const skipsDad = !args.enableDad && args.addresses.length > 0 && manners.skipsDad === true;
  const values: (readonly [key: string, value: string])[] = [
    ...(announces('arp') ? [[`${inet}/arp_notify`, '1'] as const] : []),
    ...(announces('ndp') ? [[`${inet6}/ndisc_notify`, '1'] as const] : []),
    ...(skipsDad ? [[`${inet6}/accept_dad`, '0'] as const] : []),
    ...(args.enableDad ? [[`${inet6}/accept_dad`, '1'] as const, [`${inet6}/enhanced_dad`, '1'] as const] : []),
    ...(args.disableIPv6 ? [[`${inet6}/disable_ipv6`, '1'] as const] : []),
  ];
  // Runtimes switch IPv6 off in new namespaces; an address needs it, on `lo` too for traffic to oneself.
  const forIPv6: typeof values = [
    ['net/ipv6/conf/lo/disable_ipv6', '0'],
    [`${inet6}/disable_ipv6`, '0'],
    [`${inet6}/keep_addr_on_down`, '1'],
  ];
  return [
    // A kernel without IPv6 has not all of them, and needs none of them.
    ...sysctlWritesIfAny(netns, values),
    ...sysctlWrites(netns, [...(hasIPv6 ? forIPv6 : []), ...settleSysctls(args.sysctls, name)]),
  ];
}

/** Waits until no address of the link is tentative. @throws EffectError `timeout`, or `exists` where somebody else has an address. */
function* settleAddresses(netns: Netns, name: string): Steps<void> {
  const tried = `ip address show dev ${name} tentative`;
  for (let question = 0; question < SETTLE_QUESTIONS; question++) {
    const row = yield* link(netns, name);
    const inet6 = row?.addr_info.filter(({ family }) => family === 'inet6') ?? [];
    const failed = inet6.find(({ dadfailed }) => dadfailed);
    if (failed !== undefined)
      throw new EffectError('exists', `address ${failed.local} of ${name} is in use by somebody else on its link`, tried);
    // Without a carrier addresses stay tentative, and there is nobody to ask.
    if (!inet6.some(({ tentative }) => tentative) || row?.operstate !== 'UP') return;
    yield* pause(SETTLE_PAUSE);
  }
  throw new EffectError(
    'timeout',
    `${name} still has tentative addresses after ${(SETTLE_PAUSE * SETTLE_QUESTIONS) / 1000} seconds`,
    tried,
  );
}

/**
 * What of {@link configureInterface} is not there any more. MAC address and MTU are not looked at, as a later step may have changed them, nor are
 * routes: they are part of the result, and what plugins after this one have made of them is there. CNI: SPEC.md, "CHECK".
 * `kind`: type of link that it must be.
 */
export function* checkInterface(netns: Netns, args: InterfaceArguments, kind?: string): Steps<string[]> {
  const row = yield* link(netns, args.name);
  if (row === undefined) return [`interface ${args.name} is not in the container`];
  if (kind !== undefined && row.linkinfo?.info_kind !== kind) return [`interface ${args.name} in the container is not of type ${kind}`];
  return [
    ...(args.up && !row.flags.includes('UP') ? [`interface ${args.name} in the container is down`] : []),
    ...missingAddresses(row, args.addresses),
  ];
}

/** What is wrong with the arguments of an interface, for `validate`. */
export function interfaceProblems(args: InterfaceArguments, path: readonly (string | number)[] = []): ArgumentProblem[] {
  const problems: ArgumentProblem[] = [...linkNameProblems(args, 'name', path), ...macProblems(args, 'mac', path)];
  problems.push(...addressProblems(args.addresses, [...path, 'addresses']), ...addressProblems(args.gateways, [...path, 'gateways']));
  problems.push(...args.routes.flatMap((route, index) => routeProblems(route, [...path, 'routes', index])));
  problems.push(...sysctlProblems(args.sysctls, [...path, 'sysctls']));
  if (problems.length > 0) return problems;
  const families = new Set(args.addresses.map((text) => familyOf(readAddress(text).address)));
  if (args.disableIPv6 && families.has(6))
    problems.push({ path: [...path, 'disableIPv6'], message: 'the interface has IPv6 addresses, which need IPv6' });
  settledRoutes(args).forEach(({ via, type, onlink }, index) => {
    // IPv6 can go without: every interface that is up has a link-local address.
    if (via === undefined || via.includes(':') || type !== undefined || onlink || families.has(4)) return;
    const message = `the gateway ${via} can't be reached: the interface has no IPv4 address`;
    problems.push({ path: [...path, 'routes', index], message });
  });
  return problems;
}

/** What the interface adds to a result; it is the interface of this index among the step's own. */
export const interfaceResult = (args: InterfaceArguments, index: number): Pick<ResultParts, 'ips' | 'routes'> => ({
  ips: args.addresses.map((text) => ({ address: formatIpPrefix(readAddress(text)), interface: index })),
  routes: args.routes.map((route) => resultRoute(settleRoute(route))),
});

/** `eth0 with 10.1.0.5/16`. */
export const describeInterface = (args: InterfaceArguments): string =>
  args.addresses.length === 0 ? args.name : `${args.name} with ${args.addresses.join(', ')}`;
