import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import type { GeneratedValue } from '../../engine/rules/reconcile/program.ts';
import { issueCertificate } from '../host/x509.ts';

/** Fills an array with random bytes; `node:crypto` outside of tests. */
export type RandomBytes = (length: number) => Uint8Array;

type Random = Extract<GeneratedValue, { kind: 'random' }>;
type X509 = Extract<GeneratedValue, { kind: 'x509' }>;

/** A text of characters that are drawn evenly and independently. */
export function randomText({ length, alphabet }: Pick<Random, 'length' | 'alphabet'>, randomBytes: RandomBytes): string {
  const characters = [...alphabet];
  if (characters.length === 0) throw new RangeError('the alphabet of a random value is empty');
  // Bytes above the last multiple of the alphabet's size would favour its beginning.
  const bound = 256 - (256 % characters.length);
  if (characters.length > 256) throw new RangeError(`the alphabet has ${characters.length} characters, at most 256 are possible`);
  let text = '';
  let count = 0;
  while (count < length) {
    for (const byte of randomBytes(Math.max(16, length - count))) {
      if (byte >= bound) continue;
      text += characters[byte % characters.length]!;
      if (++count === length) break;
    }
  }
  return text;
}

/** The authority that signs, as PEM; both from one Secret. */
export interface IssuingAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOrder {
  readonly value: X509;
  /** Undefined: the certificate signs itself. */
  readonly issuer: IssuingAuthority | undefined;
  /** PEM of the key in use, to be kept; undefined: a new one is made. */
  readonly key: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** As a Secret of type `kubernetes.io/tls` has them, with the authority beside. */
export interface IssuedCertificate {
  readonly 'tls.key': string;
  readonly 'tls.crt': string;
  readonly 'ca.crt': string;
}

/** Clocks of those who check may be behind. */
const BACKDATE = 5 * 60_000;

/** Throws with words for a person where the issuer or a name is not usable. */
export function issue(order: CertificateOrder): IssuedCertificate {
  const { value, issuer, now } = order;
  const key = order.key === undefined ? makeKey(value.algorithm) : createPrivateKey(order.key);
  const authority = issuer === undefined ? undefined : readAuthority(issuer, now);
  const notAfter = now + value.duration;
  const certificate = issueCertificate({
    subject: value.commonName,
    issuer: authority === undefined ? value.commonName : authority.name,
    publicKey: createPublicKey(key),
    issuerKey: authority === undefined ? key : authority.key,
    notBefore: now - BACKDATE,
    notAfter: authority === undefined ? notAfter : Math.min(notAfter, authority.notAfter),
    use: {
      kind: 'custom',
      isAuthority: value.isCA,
      dnsNames: value.dnsNames,
      ipAddresses: value.ipAddresses,
      usages: value.usages.length === 0 && !value.isCA ? ['digital signature', 'key encipherment', 'server auth'] : value.usages,
    },
  });
  return {
    'tls.key': key.export({ type: 'pkcs8', format: 'pem' }) as string,
    'tls.crt': certificate,
    'ca.crt': issuer === undefined ? certificate : issuer.certificate,
  };
}

function makeKey(algorithm: X509['algorithm']): KeyObject {
  return algorithm === 'RSA'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function readAuthority(
  issuer: IssuingAuthority,
  now: number,
): { readonly name: string; readonly key: KeyObject; readonly notAfter: number } {
  const certificate = new X509Certificate(issuer.certificate);
  const key = createPrivateKey(issuer.key);
  if (!certificate.ca) throw new Error('the issuer is no authority: its certificate is not a CA');
  if (!certificate.checkPrivateKey(key)) throw new Error("the issuer's tls.key does not belong to its tls.crt");
  const notAfter = Date.parse(certificate.validTo);
  if (notAfter <= now) throw new Error(`the issuer's certificate ended at ${new Date(notAfter).toISOString()}`);
  const name = /(?:^|\n)CN=(.*)/.exec(certificate.subject)?.[1];
  // Chains are matched by name; one that has more than a common name would not match.
  if (name === undefined || certificate.subject.includes('\n')) throw new Error("the issuer's subject is not a single common name");
  return { name, key, notAfter };
}

/** When a certificate ends, in milliseconds since 1970; undefined for what is none. */
export function endOfCertificate(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
