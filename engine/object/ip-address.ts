import { formatIpAddress, type IpAddress, isV4, isV4Mapped, parseIpAddress } from '../cel/libraries/net/ip-address.ts';
import { type IpPrefix, maskPrefix, parseIpPrefix } from '../cel/libraries/net/ip-prefix.ts';

/*
 * Addresses and networks for whoever configures them: the parsers of the CEL libraries, without their error texts, and arithmetic.
 * Addresses have no zone and are never IPv4-mapped, as nothing that is configured by such an address would mean what it seems to.
 */

export { equalAddresses, formatIpAddress, type IpAddress, isLinkLocalUnicast, isV4 } from '../cel/libraries/net/ip-address.ts';
export { formatIpPrefix, type IpPrefix, maskPrefix, prefixContains, prefixesOverlap } from '../cel/libraries/net/ip-prefix.ts';

export type IpFamily = 4 | 6;

/** Reads `10.1.0.5` or `fd00::5`; undefined for anything else, for zones, and for IPv4 within IPv6. */
export function parseIp(text: string): IpAddress | undefined {
  const parsed = parseIpAddress(text);
  return parsed.ok && parsed.address.zone === '' && !isV4Mapped(parsed.address) ? parsed.address : undefined;
}

/** Reads `10.1.0.5/16`; the address keeps its bits beyond the prefix. Undefined for anything else. */
export function parseCidr(text: string): IpPrefix | undefined {
  const parsed = parseIpPrefix(text);
  return parsed.ok && !isV4Mapped(parsed.prefix.address) ? parsed.prefix : undefined;
}

/** Reads an address, or an address with a prefix length; one without has the length of its family: 32 or 128. */
export function parseIpOrCidr(text: string): IpPrefix | undefined {
  if (text.includes('/')) return parseCidr(text);
  const address = parseIp(text);
  return address === undefined ? undefined : hostPrefix(address);
}

/** Whether a text is an IPv4 address in the one form in which it is printed: of the thousands of a cluster most are. */
export const isPlainIpv4 = (text: string): boolean => PLAIN_IPV4.test(text);

const PLAIN_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/;

/** An address in the one form in which it is printed; text that is none stays as it is. */
export function canonicalIp(text: string): string {
  const address = parseIp(text);
  return address === undefined ? text : formatIpAddress(address);
}

/** The network of this address alone: `/32` or `/128`. */
export const hostPrefix = (address: IpAddress): IpPrefix => ({ address, bits: addressBits(address) });

export const familyOf = (address: IpAddress): IpFamily => (isV4(address) ? 4 : 6);

/** Bits of an address of this family: 32 or 128. */
export const addressBits = (address: IpAddress): number => address.bytes.length * 8;

/** The address as one unsigned number, most significant byte first. */
export const addressToNumber = (address: IpAddress): bigint => address.bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The address that a number stands for; undefined when the family has no such address. */
export function addressFromNumber(value: bigint, family: IpFamily): IpAddress | undefined {
  const length = family === 4 ? 4 : 16;
  if (value < 0n || value >= 1n << BigInt(8 * length)) return undefined;
  const bytes = new Uint8Array(length);
  for (let index = length - 1, rest = value; index >= 0; index--, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  return { bytes, zone: '' };
}

/** The address `steps` after this one, or before it; undefined beyond the ends of the family. */
export const addToAddress = (address: IpAddress, steps: bigint): IpAddress | undefined =>
  addressFromNumber(addressToNumber(address) + steps, familyOf(address));

/** Less than, equal to, or greater than 0, as for `sort`. IPv4 comes before IPv6. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a.bytes.length !== b.bytes.length) return a.bytes.length - b.bytes.length;
  const at = a.bytes.findIndex((byte, index) => byte !== b.bytes[index]);
  return at < 0 ? 0 : (a.bytes[at] as number) - (b.bytes[at] as number);
}

/** First address of the network: `10.1.0.0` of `10.1.2.3/16`. */
export const networkAddress = (prefix: IpPrefix): IpAddress => maskPrefix(prefix).address;

/** Last address of the network, in IPv4 its broadcast address: `10.1.255.255` of `10.1.2.3/16`. */
export function lastAddress({ address, bits }: IpPrefix): IpAddress {
  const hostBits = BigInt(addressBits(address) - bits);
  const bytes = addressFromNumber(addressToNumber(address) | ((1n << hostBits) - 1n), familyOf(address));
  return bytes as IpAddress;
}

/** How many addresses the network has. */
export const prefixSize = ({ address, bits }: IpPrefix): bigint => 1n << BigInt(addressBits(address) - bits);
