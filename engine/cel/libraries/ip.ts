import type { Library } from '../function.ts';
import { goQuote } from '../go-quote.ts';
import { BOOL, INT, opaque, STRING, typeOf } from '../types.ts';
import { CelError, type CelValue, Opaque, TypeValue } from '../values.ts';
import { pricedByTraversal, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import {
  equalAddresses,
  formatIpAddress,
  type IpAddress,
  isGlobalUnicast,
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isLoopback,
  isUnspecified,
  isV4,
  isV4Mapped,
  parseIpAddress,
} from './net/ip-address.ts';

/** `net.IP`: an address without zone, never an IPv4-mapped one. */
export class IpValue extends Opaque {
  readonly typeName = 'net.IP';
  readonly address: IpAddress;
  override readonly costSize: number;
  constructor(address: IpAddress) {
    super();
    this.address = address;
    this.costSize = address.bytes.length;
  }

  equals(other: CelValue): boolean | undefined {
    return other instanceof IpValue ? equalAddresses(this.address, other.address) : undefined;
  }

  toString(): string {
    return formatIpAddress(this.address);
  }
}

export const IP_TYPE = opaque('net.IP');

/** Kubernetes: pkg/cel/library/ip.go parseIPAddr. */
function parse(text: string): IpValue | string {
  const parsed = parseIpAddress(text);
  if (!parsed.ok) return `IP Address ${goQuote(text)} parse error during conversion from string: ${parsed.error}`;
  if (parsed.address.zone !== '') return `IP address ${goQuote(text)} with zone value is not allowed`;
  if (isV4Mapped(parsed.address)) return `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`;
  return new IpValue(parsed.address);
}

/** Reads an IP address. @throws CelError with Kubernetes' text. */
export function ipFromString(text: string): IpValue {
  const parsed = parse(text);
  if (typeof parsed === 'string') throw new CelError(parsed);
  return parsed;
}

const predicate = (name: string, id: string, test: (address: IpAddress) => boolean) =>
  declare(
    name,
    memberOverload(id, [IP_TYPE], BOOL, (ip: IpValue) => test(ip.address), UNIT_PRICE),
  );

/** IP addresses. Kubernetes: pkg/cel/library/ip.go. */
export const IP_LIBRARY: Library = {
  name: 'kubernetes.net.ip',
  functions: [
    declare('ip', globalOverload('string_to_ip', [STRING], IP_TYPE, ipFromString, pricedByTraversal(1))),
    declare(
      'isIP',
      globalOverload('is_ip', [STRING], BOOL, (text: string) => typeof parse(text) !== 'string', pricedByTraversal(1)),
    ),
    declare(
      'ip.isCanonical',
      globalOverload('ip_is_canonical', [STRING], BOOL, (text: string) => ipFromString(text).toString() === text, pricedByTraversal(2)),
    ),
    declare(
      'family',
      memberOverload('ip_family', [IP_TYPE], INT, (ip: IpValue) => (isV4(ip.address) ? 4 : 6), UNIT_PRICE),
    ),
    predicate('isUnspecified', 'ip_is_unspecified', isUnspecified),
    predicate('isLoopback', 'ip_is_loopback', isLoopback),
    predicate('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
    predicate('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
    predicate('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
    declare(
      'string',
      globalOverload('ip_to_string', [IP_TYPE], STRING, (ip: IpValue) => ip.toString()),
    ),
  ],
  identifiers: { 'net.IP': { type: typeOf(IP_TYPE), value: new TypeValue('net.IP') } },
};
