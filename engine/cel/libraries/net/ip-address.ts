import { goQuote } from '../../go-quote.ts';

/** An IPv4 or IPv6 address: its 4 or 16 bytes, and the zone of a scoped IPv6 address. */
export interface IpAddress {
  readonly bytes: Uint8Array;
  readonly zone: string;
}

export type IpParseResult = { readonly ok: true; readonly address: IpAddress } | { readonly ok: false; readonly error: string };

/** Reads an address the way Go's `netip.ParseAddr` does: strict dotted quads, no leading zeros; the error is Go's text. */
export function parseIpAddress(text: string): IpParseResult {
  for (const char of text) {
    if (char === '.') return parseV4(text);
    if (char === ':') return parseV6(text);
    if (char === '%') return failure(text, 'missing IPv6 address');
  }
  return failure(text, 'unable to parse IP');
}

const failure = (text: string, message: string, at = ''): { readonly ok: false; readonly error: string } => ({
  ok: false,
  error: `ParseAddr(${goQuote(text)}): ${message}${at === '' ? '' : ` (at ${goQuote(at)})`}`,
});

function parseV4(text: string): IpParseResult {
  const bytes = new Uint8Array(4);
  return parseV4Fields(text, text, bytes, 0) ?? { ok: true, address: { bytes, zone: '' } };
}

/** Fills four bytes from `part`; the answer is the failure, if any. */
function parseV4Fields(text: string, part: string, bytes: Uint8Array, offset: number): ReturnType<typeof failure> | undefined {
  let value = 0;
  let position = 0;
  let digits = 0;
  for (let i = 0; i < part.length; i++) {
    const char = part[i] as string;
    if (char >= '0' && char <= '9') {
      if (digits === 1 && value === 0) return failure(text, 'IPv4 field has octet with leading zero');
      value = value * 10 + Number(char);
      digits++;
      if (value > 255) return failure(text, 'IPv4 field has value >255');
    } else if (char === '.') {
      if (i === 0 || i === part.length - 1 || part[i - 1] === '.') {
        return failure(text, 'IPv4 field must have at least one digit', part.slice(i));
      }
      if (position === 3) return failure(text, 'IPv4 address too long');
      bytes[offset + position] = value;
      position++;
      value = 0;
      digits = 0;
    } else return failure(text, 'unexpected character', part.slice(i));
  }
  if (position < 3) return failure(text, 'IPv4 address too short');
  bytes[offset + 3] = value;
  return undefined;
}

function parseV6(text: string): IpParseResult {
  let rest = text;
  let zone = '';
  const percent = text.indexOf('%');
  if (percent >= 0) {
    rest = text.slice(0, percent);
    zone = text.slice(percent + 1);
    if (zone === '') return failure(text, 'zone must be a non-empty string');
  }
  const bytes = new Uint8Array(16);
  let ellipsis = -1;
  if (rest.startsWith('::')) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === '') return { ok: true, address: { bytes, zone } };
  }
  let filled = 0;
  while (filled < 16) {
    const digits = (/^[0-9a-fA-F]*/.exec(rest) as RegExpExecArray)[0];
    if (digits.length > 4) return failure(text, 'each group must have 4 or less digits', rest);
    if (digits === '') return failure(text, 'each colon-separated field must have at least one digit', rest);
    if (rest[digits.length] === '.') {
      if (ellipsis < 0 && filled !== 12) {
        return failure(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest);
      }
      if (filled + 4 > 16) return failure(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest);
      const failed = parseV4Fields(text, rest, bytes, filled);
      if (failed) return failed;
      rest = '';
      filled += 4;
      break;
    }
    const group = Number.parseInt(digits, 16);
    bytes[filled] = group >> 8;
    bytes[filled + 1] = group & 0xff;
    filled += 2;
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (rest[0] !== ':') return failure(text, 'unexpected character, want colon', rest);
    if (rest.length === 1) return failure(text, 'colon must be followed by more characters', rest);
    rest = rest.slice(1);
    if (rest[0] === ':') {
      if (ellipsis >= 0) return failure(text, 'multiple :: in address', rest);
      ellipsis = filled;
      rest = rest.slice(1);
      if (rest === '') break;
    }
  }
  if (rest !== '') return failure(text, 'trailing garbage after address', rest);
  if (filled < 16) {
    if (ellipsis < 0) return failure(text, 'address string too short');
    bytes.copyWithin(16 - (filled - ellipsis), ellipsis, filled);
    bytes.fill(0, ellipsis, 16 - (filled - ellipsis));
  } else if (ellipsis >= 0) return failure(text, 'the :: must expand to at least one field of zeros');
  return { ok: true, address: { bytes, zone } };
}

export const isV4 = (address: IpAddress): boolean => address.bytes.length === 4;

/** `::ffff:a.b.c.d`. */
export const isV4Mapped = ({ bytes }: IpAddress): boolean =>
  bytes.length === 16 && bytes.every((byte, index) => index >= 12 || byte === (index >= 10 ? 0xff : 0));

/** The canonical text: lower case, the longest run of two or more zero groups shortened (RFC 5952). Go: netip.Addr.String. */
export function formatIpAddress(address: IpAddress): string {
  const { bytes } = address;
  if (bytes.length === 4) return bytes.join('.');
  const zone = address.zone === '' ? '' : `%${address.zone}`;
  if (isV4Mapped(address)) return `::ffff:${bytes.slice(12).join('.')}${zone}`;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return start < 0 ? hex(0, 8) + zone : `${hex(0, start)}::${hex(start + length, 8)}${zone}`;
}

export const isUnspecified = ({ bytes, zone }: IpAddress): boolean => zone === '' && bytes.every((byte) => byte === 0);

export const isLoopback = (address: IpAddress): boolean =>
  isV4(address) ? address.bytes[0] === 127 : address.bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));

export const isLinkLocalMulticast = ({ bytes }: IpAddress): boolean =>
  bytes.length === 4 ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0 : bytes[0] === 0xff && ((bytes[1] as number) & 0x0f) === 0x02;

export const isLinkLocalUnicast = ({ bytes }: IpAddress): boolean =>
  bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && ((bytes[1] as number) & 0xc0) === 0x80;

const isMulticast = ({ bytes }: IpAddress): boolean => (bytes.length === 4 ? ((bytes[0] as number) & 0xf0) === 0xe0 : bytes[0] === 0xff);

/** Go: netip.Addr.IsGlobalUnicast; true for private ranges too. */
export const isGlobalUnicast = (address: IpAddress): boolean =>
  !(isV4(address) && address.bytes.every((byte) => byte === 255)) &&
  !isUnspecified(address) &&
  !isLoopback(address) &&
  !isMulticast(address) &&
  !isLinkLocalUnicast(address);

export const equalAddresses = (a: IpAddress, b: IpAddress): boolean =>
  a.bytes.length === b.bytes.length && a.zone === b.zone && a.bytes.every((byte, index) => byte === b.bytes[index]);
