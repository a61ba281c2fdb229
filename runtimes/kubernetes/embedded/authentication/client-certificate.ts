import type { Authenticate } from '../hooks.ts';

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/**
 * Knows a user by a certificate that the server's client authorities issued: the common name is who it is, the organizations are
 * the groups. Kubernetes: apiserver pkg/authentication/request/x509/x509.go CommonNameUserConversion.
 */
export const clientCertificates: Authenticate = async ({ clientCertificate }) => {
  const { CN, O } = clientCertificate?.subject ?? {};
  const username = list(CN as string | readonly string[] | undefined)[0];
  if (username === undefined || username === '') return undefined;
  return { username, groups: [...list(O as string | readonly string[] | undefined), 'system:authenticated'] };
};
