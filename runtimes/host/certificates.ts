import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock, type Timer } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import { type TlsIdentity, type TlsSource, tlsSource } from './tls.ts';
import { issueCertificate } from './x509.ts';

const AUTHORITY_NAME = 'Fairlead development CA';

const DAY = 24 * 60 * 60 * 1000;
const AUTHORITY_LIFETIME = 3650 * DAY;
const SERVER_LIFETIME = 90 * DAY;
/** A certificate is replaced when this much of its life is left. */
const RENEW_BEFORE = 30 * DAY;
/** Clocks of clients may be behind. */
const BACKDATE = 60 * 60 * 1000;

/** A certificate and the key that belongs to it, as PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate authority on EC P-256, valid for ten years from `now`. */
export function createAuthority(now: number): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = issueCertificate({
    subject: AUTHORITY_NAME,
    issuer: AUTHORITY_NAME,
    publicKey,
    issuerKey: privateKey,
    notBefore: now - BACKDATE,
    notAfter: now + AUTHORITY_LIFETIME,
    use: { kind: 'authority' },
  });
  return { cert, key: exportKey(privateKey) };
}

/** A server certificate for the given DNS names and IP addresses, signed by an authority of {@link createAuthority}, valid for 90 days from `now`. */
export function issueServerCertificate(authority: KeyedCertificate, hosts: readonly string[], now: number): KeyedCertificate {
  return issue(authority, hosts[0] ?? 'localhost', now, {
    kind: 'server',
    dnsNames: hosts.filter((host) => isIP(host) === 0),
    ipAddresses: hosts.filter((host) => isIP(host) !== 0),
  });
}

/** A client certificate for `name`, signed by `authority`, valid for 90 days from `now`. */
export function issueClientCertificate(authority: KeyedCertificate, name: string, now: number): KeyedCertificate {
  return issue(authority, name, now, { kind: 'client' });
}

function issue(
  authority: KeyedCertificate,
  subject: string,
  now: number,
  use: Parameters<typeof issueCertificate>[0]['use'],
): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = new X509Certificate(authority.cert);
  const cert = issueCertificate({
    // X.520 bounds a common name to 64 characters; names that count stand in the alternative names.
    subject: subject.slice(0, 64),
    issuer: AUTHORITY_NAME,
    publicKey,
    issuerKey: createPrivateKey(authority.key),
    notBefore: now - BACKDATE,
    notAfter: Math.min(now + SERVER_LIFETIME, Date.parse(issuer.validTo)),
    use,
  });
  return { cert, key: exportKey(privateKey) };
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

export interface DevelopmentTlsOptions {
  /** Where the authority and the certificate are kept between starts; made with mode 0700, the keys with 0600. */
  readonly folder: string;
  /** DNS names and IP addresses that clients use. */
  readonly hosts: readonly string[];
  /** PEM of the authorities whose clients are let in. */
  readonly clientCa?: string;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface DevelopmentTls extends TlsSource {
  /** PEM of the authorities that a client should believe: the present one, and during a change also the former. */
  readonly caBundle: string;
}

/**
 * A server identity from a certificate authority of our own, kept in a folder: `authority.pem` (key and certificate),
 * `ca.crt` (what clients should believe), `tls.crt` and `tls.key`. What is there and still good is used again; what is
 * missing, damaged, for other hosts or near its end is made anew, also while the server runs.
 */
export async function developmentTls(options: DevelopmentTlsOptions): Promise<DevelopmentTls> {
  const { folder, clock = systemClock, log = silentLog } = options;
  const hosts = [...new Set(options.hosts)];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);

  let caBundle = '';
  async function identity(): Promise<TlsIdentity> {
    const authority = await loadAuthority(folder, clock.now());
    caBundle = await keepBundle(folder, authority.cert, clock.now());
    const pair =
      (await loadServerCertificate(folder, authority, hosts, clock.now())) ?? issueServerCertificate(authority, hosts, clock.now());
    await replaceFile(join(folder, 'tls.key'), pair.key, 0o600);
    await replaceFile(join(folder, 'tls.crt'), pair.cert, 0o644);
    return { ...pair, ...(options.clientCa === undefined ? {} : { clientCa: options.clientCa }) };
  }

