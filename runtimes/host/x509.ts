import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  context,
  objectIdentifier,
  octetString,
  pem,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from './der.ts';

export interface CertificateRequest {
  /** Common name of the subject. */
  readonly subject: string;
  /** Common name of the issuer; the same as `subject` in a self-signed certificate. */
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** The issuer's EC P-256 private key. */
  readonly issuerKey: KeyObject;
  /** Milliseconds since the epoch, used to the second. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly use: CertificateUse;
}

/** What a certificate may do: sign others, or prove a server's or a client's name. */
export type CertificateUse =
  | { readonly kind: 'authority' }
  | { readonly kind: 'server'; readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] }
  | { readonly kind: 'client' };

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/**
 * Makes and signs an X.509 v3 certificate (RFC 5280), as PEM. Throws a TypeError for an address that is none or for a DNS
 * name that is not ASCII.
 */
export function issueCertificate(request: CertificateRequest): string {
  const { use } = request;
  const key = request.publicKey.export({ type: 'spki', format: 'der' });
  const extensions = [
    extension('2.5.29.19', true, sequence(...(use.kind === 'authority' ? [boolean(true)] : []))),
    // keyCertSign and cRLSign, or digitalSignature.
    extension('2.5.29.15', true, use.kind === 'authority' ? bitString(Uint8Array.of(0x06), 1) : bitString(Uint8Array.of(0x80), 7)),
    extension('2.5.29.14', false, octetString(keyIdentifier(request.publicKey))),
    extension('2.5.29.35', false, sequence(context(0, 'primitive', keyIdentifier(createPublicKey(request.issuerKey))))),
  ];
  if (use.kind !== 'authority') {
    const purpose = use.kind === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
    extensions.push(extension('2.5.29.37', false, sequence(objectIdentifier(purpose))));
  }
  if (use.kind === 'server') extensions.push(extension('2.5.29.17', false, sequence(...alternativeNames(use.dnsNames, use.ipAddresses))));

  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // Positive and never zero.
  const body = sequence(
    context(0, 'constructed', unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(serial),
    ECDSA_WITH_SHA256,
    commonName(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    commonName(request.subject),
    key,
    context(3, 'constructed', sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, ECDSA_WITH_SHA256, bitString(sign('sha256', body, request.issuerKey))));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function commonName(name: string): Uint8Array {
  return sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(name))));
}

/** RFC 7093, method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return createHash('sha256').update(point).digest().subarray(0, 20);
}

function alternativeNames(dnsNames: readonly string[], addresses: readonly string[]): Uint8Array[] {
  return [
    ...dnsNames.map((name) => {
      if (!/^[\x21-\x7e]+$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a DNS name`);
      return context(2, 'primitive', new TextEncoder().encode(name));
    }),
    ...addresses.map((address) => context(7, 'primitive', addressOctets(address))),
  ];
}

/** Four or sixteen octets of an IP address in text. */
export function addressOctets(address: string): Uint8Array {
  const family = isIP(address);
  if (family === 4) return Uint8Array.from(address.split('.').map(Number));
  if (family !== 6 || address.includes('%')) throw new TypeError(`${JSON.stringify(address)} is not an IP address`);
  // The URL parser writes every form of an IPv6 address in one: hexadecimal groups and at most one `::`.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
