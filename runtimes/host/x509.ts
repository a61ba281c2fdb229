import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  context,
  element,
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
  /** The issuer's private key: EC on P-256, or RSA. */
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
  | { readonly kind: 'client' }
  | {
      /** As somebody else orders it. */
      readonly kind: 'custom';
      readonly isAuthority: boolean;
      readonly dnsNames: readonly string[];
      readonly ipAddresses: readonly string[];
      /** Words of {@link KEY_USAGES} and {@link EXTENDED_KEY_USAGES}. */
      readonly usages: readonly string[];
    };

/** RFC 5280 4.2.1.3: the bit of each key usage. */
const KEY_USAGES: ReadonlyMap<string, number> = new Map([
  ['digital signature', 0],
  ['content commitment', 1],
  ['key encipherment', 2],
  ['data encipherment', 3],
  ['key agreement', 4],
  ['cert sign', 5],
  ['crl sign', 6],
]);

/** RFC 5280 4.2.1.12: the purpose of each extended key usage. */
const EXTENDED_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  ['server auth', '1.3.6.1.5.5.7.3.1'],
  ['client auth', '1.3.6.1.5.5.7.3.2'],
  ['code signing', '1.3.6.1.5.5.7.3.3'],
  ['email protection', '1.3.6.1.5.5.7.3.4'],
  ['timestamping', '1.3.6.1.5.5.7.3.8'],
  ['ocsp signing', '1.3.6.1.5.5.7.3.9'],
]);

/** What a use comes to in extensions. */
interface Extent {
  readonly isAuthority: boolean;
  readonly usages: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

function extentOf(use: CertificateUse): Extent {
  const none = { dnsNames: [], ipAddresses: [] };
  switch (use.kind) {
    case 'authority':
      return { isAuthority: true, usages: ['cert sign', 'crl sign'], ...none };
    case 'server':
      return { isAuthority: false, usages: ['digital signature', 'server auth'], dnsNames: use.dnsNames, ipAddresses: use.ipAddresses };
    case 'client':
      return { isAuthority: false, usages: ['digital signature', 'client auth'], ...none };
    case 'custom':
      return { ...use, usages: use.isAuthority ? [...use.usages, 'cert sign', 'crl sign'] : use.usages };
  }
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
/** RFC 4055 5: the parameters are NULL. */
const RSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.113549.1.1.11'), element(0x05));

/**
 * Makes and signs an X.509 v3 certificate (RFC 5280), as PEM. Throws a TypeError for an address that is none, for a DNS name
 * that is not ASCII, and for a usage that is not known.
 */
export function issueCertificate(request: CertificateRequest): string {
  const extent = extentOf(request.use);
  const key = request.publicKey.export({ type: 'spki', format: 'der' });
  const extensions = [
    extension('2.5.29.19', true, sequence(...(extent.isAuthority ? [boolean(true)] : []))),
    extension('2.5.29.14', false, octetString(keyIdentifier(request.publicKey))),
    extension('2.5.29.35', false, sequence(context(0, 'primitive', keyIdentifier(createPublicKey(request.issuerKey))))),
  ];
  const { bits, purposes } = readUsages(extent.usages);
  if (bits !== 0) extensions.push(extension('2.5.29.15', true, keyUsage(bits)));
  if (purposes.length > 0) extensions.push(extension('2.5.29.37', false, sequence(...purposes.map(objectIdentifier))));
  if (extent.dnsNames.length + extent.ipAddresses.length > 0) {
    extensions.push(extension('2.5.29.17', false, sequence(...alternativeNames(extent.dnsNames, extent.ipAddresses))));
  }

  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // Positive and never zero.
  const algorithm = request.issuerKey.asymmetricKeyType === 'rsa' ? RSA_WITH_SHA256 : ECDSA_WITH_SHA256;
  const body = sequence(
    context(0, 'constructed', unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(serial),
    algorithm,
    commonName(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    commonName(request.subject),
    key,
    context(3, 'constructed', sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bitString(sign('sha256', body, request.issuerKey))));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function commonName(name: string): Uint8Array {
  return sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(name))));
}

function readUsages(usages: readonly string[]): { readonly bits: number; readonly purposes: readonly string[] } {
  let bits = 0;
  const purposes = new Set<string>();
  for (const usage of usages) {
    const bit = KEY_USAGES.get(usage);
    const purpose = EXTENDED_KEY_USAGES.get(usage);
    if (bit !== undefined) bits |= 0x80 >> bit;
    else if (purpose !== undefined) purposes.add(purpose);
    else {
      const known = [...KEY_USAGES.keys(), ...EXTENDED_KEY_USAGES.keys()].join(', ');
      throw new TypeError(`${JSON.stringify(usage)} is not a usage of certificates; there are: ${known}`);
    }
  }
  return { bits, purposes: [...purposes] };
}

/** A named bit list: trailing zero bits are left out (X.690 11.2.2). */
function keyUsage(bits: number): Uint8Array {
  let unused = 0;
  while (((bits >> unused) & 1) === 0) unused++;
  return bitString(Uint8Array.of(bits), unused);
}

/** RFC 7093, method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType === 'rsa') {
    return createHash('sha256')
      .update(key.export({ type: 'pkcs1', format: 'der' }))
      .digest()
      .subarray(0, 20);
  }
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
