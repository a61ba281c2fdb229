import { addressFromNumber, addressToNumber, familyOf, formatIpAddress, parseIpOrCidr } from '../../object/ip-address.ts';
import { type Range, rangeOf, readRanges } from './address-ranges.ts';
import type { AddressAnswer, AddressRequest } from './program.ts';

/**
 * The addresses that an allocator without any reservation gives: those that are asked for, else the first of each set. For dry runs and tests;
 * ranges that can't be read give none.
 */
export function firstAddresses({ ranges, requested }: Pick<AddressRequest, 'ranges' | 'requested'>): AddressAnswer['ips'] {
  const read = readRanges(ranges);
  if (!read.ok) return [];
  const asked = requested.flatMap((text) => parseIpOrCidr(text)?.address ?? []);
  return read.sets.flatMap((set) => {
    for (const address of asked) {
      const number = addressToNumber(address);
      const range = rangeOf(set, familyOf(address), number);
      if (range !== undefined) return answer(range, number);
    }
    const [first] = set.ranges;
    return answer(first, first.start === first.gateway ? first.start + 1n : first.start);
  });
}

function answer({ family, end, bits, gatewayText }: Range, number: bigint): AddressAnswer['ips'] {
  const address = number > end ? undefined : addressFromNumber(number, family);
  return address === undefined ? [] : [{ address: `${formatIpAddress(address)}/${bits}`, gateway: gatewayText }];
}
