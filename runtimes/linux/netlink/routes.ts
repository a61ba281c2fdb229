import { familyOf, formatIpAddress, parseIp, parseIpOrCidr } from '../../../engine/object/ip-address.ts';
import type { RouteRow } from '../../../engine/step/effects/show.ts';
import { addressOf, FAMILY, familyNumber, scopeName } from './addresses.ts';
import { askLink } from './links.ts';
import { FLAGS, MessageWriter, type Request, RTM, readAttributes, register } from './message.ts';
import { isLinkName, readNumber, readOptions } from './words.ts';

/* Lines of `ip route` as messages, and answers as the rows that iproute2 shows. Linux: linux/rtnetlink.h. */

const RTA = { to: 1, out: 4, gateway: 5, priority: 6, source: 7, metrics: 8, hops: 9, via: 18, table: 15, encapsulation: 22 } as const;
const RTAX = { mtu: 2, advertisedMss: 8 } as const;
const ONLINK = 0x4;
const CLONED = 0x200;
const TABLES: ReadonlyMap<string, number> = new Map([
  ['default', 253],
  ['main', 254],
  ['local', 255],
]);
const MAIN = 254;
const BOOT = 3;
const UNICAST = 1;
const SCOPE = { universe: 0, link: 253, nowhere: 255 } as const;
const TYPES = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw'];
const PROTOCOLS = ['unspec', 'redirect', 'kernel', 'boot', 'static'];

const VERBS: ReadonlyMap<string, number> = new Map([
  ['add', FLAGS.create | FLAGS.exclusive],
  ['prepend', FLAGS.create],
  ['replace', FLAGS.create | FLAGS.replace],
  ['del', 0],
]);

/** Asks for all routes of a family. */
export const askRoutes = (family: number): Request =>
  new MessageWriter(RTM.getRoute, FLAGS.dump).u8(family, 0, 0, 0, 0, 0, 0, 0).u32(0).request();

/** `route add`, `prepend`, `replace` and `del` of one way through one link, from the second word on. */
export function encodeRoute([verb = '', to = '', ...words]: readonly string[]): readonly Request[] | undefined {
  const flags = VERBS.get(verb);
  const options = readOptions(words, ['via', 'dev', 'table', 'metric', 'scope', 'src', 'proto', 'mtu', 'advmss'], ['onlink']);
  const target = parseIpOrCidr(to);
  if (flags === undefined || options === undefined || target === undefined) return undefined;
  const address = (key: string): ReturnType<typeof parseIp> => parseIp(options.get(key) ?? '');
  const number = (key: string, max?: number): number | undefined => readNumber(options.get(key) ?? '', max);
  const [via, src, dev] = [address('via'), address('src'), options.get('dev')];
  const table = TABLES.get(options.get('table') ?? 'main') ?? number('table');
  const [metric, mtu, mss] = [number('metric'), number('mtu'), number('advmss')];
  const [protocol, scope] = [number('proto', 255), number('scope', 255)];
  const isRead = (key: string, value: unknown): boolean => !options.has(key) || value !== undefined;
  const areRead =
    isRead('via', via) &&
    isRead('src', src) &&
    isRead('table', table) &&
    isRead('metric', metric) &&
    isRead('mtu', mtu) &&
    isRead('advmss', mss) &&
    isRead('proto', protocol) &&
    isRead('scope', scope);
  const isOneFamily = [via, src].every((each) => each === undefined || familyOf(each) === familyOf(target.address));
  // Without a link it leads nowhere, or the kernel looks for the link.
  if (!areRead || !isOneFamily || !isLinkName(dev)) return undefined;
  const isAdded = verb !== 'del';
  const usual = !isAdded ? SCOPE.nowhere : via === undefined && familyNumber(target.address) === FAMILY.inet ? SCOPE.link : SCOPE.universe;
  const message = new MessageWriter(isAdded ? RTM.newRoute : RTM.delRoute, FLAGS.request | flags)
    .u8(familyNumber(target.address), target.bits, 0, 0)
    .u8(table! < 256 ? table! : 0, protocol ?? (isAdded ? BOOT : 0), scope ?? usual, isAdded ? UNICAST : 0)
    .u32(options.has('onlink') ? ONLINK : 0);
  if (target.bits > 0) message.attribute(RTA.to, () => message.raw(target.address.bytes));
  if (via !== undefined) message.attribute(RTA.gateway, () => message.raw(via.bytes));
  if (src !== undefined) message.attribute(RTA.source, () => message.raw(src.bytes));
  if (table! > 255) message.number(RTA.table, table!);
  if (metric !== undefined) message.number(RTA.priority, metric);
  message.number(RTA.out, register(0));
  if (mtu !== undefined || mss !== undefined) {
    message.attribute(RTA.metrics, () => {
      if (mtu !== undefined) message.number(RTAX.mtu, mtu);
      if (mss !== undefined) message.number(RTAX.advertisedMss, mss);
    });
  }
  return [askLink(dev, 0), message.request()];
}

