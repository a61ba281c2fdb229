import { authenticationReviews } from './authentication/authentication-reviews.ts';
import { firstOf } from './authentication/authenticators.ts';
import { staticTokens } from './authentication/bearer-token.ts';
import { clientCertificates } from './authentication/client-certificate.ts';
import { withImpersonation } from './authentication/impersonation.ts';
import { type TokenSigner, tokenSigner } from './authentication/service-account-token.ts';
import { serviceAccounts } from './authentication/service-accounts.ts';
import { accessReviews } from './authorization/access-reviews.ts';
import { createBootstrapRoles } from './authorization/bootstrap-roles.ts';
import { RbacAuthorizer } from './authorization/rbac-authorizer.ts';
import type { Authenticate } from './hooks.ts';
import type { Registry, Requester } from './registry.ts';
import type { ServerState } from './server-state.ts';

export interface AccessOptions {
  /** Users by bearer token. */
  readonly tokens: ReadonlyMap<string, Requester>;
  /** Whoever brings no credentials is this user; without it, the anonymous one. */
  readonly everybody?: Requester;
  /** With which tokens of service accounts are signed. Default: a new key. */
  readonly signer?: TokenSigner;
}

/** Puts authentication and authorization in their places: tokens, certificates, service accounts, impersonation, RBAC, and the reviews. */
export async function setUpAccess(state: ServerState, registry: Registry, options: AccessOptions): Promise<void> {
  const { tokens, everybody, signer = tokenSigner() } = options;
  const accounts = serviceAccounts({ registry, clock: state.clock, signer, uuid: state.uuid });
  const authorizer = new RbacAuthorizer(registry);
  const open: Authenticate = async ({ headers }) => (headers.authorization === undefined ? everybody : undefined);
  const known = firstOf([staticTokens(tokens), accounts.authenticate, clientCertificates, open], { anonymous: everybody === undefined });
  state.authorize = authorizer.authorize;
  state.authenticate = withImpersonation(known, authorizer.authorize);
  const reviews = authenticationReviews({ authenticate: staticTokens(tokens), accounts, now: state.clock.now });
  for (const [path, create] of [...reviews, ...accessReviews(authorizer)]) state.virtual.set(path, create);
  await createBootstrapRoles(registry);
}
