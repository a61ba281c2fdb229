import { describe, expect, test } from 'vitest';
import { LONG_CERTIFICATE, SHORT_CERTIFICATE } from './x509.fixture.ts';
import { certificateNames, certificateValidity } from './x509.ts';

const BEGIN = Date.UTC(2026, 10, 26, 15, 5, 10);

test.each([
  [SHORT_CERTIFICATE, Date.UTC(2027, 1, 24, 15, 5, 10)],
  [LONG_CERTIFICATE, Date.UTC(2081, 7, 29, 15, 5, 10)],
  [`a comment before\n${SHORT_CERTIFICATE}${LONG_CERTIFICATE}`, Date.UTC(2027, 1, 24, 15, 5, 10)],
])('certificate %#', (pem, notAfter) => {
  expect(certificateValidity(pem)).toEqual({ notBefore: BEGIN, notAfter });
});

describe('what is no certificate', () => {
  const body = SHORT_CERTIFICATE.split('\n').slice(1, -2).join('');
  const pem = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`;
  test.each([
    '',
    'x',
    pem(''),
    pem('AA=='),
    pem('MIIB'),
    pem('MIT/////'),
    pem('!'),
    SHORT_CERTIFICATE.replaceAll('CERTIFICATE', 'PRIVATE KEY'),
  ])('%s', (text) => {
    expect(certificateValidity(text)).toBeUndefined();
    expect(certificateNames(text)).toBeUndefined();
  });

  test('a certificate that is cut off anywhere never throws', () => {
    for (let length = 0; length < body.length; length += 4) {
      expect(() => certificateValidity(pem(body.slice(0, length)))).not.toThrow();
      expect(() => certificateNames(pem(body.slice(0, length)))).not.toThrow();
    }
  });
});
