import type { CallEstimator, Library, OperandEstimate, Overload } from '../function.ts';
import { goQuote } from '../go-quote.ts';
import { actualSize } from '../run/actual-size.ts';
import { BOOL, INT, opaque, STRING, typeOf } from '../types.ts';
import { CelError, type CelValue, Opaque, TypeValue } from '../values.ts';
import { addEstimates, fixedEstimate, pricedByTraversal, STRING_TRAVERSAL_FACTOR, scaleEstimate, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import { IP_TYPE, IpValue, ipFromString } from './ip.ts';
import { equalAddresses, isV4Mapped } from './net/ip-address.ts';
import { formatIpPrefix, type IpPrefix, maskPrefix, parseIpPrefix, prefixContains, prefixesOverlap } from './net/ip-prefix.ts';

/** `net.CIDR`: an address with a prefix length. */
export class CidrValue extends Opaque {
  readonly typeName = 'net.CIDR';
  readonly prefix: IpPrefix;
  override readonly costSize: number;
  constructor(prefix: IpPrefix) {
    super();
    this.prefix = prefix;
    this.costSize = Math.ceil(prefix.bits / 8);
  }

  equals(other: CelValue): boolean | undefined {
    if (!(other instanceof CidrValue)) return undefined;
    return this.prefix.bits === other.prefix.bits && equalAddresses(this.prefix.address, other.prefix.address);
  }

  toString(): string {
    return formatIpPrefix(this.prefix);
  }
}

const CIDR_TYPE = opaque('net.CIDR');

/** Kubernetes: pkg/cel/library/cidr.go parseCIDR. */
function parse(text: string): CidrValue | string {
  const parsed = parseIpPrefix(text);
  if (!parsed.ok) return `network address parse error during conversion from string: ${parsed.error}`;
  if (isV4Mapped(parsed.prefix.address)) return `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`;
  return new CidrValue(parsed.prefix);
}

function cidrFromString(text: string): CidrValue {
  const parsed = parse(text);
  // Kubernetes says it twice.
  if (typeof parsed === 'string') throw new CelError(`network address parse error during conversion from string: ${parsed}`);
  return parsed;
}

function ipArgument(text: string): IpValue {
  try {
    return ipFromString(text);
  } catch {
    // Kubernetes loses the reason on the way.
    throw new CelError('no such overload');
  }
}

const contains = (cidr: CidrValue, ip: IpValue): boolean => prefixContains(cidr.prefix, ip.address);
const containsCidr = (cidr: CidrValue, other: CidrValue): boolean =>
  prefixesOverlap(cidr.prefix, other.prefix) && cidr.prefix.bits <= other.prefix.bits;

const traversal = (size: number): number => Math.ceil(size * STRING_TRAVERSAL_FACTOR);

/** The address bytes up to the prefix, looked at twice; a network is masked first; a string is parsed. */
function containsPrice(network: boolean, parses: boolean): Pick<Overload, 'cost' | 'unresolvedCost' | 'estimate'> {
  const compare = (args: readonly CelValue[]): number => {
    const size = actualSize(args[0] as CelValue);
    return traversal(size + size) + (network ? traversal(size) + 1 : 0);
  };
  const bytes = { min: 4, max: 16 };
  const estimate: CallEstimator = ([, other]) => {
    let cost = scaleEstimate(addEstimates(bytes, bytes), STRING_TRAVERSAL_FACTOR);
    if (network) cost = addEstimates(addEstimates(cost, scaleEstimate(bytes, STRING_TRAVERSAL_FACTOR)), fixedEstimate(1));
    if (parses) cost = addEstimates(cost, scaleEstimate((other as OperandEstimate).size, STRING_TRAVERSAL_FACTOR));
    return { cost };
  };
  return {
    cost: parses ? (args) => compare(args) + traversal(actualSize(args[1] as CelValue)) : compare,
    unresolvedCost: compare,
    estimate,
  };
}

/** Network ranges. Kubernetes: pkg/cel/library/cidr.go. */
export const CIDR_LIBRARY: Library = {
  name: 'kubernetes.net.cidr',
  functions: [
    declare('cidr', globalOverload('string_to_cidr', [STRING], CIDR_TYPE, cidrFromString, pricedByTraversal(1))),
    declare(
      'isCIDR',
      globalOverload('is_cidr', [STRING], BOOL, (text: string) => typeof parse(text) !== 'string', pricedByTraversal(1)),
    ),
    declare(
      'containsIP',
      memberOverload(
        'cidr_contains_ip_string',
        [CIDR_TYPE, STRING],
        BOOL,
        (cidr: CidrValue, text: string) => contains(cidr, ipArgument(text)),
        containsPrice(false, true),
      ),
      memberOverload('cidr_contains_ip_ip', [CIDR_TYPE, IP_TYPE], BOOL, contains, containsPrice(false, false)),
    ),
    declare(
      'containsCIDR',
      memberOverload(
        'cidr_contains_cidr_string',
        [CIDR_TYPE, STRING],
        BOOL,
        (cidr: CidrValue, text: string) => containsCidr(cidr, cidrFromString(text)),
        containsPrice(true, true),
      ),
      memberOverload('cidr_contains_cidr', [CIDR_TYPE, CIDR_TYPE], BOOL, containsCidr, containsPrice(true, false)),
    ),
    declare(
      'ip',
      memberOverload('cidr_ip', [CIDR_TYPE], IP_TYPE, (cidr: CidrValue) => new IpValue(cidr.prefix.address), {
        ...UNIT_PRICE,
        // Looked up by the name alone, `ip` is the one that parses a string.
        unresolvedCost: (args) => traversal(actualSize(args[0] as CelValue)),
      }),
    ),
    declare(
      'prefixLength',
      memberOverload('cidr_prefix_length', [CIDR_TYPE], INT, (cidr: CidrValue) => cidr.prefix.bits, UNIT_PRICE),
    ),
    declare(
      'masked',
      memberOverload('cidr_masked', [CIDR_TYPE], CIDR_TYPE, (cidr: CidrValue) => new CidrValue(maskPrefix(cidr.prefix)), UNIT_PRICE),
    ),
    declare(
      'string',
      globalOverload('cidr_to_string', [CIDR_TYPE], STRING, (cidr: CidrValue) => cidr.toString()),
    ),
  ],
  identifiers: { 'net.CIDR': { type: typeOf(CIDR_TYPE), value: new TypeValue('net.CIDR') } },
};
