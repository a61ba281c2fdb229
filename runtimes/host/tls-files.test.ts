import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issueServerCertificate } from './certificates.ts';
import { manualClock } from './clock.ts';
import { authority } from './loopback.fixture.ts';
import { createMetrics } from './metrics.ts';
import type { TlsIdentity } from './tls.ts';
import { tlsFromFiles } from './tls-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-tls-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const one = issueServerCertificate(authority, ['localhost'], Date.now());
const two = issueServerCertificate(authority, ['localhost'], Date.now());

async function put(cert: string, key: string): Promise<void> {
  await writeFile(join(folder, 'tls.crt'), cert);
  await writeFile(join(folder, 'tls.key'), key);
}

function open(extra: { readonly clientCaFile?: string } = {}) {
  const metrics = createMetrics();
  const lines: string[] = [];
  const tls = tlsFromFiles({
    certFile: join(folder, 'tls.crt'),
    keyFile: join(folder, 'tls.key'),
    ...extra,
    clock: manualClock(),
    events: () => ({ close() {} }),
    metrics,
    log: (level, message, fields) => lines.push(`${level} ${message}: ${fields?.['error'] ?? ''}`),
  });
  return { tls, metrics, lines };
}

describe('TLS from files', () => {
  it('takes a new certificate when the files change', async () => {
    await put(one.cert, one.key);
    const { tls, metrics } = open();
    const source = await tls;
    const seen: TlsIdentity[] = [];
    source.subscribe((identity) => seen.push(identity));
    await put(two.cert, two.key);
    await source.check();
    expect(source.current()).toEqual(two);
    expect(seen).toEqual([two]);
    expect(metrics.text()).toContain('fairlead_tls_reloads_total{result="success"} 1');
    source.close();
  });

  it.each([
    ['a certificate that is none', 'garbage', two.key, 'the certificate is not usable'],
    ['a key that is none', two.cert, 'garbage', 'the private key is not usable'],
    ['a key of another certificate', two.cert, one.key, 'the private key does not belong to the certificate'],
    ['a certificate cut off', two.cert.slice(0, 200), two.key, 'the certificate is not usable'],
  ])('keeps the old one for %s, and says so', async (_, cert, key, message) => {
    await put(one.cert, one.key);
    const { tls, lines, metrics } = open();
    const source = await tls;
    await put(cert, key);
    await source.check();
    expect(source.current()).toEqual(one);
    expect(lines).toEqual([expect.stringContaining(`error certificate not reloaded; the former one stays in use: ${message}`)]);
    expect(lines[0]).not.toContain('BEGIN');
    expect(metrics.text()).toContain('fairlead_tls_reloads_total{result="failure"} 1');
    source.close();
  });

  it('fails at the start where the files are bad or missing', async () => {
    await expect(open().tls).rejects.toThrow('ENOENT');
    await put('garbage', one.key);
    await expect(open().tls).rejects.toThrow('the certificate is not usable');
  });

  it('reads the authorities of clients', async () => {
    await put(one.cert, one.key);
    await writeFile(join(folder, 'ca.crt'), authority.cert);
    const source = await open({ clientCaFile: join(folder, 'ca.crt') }).tls;
    expect(source.current().clientCa).toBe(authority.cert);
    source.close();
  });
});
