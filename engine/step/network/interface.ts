import { familyOf, formatIpPrefix, type IpPrefix, isV4 } from '../../object/ip-address.ts';
import { EffectError, type Netns, type Steps } from '../effect.ts';
import { command, ip, tolerating } from '../effects/iproute.ts';
import { type AddressRow, linkWithAddresses, routes } from '../effects/show.ts';
import { pause } from '../effects/step.ts';
import { writeSysctl, writeSysctlIfAny } from '../effects/sysctl.ts';
import type { ArgumentProblem, ResultParts } from '../operation.ts';
import { addAddress, addressProblems, isAddress, readAddress } from './address.ts';
import { linkNameObjection, macObjection } from './link-name.ts';
import { describeRoute, isRoute, resultRoute, routeCommand, routeProblems, settleRoute } from './route.ts';
import type { InterfaceArguments } from './shapes.ts';
import { sysctlKey, sysctlObjection, sysctlValueObjection } from './sysctl-key.ts';

/*
 * What all interfaces of containers have in common once they are there: kernel parameters, addresses, up, routes. As the `ConfigureIface`
 * of CNI plugins (pkg/ipam/ipam_linux.go), and what the bridge plugin does before it.
 */

/** Milliseconds between questions whether addresses are settled, and how often they are asked: 5 seconds, as CNI plugins wait. */
const SETTLE_PAUSE = 50;
const SETTLE_QUESTIONS = 100;

/** May be run again. All lines of `ip` are one effect. */
export function* configureInterface(netns: Netns, args: InterfaceArguments): Steps<void> {
  const addresses = args.addresses.map(readAddress);
  const hasIPv6 = addresses.some(({ address }) => !isV4(address));
  yield* writeParameters(netns, args, hasIPv6);
  yield* ip(
    netns,
    ...addresses.map((address) => addAddress(args.name, address, { noPrefixRoute: !args.prefixRoutes })),
    ...(args.up ? [command('link', 'set', 'dev', args.name, 'up')] : []),
    // Routes need the link to be up, and IPv6's a source address that is not tentative.
    ...(hasIPv6 && args.enableDad ? [] : routeCommands(args)),
  );
  if (hasIPv6 && args.enableDad && args.up) {
    yield* settleAddresses(netns, args.name);
    yield* ip(netns, ...routeCommands(args));
  }
}

const routeCommands = (args: InterfaceArguments) =>
  args.routes.map((route) => tolerating(routeCommand('prepend', settleRoute(route), { dev: args.name }), 'exists'));

function* writeParameters(netns: Netns, args: InterfaceArguments, hasIPv6: boolean): Steps<void> {
  const { name } = args;
  if (args.enableDad) yield* writeSysctlIfAny(netns, `net/ipv6/conf/${name}/enhanced_dad`, '1');
  yield* writeSysctlIfAny(netns, `net/ipv6/conf/${name}/accept_dad`, args.enableDad ? '1' : '0');
  yield* writeSysctlIfAny(netns, `net/ipv4/conf/${name}/arp_notify`, '1');
  if (hasIPv6) {
    // Runtimes switch IPv6 off in new namespaces; an address needs it, on `lo` too for traffic to oneself.
    yield* writeSysctl(netns, 'net/ipv6/conf/lo/disable_ipv6', '0');
    yield* writeSysctl(netns, `net/ipv6/conf/${name}/disable_ipv6`, '0');
    yield* writeSysctl(netns, `net/ipv6/conf/${name}/keep_addr_on_down`, '1');
  } else if (args.disableIPv6) yield* writeSysctlIfAny(netns, `net/ipv6/conf/${name}/disable_ipv6`, '1');
  for (const [key, value] of Object.entries(args.sysctls)) yield* writeSysctl(netns, sysctlKey(key, name), value);
}

/** Waits until no address of the link is tentative. @throws EffectError `timeout`, or `exists` where somebody else has an address. */
export function* settleAddresses(netns: Netns, name: string): Steps<void> {
  const tried = `ip address show dev ${name} tentative`;
  for (let question = 0; question < SETTLE_QUESTIONS; question++) {
    const row = yield* linkWithAddresses(netns, name);
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
 * What of {@link configureInterface} is not there any more. MAC address and MTU are not looked at: a later step may have changed them.
 * `kind`: type of link that it must be.
 */
export function* checkInterface(netns: Netns, args: InterfaceArguments, kind?: string): Steps<string[]> {
  const row = yield* linkWithAddresses(netns, args.name);
  if (row === undefined) return [`interface ${args.name} is not in the container`];
  if (kind !== undefined && row.linkinfo?.info_kind !== kind) return [`interface ${args.name} in the container is not of type ${kind}`];
  return [
    ...(args.up && !row.flags.includes('UP') ? [`interface ${args.name} in the container is down`] : []),
    ...missingAddresses(row, args.addresses.map(readAddress)),
    ...(yield* missingRoutes(netns, args)),
  ];
}

export const missingAddresses = (row: AddressRow, addresses: readonly IpPrefix[]): string[] =>
  addresses
    .filter((address) => !row.addr_info.some((info) => isAddress(info, address)))
    .map((address) => `interface ${row.ifname} has no address ${formatIpPrefix(address)}`);

function* missingRoutes(netns: Netns, args: InterfaceArguments): Steps<string[]> {
  const missing: string[] = [];
  const wanted = args.routes.map(settleRoute);
  for (const family of [4, 6] as const) {
    const ofFamily = wanted.filter((route) => route.family === family);
    if (ofFamily.length === 0) continue;
    const rows = yield* routes(netns, family);
    missing.push(...ofFamily.filter((route) => !rows.some((row) => isRoute(row, route, args.name))).map(describeRoute));
  }
  return missing.map((route) => `the container has no route to ${route}`);
}

/** What is wrong with the arguments of an interface, for `validate`. */
export function interfaceProblems(args: InterfaceArguments, path: readonly (string | number)[] = []): ArgumentProblem[] {
  const problems: ArgumentProblem[] = [];
  const add = (key: readonly (string | number)[], message: string | undefined): void => {
    if (message !== undefined) problems.push({ path: [...path, ...key], message });
  };
  add(['name'], linkNameObjection(args.name));
  if (args.mac !== undefined && args.mac !== '') add(['mac'], macObjection(args.mac));
  problems.push(...addressProblems(args.addresses, [...path, 'addresses']));
  problems.push(...args.routes.flatMap((route, index) => routeProblems(route, [...path, 'routes', index])));
  for (const [key, value] of Object.entries(args.sysctls)) add(['sysctls', key], sysctlObjection(key) ?? sysctlValueObjection(value));
  if (problems.length > 0) return problems;
  const families = new Set(args.addresses.map((text) => familyOf(readAddress(text).address)));
  if (args.disableIPv6 && families.has(6)) add(['disableIPv6'], 'the interface has IPv6 addresses, which need IPv6');
  args.routes.forEach((route, index) => {
    const { family, via, type } = settleRoute(route);
    if (via === undefined || type !== undefined) return;
    const needed = via.includes(':') ? 6 : family;
    // IPv6 can go without: every interface that is up has a link-local address.
    if (needed === 4 && !families.has(4) && route.onlink !== true) {
      add(['routes', index], `the gateway ${via} can't be reached: the interface has no IPv4 address`);
    }
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
