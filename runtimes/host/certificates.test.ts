import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority, developmentTls, issueClientCertificate, issueServerCertificate } from './certificates.ts';
import { manualClock } from './clock.ts';
import { checkTlsIdentity } from './tls.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2030, 5, 1, 12, 0, 0);

describe('certificates', () => {
  const authority = createAuthority(NOW);
  const pair = issueServerCertificate(authority, ['localhost', 'hook.apps.svc', '127.0.0.1', '2001:db8::1'], NOW);
  const certificate = new X509Certificate(pair.cert);

  it('are what an API server wants to see', () => {
    const issuer = new X509Certificate(authority.cert);
    expect(issuer.ca).toBe(true);
    expect(issuer.verify(issuer.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe('DNS:localhost, DNS:hook.apps.svc, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1');
    expect(certificate.checkHost('hook.apps.svc', { subject: 'never' })).toBe('hook.apps.svc');
    expect(certificate.checkHost('other.apps.svc')).toBeUndefined();
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(Date.parse(certificate.validFrom)).toBe(NOW - 3_600_000);
    expect(Date.parse(certificate.validTo)).toBe(NOW + 90 * DAY);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(() => checkTlsIdentity(pair)).not.toThrow();
  });

  it('have serial numbers of their own', () => {
    expect(new X509Certificate(issueServerCertificate(authority, ['localhost'], NOW).cert).serialNumber).not.toBe(certificate.serialNumber);
  });

  it('may prove a client', () => {
    const client = new X509Certificate(issueClientCertificate(authority, 'kube-apiserver', NOW).cert);
    expect(client.subject).toBe('CN=kube-apiserver');
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  const openssl = spawnSync('openssl', ['version']).status === 0;
  it.skipIf(!openssl)(`verify by openssl, strictly${openssl ? '' : ' (skipped: there is no openssl here)'}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-x509-'));
    try {
      const [ca, leaf] = [join(folder, 'ca.pem'), join(folder, 'leaf.pem')];
      await writeFile(ca, authority.cert);
      await writeFile(leaf, pair.cert);
      const at = String(NOW / 1000);
      const verify = [
        'verify',
        '-x509_strict',
        '-check_ss_sig',
        '-attime',
        at,
        '-purpose',
        'sslserver',
        '-verify_hostname',
        'localhost',
        '-CAfile',
        ca,
        leaf,
      ];
      expect(execFileSync('openssl', verify, { encoding: 'utf8' })).toContain('OK');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the development folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'fairlead-tls-')), 'tls');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  const open = async (hosts: readonly string[], now = NOW) => {
    const clock = manualClock(now);
    const tls = await developmentTls({ folder, hosts, clock });
    tls.close();
    return { cert: tls.current().cert, ca: tls.caBundle };
  };

  it('keeps keys to its owner', async () => {
    await open(['localhost']);
    const mode = async (name: string): Promise<string> => ((await stat(join(folder, name))).mode & 0o777).toString(8);
    expect(await mode('.')).toBe('700');
    expect(await mode('authority.pem')).toBe('600');
    expect(await mode('tls.key')).toBe('600');
    expect(await readFile(join(folder, 'ca.crt'), 'utf8')).not.toContain('PRIVATE');
  });

  it('is used again as long as it is good', async () => {
    const first = await open(['localhost', '127.0.0.1']);
    expect(await open(['127.0.0.1', 'localhost'], NOW + 59 * DAY)).toEqual(first);
  });

  it('gets a new certificate from the same authority for other hosts, near the end, and where it is damaged', async () => {
    const first = await open(['localhost']);
    const other = await open(['localhost', 'hook.svc']);
    expect(other.cert).not.toBe(first.cert);
    expect(other.ca).toBe(first.ca);
    const renewed = await open(['localhost', 'hook.svc'], NOW + 61 * DAY);
    expect(renewed.cert).not.toBe(other.cert);
    expect(renewed.ca).toBe(first.ca);
    await writeFile(join(folder, 'tls.key'), 'not a key');
    expect((await open(['localhost', 'hook.svc'], NOW + 61 * DAY)).cert).not.toBe(renewed.cert);
  });

  it('replaces an authority that is damaged or near its end, and goes on naming the former while it lasts', async () => {
    const first = await open(['localhost']);
    const later = await open(['localhost'], NOW + 3600 * DAY);
    expect(later.ca).not.toBe(first.ca);
    expect(later.ca.endsWith(first.ca)).toBe(true);
    expect(later.ca.match(/BEGIN/g)).toHaveLength(2);
    await writeFile(join(folder, 'authority.pem'), 'garbage');
    const damaged = await open(['localhost'], NOW + 3600 * DAY);
    expect(damaged.ca.match(/BEGIN/g)).toHaveLength(3);
    expect((await open(['localhost'], NOW + 3651 * DAY)).ca.match(/BEGIN/g)).toHaveLength(2);
  });

  it('renews while it runs', async () => {
    const clock = manualClock(NOW);
    const tls = await developmentTls({ folder, hosts: ['localhost'], clock });
    const before = tls.current().cert;
    const renewed = new Promise<string>((resolve) => tls.subscribe(({ cert }) => resolve(cert)));
    clock.advance(60 * DAY + 1000);
    const after = await renewed;
    expect(after).not.toBe(before);
    expect(Date.parse(new X509Certificate(after).validTo)).toBeGreaterThan(NOW + 149 * DAY);
    expect(tls.current().cert).toBe(after);
    tls.close();
    expect(clock.pending()).toBe(0);
  });

  it('is shared by processes that start at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => open(['localhost'])));
    expect(new Set(all.map(({ ca }) => ca)).size).toBe(1);
  });
});