/** A route; `none` for what is no route of a table, undefined where iproute2 would show more than is known here. */
export function decodeRoute(body: Buffer, names: ReadonlyMap<number, string>): RouteRow | 'none' | undefined {
  if ((body.readUInt32LE(8) & CLONED) !== 0) return 'none';
  const attributes = readAttributes(body.subarray(12));
  if (attributes.has(RTA.via) || attributes.has(RTA.encapsulation)) return undefined;
  const [bits, scope, type] = [body[1]!, body[6]!, body[7]!];
  const table = attributes.get(RTA.table)?.readUInt32LE(0) ?? body[4]!;
  const metric = attributes.get(RTA.priority)?.readUInt32LE(0);
  const source = addressOf(attributes.get(RTA.source));
  const hops = attributes.get(RTA.hops);
  const nexthops = hops && decodeHops(hops, names);
  if (hops !== undefined && nexthops === undefined) return undefined;
  return {
    type: TYPES[type] ?? String(type),
    dst: target(attributes.get(RTA.to), bits),
    ...decodeHop(attributes, attributes.get(RTA.out)?.readUInt32LE(0), names),
    ...(table !== MAIN && { table: [...TABLES].find(([, number]) => number === table)?.[0] ?? String(table) }),
    protocol: PROTOCOLS[body[5]!] ?? String(body[5]),
    scope: scopeName(scope),
    ...(source !== undefined && { prefsrc: formatIpAddress(source) }),
    ...(metric !== undefined && { metric }),
    ...(nexthops !== undefined && { nexthops }),
  };
}

type Hop = { readonly gateway?: string; readonly dev?: string };

function decodeHop(attributes: ReadonlyMap<number, Buffer>, index: number | undefined, names: ReadonlyMap<number, string>): Hop {
  const gateway = addressOf(attributes.get(RTA.gateway));
  return {
    ...(gateway !== undefined && { gateway: formatIpAddress(gateway) }),
    ...(index !== undefined && { dev: names.get(index) ?? `if${index}` }),
  };
}

/** `rtnexthop`s. */
function decodeHops(bytes: Buffer, names: ReadonlyMap<number, string>): readonly Hop[] | undefined {
  const hops: Hop[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 8 || at + length > bytes.length) return undefined;
    const attributes = readAttributes(bytes.subarray(at + 8, at + length));
    if (attributes.has(RTA.via) || attributes.has(RTA.encapsulation)) return undefined;
    hops.push(decodeHop(attributes, bytes.readInt32LE(at + 4), names));
    at += (length + 3) & ~3;
  }
  return hops;
}

function target(bytes: Buffer | undefined, bits: number): string {
  const address = addressOf(bytes);
  if (address === undefined || bits === 0) return 'default';
  const text = formatIpAddress(address);
  return bits === 8 * address.bytes.length ? text : `${text}/${bits}`;
}
