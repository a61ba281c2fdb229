import { describe, expect, test } from 'vitest';
import { maskSecret, maskSecretPair } from './secret-mask.ts';

const encode = (text: string): string => btoa(text);
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const secret = (data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data });

describe('maskSecret', () => {
  test('keeps keys and loses values', () => {
    expect(maskSecret(secret({ password: encode('hunter2') }))).toEqual(secret({ password: encode('***') }));
    expect(maskSecret({ ...secret({}), stringData: { a: 'b' } })['stringData']).toEqual({ a: '***' });
  });

  test.each([
    ['a certificate', CERTIFICATE, true],
    ['a chain', CERTIFICATE + CERTIFICATE, true],
    ['a key beside it', `${CERTIFICATE}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n`, false],
    ['text that only mentions one', 'password BEGIN CERTIFICATE', false],
  ])('%s', (_, text, shown) => {
    const masked = maskSecret(secret({ 'tls.crt': encode(text) }));
    expect((masked['data'] as Record<string, string>)['tls.crt']).toBe(shown ? encode(text) : encode('***'));
  });

  test('drops the copy that kubectl apply keeps', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{}}', team: 'a' };
    const masked = maskSecret({ ...secret({}), metadata: { name: 'a', annotations } });
    expect(masked['metadata']).toEqual({ name: 'a', annotations: { team: 'a' } });
  });

  test('leaves other kinds alone', () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } };
    expect(maskSecret(config)).toBe(config);
  });

  test('an own __proto__ is a key like any other', () => {
    const masked = maskSecret(secret(JSON.parse('{"__proto__":"eA=="}')));
    expect(Object.keys(masked['data'] as object)).toEqual(['__proto__']);
  });
});

describe('maskSecretPair', () => {
  test('tells which values change', () => {
    const [before, after] = maskSecretPair(secret({ a: 'MQ==', b: 'MQ==', c: 'MQ==' }), secret({ a: 'MQ==', b: 'Mg==', d: 'MQ==' }));
    expect(before?.['data']).toEqual({ a: '***', b: '*** (before)', c: '***' });
    expect(after?.['data']).toEqual({ a: '***', b: '*** (after)', d: '***' });
  });

  test('of an object that is new', () => {
    expect(maskSecretPair(null, secret({ a: 'MQ==' }))).toEqual([null, secret({ a: '***' })]);
  });
});