  const source = tlsSource(await identity());
  let timer: Timer | undefined;
  let closed = false;
  const schedule = (): void => {
    const end = Date.parse(new X509Certificate(source.current().cert).validTo);
    timer = clock.after(Math.max(end - RENEW_BEFORE - clock.now(), 60_000), () => void renew());
  };
  const renew = async (): Promise<void> => {
    try {
      const next = await identity();
      if (closed) return;
      source.replace(next);
      log('info', 'development certificate renewed', { folder });
    } catch (error) {
      log('error', 'development certificate could not be renewed', { folder, error: (error as Error).message });
    }
    if (!closed) schedule();
  };
  schedule();

  return {
    current: source.current,
    subscribe: source.subscribe,
    get caBundle() {
      return caBundle;
    },
    close() {
      closed = true;
      timer?.cancel();
      source.close();
    },
  };
}

/** The kept authority, or a new one. When several processes start at once, the first to link its file wins and all use it. */
async function loadAuthority(folder: string, now: number): Promise<KeyedCertificate> {
  const path = join(folder, 'authority.pem');
  const text = await readIfThere(path);
  const kept = parsePair(text ?? '');
  if (kept !== undefined && isGood(kept, now, RENEW_BEFORE + SERVER_LIFETIME)) return kept;
  const made = createAuthority(now);
  const temporary = join(folder, `.authority.${process.pid}.${Math.random().toString(36).slice(2)}`);
  await writeFile(temporary, made.key + made.cert, { mode: 0o600, flag: 'wx' });
  try {
    if (text !== undefined) {
      await rename(temporary, path);
      return made;
    }
    await link(temporary, path);
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return parsePair((await readIfThere(path)) ?? '') ?? made;
  } finally {
    await rm(temporary, { force: true });
  }
}

function parsePair(text: string): KeyedCertificate | undefined {
  const key = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----\n?/.exec(text)?.[0];
  const cert = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/.exec(text)?.[0];
  return key === undefined || cert === undefined ? undefined : { cert, key };
}

function isGood(pair: KeyedCertificate, now: number, remaining: number): boolean {
  try {
    const certificate = new X509Certificate(pair.cert);
    return (
      certificate.publicKey.equals(createPublicKey(pair.key)) &&
      Date.parse(certificate.validFrom) <= now &&
      Date.parse(certificate.validTo) - now > remaining
    );
  } catch {
    return false;
  }
}

/** Writes `ca.crt`: the present authority first, then former ones that have not ended. */
async function keepBundle(folder: string, present: string, now: number): Promise<string> {
  const path = join(folder, 'ca.crt');
  const former = ((await readIfThere(path)) ?? '').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [];
  const good = former.filter((cert) => {
    try {
      return cert.trim() !== present.trim() && Date.parse(new X509Certificate(cert).validTo) > now;
    } catch {
      return false;
    }
  });
  const bundle = [present, ...good.slice(0, 3)].map((cert) => `${cert.trim()}\n`).join('');
  await replaceFile(path, bundle, 0o644);
  return bundle;
}

async function loadServerCertificate(
  folder: string,
  authority: KeyedCertificate,
  hosts: readonly string[],
  now: number,
): Promise<KeyedCertificate | undefined> {
  const cert = await readIfThere(join(folder, 'tls.crt'));
  const key = await readIfThere(join(folder, 'tls.key'));
  if (cert === undefined || key === undefined || !isGood({ cert, key }, now, RENEW_BEFORE)) return undefined;
  const certificate = new X509Certificate(cert);
  if (!certificate.verify(createPublicKey(authority.key))) return undefined;
  const covers = hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host)) !== undefined,
  );
  return covers ? { cert, key } : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Readers see the old content or the new one, never a part. */
async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(temporary, content, { mode, flag: 'wx' });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
