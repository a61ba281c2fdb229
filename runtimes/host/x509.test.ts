import { describe, expect, it } from 'vitest';
import { bitString, context, element, objectIdentifier, time, unsignedInteger } from './der.ts';
import { addressOctets } from './x509.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('DER', () => {
  it.each([
    ['an empty element', element(0x30), '3000'],
    ['a long length', element(0x04, new Uint8Array(300)).subarray(0, 4), '0482012c'],
    ['zero', unsignedInteger(Uint8Array.of(0)), '020100'],
    ['leading zeros', unsignedInteger(Uint8Array.of(0, 0, 5)), '020105'],
    ['a high bit', unsignedInteger(Uint8Array.of(0x80)), '02020080'],
    ['prime256v1', objectIdentifier('1.2.840.10045.3.1.7'), '06082a8648ce3d030107'],
    ['a UTCTime', time(Date.UTC(2049, 11, 31, 23, 59, 59)), `170d${Buffer.from('491231235959Z').toString('hex')}`],
    ['a GeneralizedTime', time(Date.UTC(2050, 0, 1)), `180f${Buffer.from('20500101000000Z').toString('hex')}`],
    ['unused bits', bitString(Uint8Array.of(0x80), 7), '03020780'],
    ['a context tag', context(3, 'constructed', element(0x30)), 'a3023000'],
  ])('%s', (_, actual, expected) => expect(hex(actual)).toBe(expected));
});

describe('IP addresses', () => {
  it.each([
    ['127.0.0.1', '7f000001'],
    ['::1', `${'0'.repeat(31)}1`],
    ['::', '0'.repeat(32)],
    ['2001:db8::8a2e:370:7334', '20010db80000000000008a2e03707334'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['fe80::', `fe80${'0'.repeat(28)}`],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  ])('%s', (address, expected) => expect(hex(addressOctets(address))).toBe(expected));

  it.each(['localhost', '1.2.3', 'fe80::1%eth0', ''])('refuses %j', (address) => expect(() => addressOctets(address)).toThrow(TypeError));
});
