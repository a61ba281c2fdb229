import { goQuote } from '../../go-quote.ts';
import { formatIpAddress, type IpAddress, isV4, parseIpAddress } from './ip-address.ts';

/** An address and the number of leading bits that name the network (`10.1.2.3/8`). */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly bits: number;
}

export type PrefixParseResult = { readonly ok: true; readonly prefix: IpPrefix } | { readonly ok: false; readonly error: string };

/** Reads a prefix the way Go's `netip.ParsePrefix` does; the error is Go's text. */
export function parseIpPrefix(text: string): PrefixParseResult {
  const failure = (message: string): PrefixParseResult => ({ ok: false, error: `netip.ParsePrefix(${goQuote(text)}): ${message}` });
  const slash = text.lastIndexOf('/');
  if (slash < 0) return failure("no '/'");
  const parsed = parseIpAddress(text.slice(0, slash));
  if (!parsed.ok) return failure(parsed.error);
  if (parsed.address.zone !== '') return failure('IPv6 zones cannot be present in a prefix');
  const bits = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]*)$/.test(bits) || Number(bits) > 2 ** 63 - 1) return failure(`bad bits after slash: ${goQuote(bits)}`);
  if (Number(bits) > (isV4(parsed.address) ? 32 : 128)) return failure('prefix length out of range');
  return { ok: true, prefix: { address: parsed.address, bits: Number(bits) } };
}

export const formatIpPrefix = (prefix: IpPrefix): string => `${formatIpAddress(prefix.address)}/${prefix.bits}`;

/** The same network with the bits beyond the prefix set to zero. */
export function maskPrefix({ address, bits }: IpPrefix): IpPrefix {
  const bytes = address.bytes.map((byte, index) => byte & byteMask(bits, index));
  return { address: { bytes, zone: '' }, bits };
}

/** Whether the address lies within the network; never across families, never with a zone. */
export const prefixContains = ({ address, bits }: IpPrefix, other: IpAddress): boolean =>
  other.zone === '' && address.bytes.length === other.bytes.length && sameBits(address.bytes, other.bytes, bits);

/** Whether two networks have an address in common. */
export const prefixesOverlap = (a: IpPrefix, b: IpPrefix): boolean =>
  a.address.bytes.length === b.address.bytes.length && sameBits(a.address.bytes, b.address.bytes, Math.min(a.bits, b.bits));

const byteMask = (bits: number, index: number): number => {
  const left = bits - 8 * index;
  return left >= 8 ? 0xff : left <= 0 ? 0 : (0xff << (8 - left)) & 0xff;
};

const sameBits = (a: Uint8Array, b: Uint8Array, bits: number): boolean =>
  a.every((byte, index) => ((byte ^ (b[index] as number)) & byteMask(bits, index)) === 0);
