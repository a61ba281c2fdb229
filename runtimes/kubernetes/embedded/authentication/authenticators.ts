import type { Authenticate, Credentials } from '../hooks.ts';
import type { Requester } from '../registry.ts';

/** Who asks without saying who it is. */
export const ANONYMOUS: Requester = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

const bringsNone = ({ headers, clientCertificate }: Credentials): boolean =>
  headers.authorization === undefined && clientCertificate === undefined;

/**
 * Asks one after the other who it is. Without any credentials it is the anonymous user, where that is allowed; with wrong ones it is
 * nobody. Kubernetes: apiserver pkg/authentication/request/union.
 */
export function firstOf(authenticators: readonly Authenticate[], options: { readonly anonymous: boolean }): Authenticate {
  return async (credentials) => {
    for (const authenticate of authenticators) {
      const found = await authenticate(credentials);
      if (found !== undefined)
        return found.groups.includes('system:authenticated') ? found : { ...found, groups: [...found.groups, 'system:authenticated'] };
    }
    return options.anonymous && bringsNone(credentials) ? ANONYMOUS : undefined;
  };
}
