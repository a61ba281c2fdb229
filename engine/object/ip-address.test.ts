import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressFromNumber,
  addressToNumber,
  addToAddress,
  canonicalIp,
  compareAddresses,
  familyOf,
  formatIpAddress,
  formatIpPrefix,
  type IpAddress,
  isPlainIpv4,
  lastAddress,
  networkAddress,
  parseCidr,
  parseIp,
  parseIpOrCidr,
  prefixContains,
  prefixSize,
} from './ip-address.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const optional = (address: IpAddress | undefined): string | undefined => (address === undefined ? undefined : formatIpAddress(address));

describe('reading', () => {
  it.each([
    ['10.1.0.5', '10.1.0.5'],
    ['fd00:0::5', 'fd00::5'],
    ['010.1.0.5', undefined],
    ['10.1.0', undefined],
    ['10.1.0.5/8', undefined],
    ['fe80::1%eth0', undefined],
    ['::ffff:10.1.0.5', undefined],
    ['', undefined],
  ])('an address %j is %j', (text, expected) => expect(optional(parseIp(text))).toBe(expected));

  it.each([
    ['10.1.2.3/16', '10.1.2.3/16'],
    ['fd00::1/64', 'fd00::1/64'],
    ['10.1.2.3', undefined],
    ['10.1.2.3/33', undefined],
    ['10.1.2.3/08', undefined],
    ['::ffff:10.1.2.3/120', undefined],
  ])('a network %j is %j', (text, expected) => {
    const prefix = parseCidr(text);
    expect(prefix && formatIpPrefix(prefix)).toBe(expected);
  });

  it.each([
    ['10.1.2.3', '10.1.2.3/32'],
    ['fd00::1', 'fd00::1/128'],
    ['10.1.2.3/8', '10.1.2.3/8'],
    ['x/8', undefined],
  ])('either of them %j is %j', (text, expected) => {
    const prefix = parseIpOrCidr(text);
    expect(prefix && formatIpPrefix(prefix)).toBe(expected);
  });

  it('knows plain IPv4 addresses: those that are read, and printed as they are', () => {
    for (const text of ['10.1.0.5', '0.0.0.0', '255.255.255.255', '199.249.9.10']) expect(isPlainIpv4(text)).toBe(true);
    for (const text of ['256.1.1.1', '1.2.3', '1.2.3.4.5', '1.2.3.4.', '.1.2.3.4', '01.2.3.4', '1.2.3.4/32', '1.2.3.4\n', '', 'a.b.c.d'])
      expect(isPlainIpv4(text)).toBe(false);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        const read = parseIp(text);
        expect(isPlainIpv4(text)).toBe(read !== undefined && familyOf(read) === 4 && formatIpAddress(read) === text);
      }),
    );
  });

  it.each([
    ['FD00:0::5', 'fd00::5'],
    ['10.1.0.5', '10.1.0.5'],
    ['::ffff:10.1.0.5', '::ffff:10.1.0.5'],
    ['eth0', 'eth0'],
  ])('%j in its canonical form is %j', (text, expected) => expect(canonicalIp(text)).toBe(expected));
});

describe('arithmetic', () => {
  it.each([
    ['10.0.0.255', 1n, '10.0.1.0'],
    ['10.0.0.0', -1n, '9.255.255.255'],
    ['255.255.255.255', 1n, undefined],
    ['0.0.0.0', -1n, undefined],
    ['fd00::ffff', 1n, 'fd00::1:0'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 1n, undefined],
  ])('%s and %s more is %s', (from, steps, expected) => expect(optional(addToAddress(ip(from), steps))).toBe(expected));

  it.each([
    ['10.1.2.3/16', '10.1.0.0', '10.1.255.255', 65_536n],
    ['10.1.2.3/32', '10.1.2.3', '10.1.2.3', 1n],
    ['10.1.2.3/0', '0.0.0.0', '255.255.255.255', 1n << 32n],
    ['fd00::5/120', 'fd00::', 'fd00::ff', 256n],
  ])('%s goes from %s to %s and has %s addresses', (text, first, last, size) => {
    const prefix = parseCidr(text)!;
    expect([formatIpAddress(networkAddress(prefix)), formatIpAddress(lastAddress(prefix)), prefixSize(prefix)]).toEqual([
      first,
      last,
      size,
    ]);
  });

  const address = fc
    .tuple(fc.constantFrom(4 as const, 6 as const), fc.bigInt(0n, (1n << 128n) - 1n))
    .map(([family, value]) => addressFromNumber(family === 4 ? value & 0xffffffffn : value, family) as IpAddress);

  it('goes from numbers to addresses and back', () =>
    fc.assert(
      fc.property(address, (it) => {
        expect(addressFromNumber(addressToNumber(it), familyOf(it))).toEqual(it);
      }),
    ));

  it('orders addresses of a family as their numbers', () =>
    fc.assert(
      fc.property(address, address, (a, b) => {
        fc.pre(familyOf(a) === familyOf(b));
        expect(Math.sign(compareAddresses(a, b))).toBe(
          addressToNumber(a) < addressToNumber(b) ? -1 : addressToNumber(a) > addressToNumber(b) ? 1 : 0,
        );
      }),
    ));

  it('has both ends of a network in it, and their neighbours not', () =>
    fc.assert(
      fc.property(address, fc.nat(128), (it, bits) => {
        const prefix = { address: it, bits: Math.min(bits, familyOf(it) === 4 ? 32 : 128) };
        const before = addToAddress(networkAddress(prefix), -1n);
        const after = addToAddress(lastAddress(prefix), 1n);
        expect(prefixContains(prefix, networkAddress(prefix)) && prefixContains(prefix, lastAddress(prefix))).toBe(true);
        expect([before, after].some((other) => other !== undefined && prefixContains(prefix, other))).toBe(false);
      }),
    ));
});
