import {
  addressToNumber,
  addToAddress,
  compareAddresses,
  equalAddresses,
  familyOf,
  formatIpAddress,
  formatIpPrefix,
  type IpAddress,
  type IpFamily,
  lastAddress,
  networkAddress,
  parseCidr,
  parseIp,
} from '../../object/ip-address.ts';
import type { AddressRange } from './program.ts';

/** Addresses that may be given, from `start` to `end`, both included. */
export interface Range {
  readonly family: IpFamily;
  readonly start: bigint;
  readonly end: bigint;
  readonly gateway: bigint;
  /** As it goes into a result. */
  readonly gatewayText: string;
  /** Length of the subnet's prefix. */
  readonly bits: number;
}

/** Ranges of which one address is given. */
export interface RangeSet {
  readonly ranges: readonly [Range, ...Range[]];
  /** `10.1.0.1-10.1.0.254,10.1.2.1-10.1.2.254`, as in messages. */
  readonly text: string;
}

/** Why a range can't be used, and which of its fields says so. */
export interface RangeProblem {
  readonly field: keyof AddressRange;
  readonly message: string;
}

export type ReadRanges = { readonly ok: true; readonly sets: readonly RangeSet[] } | { readonly ok: false; readonly message: string };

/** Sets, and ranges within a set. */
const MAX_RANGES = 256;
/** Ranges of all sets: each is compared with each. */
const MAX_ALL_RANGES = 1024;

/**
 * Brings range sets to the form in which addresses are counted, with the defaults and the judgement of host-local, so that a configuration means
 * the same for both: a range begins after the network's address, ends before the broadcast address, and its gateway is the first address.
 * host-local: backend/allocator/range.go, range_set.go, config.go.
 */
export function readRanges(sets: readonly (readonly AddressRange[])[]): ReadRanges {
  if (sets.length === 0) return { ok: false, message: 'no IP ranges specified' };
  if (sets.length > MAX_RANGES || sets.some((set) => set.length > MAX_RANGES))
    return { ok: false, message: `more than ${MAX_RANGES} IP ranges specified` };
  if (sets.reduce((sum, set) => sum + set.length, 0) > MAX_ALL_RANGES)
    return { ok: false, message: `more than ${MAX_ALL_RANGES} IP ranges specified in all sets` };
  const read: RangeSet[] = [];
  for (const [index, set] of sets.entries()) {
    const canonical = readSet(set);
    if (typeof canonical === 'string') return { ok: false, message: `invalid range set ${index}: ${canonical}` };
    read.push(canonical);
  }
  for (const [i, one] of read.entries())
    for (const [j, other] of read.entries())
      if (i < j && one.ranges.some((range) => other.ranges.some((second) => overlaps(range, second))))
        return { ok: false, message: `range set ${i} overlaps with ${j}` };
  return { ok: true, sets: read };
}

/** The range of the set that an address may be given from. */
export function rangeOf(set: RangeSet, family: IpFamily, address: bigint): Range | undefined {
  return set.ranges.find((range) => range.family === family && range.start <= address && address <= range.end);
}

/** How many addresses a set can give away. */
export function countOf(set: RangeSet): bigint {
  return set.ranges.reduce((sum, { start, end, gateway }) => sum + end - start + 1n - (start <= gateway && gateway <= end ? 1n : 0n), 0n);
}

function readSet(set: readonly AddressRange[]): RangeSet | string {
  const ranges: Range[] = [];
  const texts: string[] = [];
  for (const range of set) {
    const canonical = readRange(range);
    if ('message' in canonical) return canonical.message;
    if (ranges[0] !== undefined && ranges[0].family !== canonical.range.family) return 'mixed address families';
    for (const [index, earlier] of ranges.entries())
      if (overlaps(earlier, canonical.range)) return `subnets ${texts[index]} and ${canonical.text} overlap`;
    ranges.push(canonical.range);
    texts.push(canonical.text);
  }
  const [first, ...rest] = ranges;
  return first === undefined ? 'empty range set' : { ranges: [first, ...rest], text: texts.join() };
}

/** What is wrong with a range by itself. */
export function rangeProblem(range: AddressRange): RangeProblem | undefined {
  const read = readRange(range);
  return 'message' in read ? read : undefined;
}

function readRange(given: AddressRange): { readonly range: Range; readonly text: string } | RangeProblem {
  const problem = (field: keyof AddressRange, message: string): RangeProblem => ({ field, message });
  const subnet = parseCidr(given.subnet);
  if (subnet === undefined) return problem('subnet', `invalid CIDR address: ${given.subnet}`);
  const width = subnet.address.bytes.length * 8;
  const network = networkAddress(subnet);
  if (subnet.bits > width - 2) return problem('subnet', `Network ${formatIpPrefix(subnet)} too small to allocate from`);
  if (!equalAddresses(network, subnet.address)) {
    const host = `For a subnet mask of length ${subnet.bits} the network address is ${formatIpAddress(network)}`;
    return problem('subnet', `Network has host bits set. ${host}`);
  }
  const family = familyOf(network);
  const first = addToAddress(network, 1n) as IpAddress;
  const gateway = read(given.gateway, first);
  const start = read(given.rangeStart, first);
  const last = lastAddress(subnet);
  const end = read(given.rangeEnd, family === 4 ? (addToAddress(last, -1n) as IpAddress) : last);
  if (gateway === undefined) return problem('gateway', `IP ${given.gateway} not v4 nor v6`);
  if (start === undefined) return problem('rangeStart', `IP ${given.rangeStart} not v4 nor v6`);
  if (!isWithin(start)) return problem('rangeStart', `RangeStart ${formatIpAddress(start)} not in network ${formatIpPrefix(subnet)}`);
  if (end === undefined) return problem('rangeEnd', `IP ${given.rangeEnd} not v4 nor v6`);
  if (!isWithin(end)) return problem('rangeEnd', `RangeEnd ${formatIpAddress(end)} not in network ${formatIpPrefix(subnet)}`);
  if (compareAddresses(end, start) < 0)
    return problem('rangeEnd', `RangeEnd ${formatIpAddress(end)} is before RangeStart ${formatIpAddress(start)}`);
  return {
    range: {
      family,
      start: addressToNumber(start),
      end: addressToNumber(end),
      gateway: familyOf(gateway) === family ? addressToNumber(gateway) : -1n,
      gatewayText: formatIpAddress(gateway),
      bits: subnet.bits,
    },
    text: `${formatIpAddress(start)}-${formatIpAddress(end)}`,
  };

  function isWithin(address: IpAddress): boolean {
    return familyOf(address) === family && compareAddresses(address, network) >= 0 && compareAddresses(address, last) <= 0;
  }
}

const read = (text: string | undefined, byDefault: IpAddress): IpAddress | undefined =>
  text === undefined || text === '' ? byDefault : parseIp(text);

const overlaps = (a: Range, b: Range): boolean => a.family === b.family && a.start <= b.end && b.start <= a.end;
