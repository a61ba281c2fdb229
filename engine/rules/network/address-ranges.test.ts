import { describe, expect, it } from 'vitest';
import { countOf, readRanges } from './address-ranges.ts';
import type { AddressRange } from './program.ts';

const read = (...sets: readonly (readonly AddressRange[])[]): string => {
  const result = readRanges(sets);
  return result.ok
    ? result.sets.map((set) => `${set.text} x${countOf(set)} by ${set.ranges.map((range) => range.gatewayText).join()}`).join(' | ')
    : result.message;
};

describe('what a range holds', () => {
  it.each<[AddressRange, string]>([
    [{ subnet: '192.0.2.0/24' }, '192.0.2.1-192.0.2.254 x253 by 192.0.2.1'],
    [{ subnet: '192.0.2.0/30' }, '192.0.2.1-192.0.2.2 x1 by 192.0.2.1'],
    [{ subnet: '10.0.0.0/8' }, '10.0.0.1-10.255.255.254 x16777213 by 10.0.0.1'],
    [{ subnet: '192.0.2.0/24', gateway: '192.0.2.254' }, '192.0.2.1-192.0.2.254 x253 by 192.0.2.254'],
    [{ subnet: '192.0.2.0/24', gateway: '10.9.9.9' }, '192.0.2.1-192.0.2.254 x254 by 10.9.9.9'],
    [{ subnet: '192.0.2.0/24', gateway: 'fd00::1' }, '192.0.2.1-192.0.2.254 x254 by fd00::1'],
    [{ subnet: '192.0.2.0/24', gateway: '', rangeStart: '', rangeEnd: '' }, '192.0.2.1-192.0.2.254 x253 by 192.0.2.1'],
    [{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.40', rangeEnd: '192.0.2.50' }, '192.0.2.40-192.0.2.50 x11 by 192.0.2.1'],
    [{ subnet: '192.0.2.0/24', rangeStart: '192.0.2.0', rangeEnd: '192.0.2.255' }, '192.0.2.0-192.0.2.255 x255 by 192.0.2.1'],
    [{ subnet: '2001:DB8:1::/64' }, '2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff x18446744073709551614 by 2001:db8:1::1'],
    [{ subnet: '192.0.2.0/31' }, 'invalid range set 0: Network 192.0.2.0/31 too small to allocate from'],
    [{ subnet: '192.0.2.1/32' }, 'invalid range set 0: Network 192.0.2.1/32 too small to allocate from'],
    [
      { subnet: '192.0.2.12/24' },
      'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 192.0.2.0',
    ],
    [{ subnet: '192.0.2.0' }, 'invalid range set 0: invalid CIDR address: 192.0.2.0'],
    [{ subnet: '' }, 'invalid range set 0: invalid CIDR address: '],
    [{ subnet: '192.0.2.0/24', gateway: 'x' }, 'invalid range set 0: IP x not v4 nor v6'],
    [{ subnet: '192.0.2.0/24', rangeStart: '192.0.3.0' }, 'invalid range set 0: RangeStart 192.0.3.0 not in network 192.0.2.0/24'],
    [{ subnet: '192.0.2.0/24', rangeStart: 'fd00::1' }, 'invalid range set 0: RangeStart fd00::1 not in network 192.0.2.0/24'],
    [{ subnet: '192.0.2.0/24', rangeEnd: '192.0.1.0' }, 'invalid range set 0: RangeEnd 192.0.1.0 not in network 192.0.2.0/24'],
    [{ subnet: '192.0.2.0/24', rangeEnd: 'x' }, 'invalid range set 0: IP x not v4 nor v6'],
    [
      { subnet: '192.0.2.0/24', rangeStart: '192.0.2.50', rangeEnd: '192.0.2.40' },
      'invalid range set 0: RangeEnd 192.0.2.40 is before RangeStart 192.0.2.50',
    ],
  ])('%j', (range, expected) => {
    expect(read([range])).toBe(expected);
  });
});

describe('what sets hold', () => {
  it.each<[string, readonly (readonly AddressRange[])[], string]>([
    ['none', [], 'no IP ranges specified'],
    ['an empty one', [[]], 'invalid range set 0: empty range set'],
    ['two families in one', [[{ subnet: '192.168.0.0/20' }, { subnet: '2001:db8:1::/64' }]], 'invalid range set 0: mixed address families'],
    [
      'an overlap within one',
      [[{ subnet: '192.168.0.0/20' }, { subnet: '192.168.2.0/24' }]],
      'invalid range set 0: subnets 192.168.0.1-192.168.15.254 and 192.168.2.1-192.168.2.254 overlap',
    ],
    [
      'an overlap of two',
      [[{ subnet: '10.0.0.0/24' }], [{ subnet: 'fd00::/64' }], [{ subnet: '10.0.0.0/16' }]],
      'range set 0 overlaps with 2',
    ],
    [
      'a pool of one subnet in several pieces',
      [
        [
          { subnet: '10.0.0.0/24', rangeEnd: '10.0.0.5' },
          { subnet: '10.0.0.0/24', rangeStart: '10.0.0.10', rangeEnd: '10.0.0.11' },
        ],
      ],
      '10.0.0.1-10.0.0.5,10.0.0.10-10.0.0.11 x6 by 10.0.0.1,10.0.0.1',
    ],
    ['too many of all', Array(5).fill(Array(205).fill({ subnet: '10.0.0.0/24' })), 'more than 1024 IP ranges specified in all sets'],
    ['too many', Array(257).fill([{ subnet: '10.0.0.0/24' }]), 'more than 256 IP ranges specified'],
  ])('%s', (_, sets, expected) => {
    expect(read(...sets)).toBe(expected);
  });
});
