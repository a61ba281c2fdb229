/** The few forms of DER (X.690) that certificates are made of. Each function returns one complete element. */

/** An element of any tag around `content`. */
export function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const size = content.reduce((sum, part) => sum + part.length, 0);
  const length = lengthOctets(size);
  const out = new Uint8Array(1 + length.length + size);
  out[0] = tag;
  out.set(length, 1);
  let at = 1 + length.length;
  for (const part of content) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function lengthOctets(size: number): Uint8Array {
  if (size < 0x80) return Uint8Array.of(size);
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

export const sequence = (...items: readonly Uint8Array[]): Uint8Array => element(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Uint8Array => element(0x31, ...items);
export const octetString = (content: Uint8Array): Uint8Array => element(0x04, content);
export const boolean = (value: boolean): Uint8Array => element(0x01, Uint8Array.of(value ? 0xff : 0));
export const utf8String = (text: string): Uint8Array => element(0x0c, new TextEncoder().encode(text));

/** A bit string of whole octets, or with `unused` trailing bits. */
export const bitString = (content: Uint8Array, unused = 0): Uint8Array => element(0x03, Uint8Array.of(unused), content);

/** A non-negative integer, big-endian. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const significant = bytes.subarray(start);
  return (significant[0] ?? 0) & 0x80 ? element(0x02, Uint8Array.of(0), significant) : element(0x02, significant);
}

/** An object identifier in dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let value = arc >>> 7; value > 0; value >>>= 7) groups.unshift((value & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return element(0x06, Uint8Array.from(octets));
}

/** A time to the second. RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
  return Number(digits.slice(0, 4)) < 2050 ? element(0x17, ascii(`${digits.slice(2)}Z`)) : element(0x18, ascii(`${digits}Z`));
}

/** A context-specific element: constructed when it holds elements, primitive when it holds bare octets. */
export const context = (number: number, form: 'constructed' | 'primitive', ...content: readonly Uint8Array[]): Uint8Array =>
  element((form === 'constructed' ? 0xa0 : 0x80) | number, ...content);

/** PEM of one DER element. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
