import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificateNames } from '../../engine/object/x509.ts';
import { type CertificateOrder, endOfCertificate, issue, randomText } from './generate.ts';

describe('random text', () => {
  it('has its length and only characters of its alphabet', () => {
    expect(randomText({ length: 100, alphabet: 'abc' }, randomBytes)).toMatch(/^[abc]{100}$/);
  });

  it('counts characters, not UTF-16 units', () => {
    expect([...randomText({ length: 5, alphabet: '😀😁' }, randomBytes)]).toHaveLength(5);
  });

  it('favours no character: bytes that do not divide evenly are drawn again', () => {
    const bytes = [255, 254, 0, 1, 2, 253];
    expect(randomText({ length: 3, alphabet: 'abc' }, () => Uint8Array.from([...bytes, ...new Array<number>(10).fill(0)]))).toBe('cab');
  });

  it('needs an alphabet', () => expect(() => randomText({ length: 1, alphabet: '' }, randomBytes)).toThrow(RangeError));
});

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const order = (value: Partial<CertificateOrder['value']>, more: Partial<CertificateOrder> = {}): CertificateOrder => ({
  value: {
    kind: 'x509',
    commonName: 'db',
    dnsNames: ['db.shop.svc'],
    ipAddresses: ['10.0.0.1'],
    isCA: false,
    algorithm: 'ECDSA',
    duration: 90 * DAY,
    renewBefore: 30 * DAY,
    rotateKey: false,
    usages: ['server auth', 'client auth', 'digital signature'],
    ...value,
  },
  issuer: undefined,
  key: undefined,
  now: NOW,
  ...more,
});

describe.each(['ECDSA', 'RSA'] as const)('a certificate on %s', (algorithm) => {
  const authority = issue(order({ algorithm, isCA: true, commonName: 'our authority', usages: [] }));
  const issuer = { certificate: authority['tls.crt'], key: authority['tls.key'] };
  const leaf = issue(order({ algorithm }, { issuer }));
  const certificate = new X509Certificate(leaf['tls.crt']);

  it('is what was ordered', () => {
    expect(certificate.subject).toBe('CN=db');
    expect(certificate.checkHost('db.shop.svc')).toBe('db.shop.svc');
    expect(certificate.checkIP('10.0.0.1')).toBe('10.0.0.1');
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(endOfCertificate(leaf['tls.crt'])).toBe(NOW + 90 * DAY);
    expect(certificate.checkPrivateKey(createPrivateKey(leaf['tls.key']))).toBe(true);
  });

  it('is signed by its issuer', () => {
    const ca = new X509Certificate(authority['tls.crt']);
    expect(ca.ca).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(leaf['ca.crt']).toBe(authority['tls.crt']);
  });

  it('is renewed with the key it has', () => {
    const renewed = issue(order({ algorithm }, { issuer, key: leaf['tls.key'], now: NOW + 60 * DAY }));
    expect(renewed['tls.key']).toBe(leaf['tls.key']);
    expect(renewed['tls.crt']).not.toBe(leaf['tls.crt']);
  });
});

describe('what cannot be issued', () => {
  const leaf = issue(order({}));
  const other = issue(order({ isCA: true }));
  it.each<[string, CertificateOrder, string]>([
    [
      'by what is no authority',
      order({}, { issuer: { certificate: leaf['tls.crt'], key: leaf['tls.key'] } }),
      'the issuer is no authority',
    ],
    ['with the key of another', order({}, { issuer: { certificate: other['tls.crt'], key: leaf['tls.key'] } }), 'does not belong to'],
    [
      'after the end of the authority',
      order({}, { issuer: { certificate: other['tls.crt'], key: other['tls.key'] }, now: NOW + 91 * DAY }),
      'ended at',
    ],
    ['for an unknown usage', order({ usages: ['flying'] }), 'is not a usage of certificates'],
  ])('%s', (_, wanted, message) => expect(() => issue(wanted)).toThrow(message));

  it('never outlives its authority', () => {
    const issuer = { certificate: other['tls.crt'], key: other['tls.key'] };
    expect(endOfCertificate(issue(order({}, { issuer, now: NOW + 80 * DAY }))['tls.crt'])).toBe(NOW + 90 * DAY);
  });
});

it('the engine reads the names of what was issued', () => {
  const value = { commonName: 'datenbank für alle', dnsNames: ['db', '*.db.shop.svc'], ipAddresses: ['10.0.0.1', '2001:db8::1'] };
  const found = certificateNames(issue(order(value))['tls.crt']);
  expect(found).toEqual({ ...value, ipAddresses: ['10.0.0.1', '2001:db8:0:0:0:0:0:1'] });
  const none = { commonName: 'a', dnsNames: [], ipAddresses: [] };
  expect(certificateNames(issue(order(none))['tls.crt'])).toEqual(none);
});
