import {
  addToAddress,
  compareAddresses,
  equalAddresses,
  formatIpAddress,
  type IpAddress,
  lastAddress,
  networkAddress,
  parseCidr,
  parseIp,
  parseIpOrCidr,
} from '../../object/ip-address.ts';
import type { AddressAnswer, AddressRange, AddressRequest } from './program.ts';

/**
 * The addresses that an allocator without any reservation gives: those that are asked for, else the first of each set. For dry runs and tests;
 * ranges that can't be read give none.
 */
export function firstAddresses({ ranges, requested }: Pick<AddressRequest, 'ranges' | 'requested'>): AddressAnswer['ips'] {
  const asked = requested.flatMap((text) => parseIpOrCidr(text)?.address ?? []);
  return ranges.flatMap((set) => {
    for (const address of asked) {
      const range = set.find((each) => isWithin(each, address));
      if (range !== undefined) return answer(range, address);
    }
    const [first] = set;
    const address = first && firstOf(first);
    return first === undefined || address === undefined ? [] : answer(first, address);
  });
}

function answer(range: AddressRange, address: IpAddress): AddressAnswer['ips'] {
  const bits = parseCidr(range.subnet)!.bits;
  return [{ address: `${formatIpAddress(address)}/${bits}`, gateway: formatIpAddress(gatewayOf(range)!) }];
}

const given = (text: string | undefined): IpAddress | undefined => (text === undefined || text === '' ? undefined : parseIp(text));

/** The first address of the subnet where the range names no gateway. */
function gatewayOf({ subnet, gateway }: AddressRange): IpAddress | undefined {
  const prefix = parseCidr(subnet);
  return given(gateway) ?? (prefix && addToAddress(networkAddress(prefix), 1n));
}

function firstOf(range: AddressRange): IpAddress | undefined {
  const prefix = parseCidr(range.subnet);
  const gateway = gatewayOf(range);
  if (prefix === undefined || gateway === undefined) return undefined;
  const start = given(range.rangeStart) ?? addToAddress(networkAddress(prefix), 1n);
  return start !== undefined && equalAddresses(start, gateway) ? addToAddress(start, 1n) : start;
}

function isWithin(range: AddressRange, address: IpAddress): boolean {
  const prefix = parseCidr(range.subnet);
  if (prefix === undefined || prefix.address.bytes.length !== address.bytes.length) return false;
  const start = given(range.rangeStart) ?? networkAddress(prefix);
  const end = given(range.rangeEnd) ?? lastAddress(prefix);
  return compareAddresses(start, address) <= 0 && compareAddresses(address, end) <= 0;
}
