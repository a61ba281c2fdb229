import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { manualClock } from '../host/clock.ts';
import { changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { conditionOf, createInstance, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

const HOUR = 60 * 60_000;
const START = Date.parse('2030-01-01T00:00:00Z');

describe('certificates', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  afterAll(() => cluster.close());

  const secretText = async (name: string, key: string): Promise<string> => {
    const secret = (await cluster.get('v1', 'Secret', 'shop', name)) as { readonly data?: Readonly<Record<string, string>> } | null;
    return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  };
  const certificate = async (name: string): Promise<X509Certificate> => new X509Certificate(await secretText(name, 'tls.crt'));

  it('are renewed in time, signed by the same authority and with the same key', async () => {
    const clock = manualClock(START);
    const body = `
generate:
- { id: ca, x509: { commonName: "our own", isCA: true, duration: 1000h } }
- { id: web, after: [ca], x509: { commonName: a.shop, dnsNames: [a.shop], duration: 30h, renewBefore: 10h, issuer: { name: a-ca } } }`;
    const controller = await cluster.control(changingBundle(ruleFor('Site', body)), { name: 'site', clock });
    const instance = await createInstance(cluster, instanceOf('Site', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const authority = await certificate('a-ca');
    const first = await certificate('a-web');
    const key = await secretText('a-web', 'tls.key');
    expect(first.verify(authority.publicKey)).toBe(true);
    expect(Date.parse(first.validTo)).toBe(START + 30 * HOUR);

    clock.advance(19 * HOUR);
    controller.refresh();
    expect((await certificate('a-web')).serialNumber).toBe(first.serialNumber);

    const renewed = await cluster.until(async () => {
      clock.advance(HOUR / 10);
      const found = await certificate('a-web');
      return found.serialNumber !== first.serialNumber && found;
    });
    expect(renewed.verify(authority.publicKey)).toBe(true);
    expect(Date.parse(renewed.validTo)).toBeGreaterThanOrEqual(START + 50 * HOUR);
    expect(await secretText('a-web', 'tls.key')).toBe(key);
    expect((await certificate('a-ca')).serialNumber).toBe(authority.serialNumber);
    const object = await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    expect(conditionOf(object, 'Stalled')?.status).toBe('False');
  });

  it('wait for an authority that is not there, by name', async () => {
    const body = `generate: [{ id: web, x509: { commonName: a, issuer: { name: missing } } }]`;
    await cluster.control(changingBundle(ruleFor('Waiting', body)), { name: 'waiting' });
    const instance = await createInstance(cluster, instanceOf('Waiting', 'shop', {}, 'w'));
    const waiting = await untilCondition(cluster, instance, 'Ready', { status: 'False' });
    expect(conditionOf(waiting, 'Ready')?.message).toContain('shop/missing');
    const authority = await cluster.get('v1', 'Secret', 'shop', 'a-ca');
    const { data = {} } = authority as JsonObject;
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'missing' },
      type: 'kubernetes.io/tls',
      data,
    });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
  });
});
