import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { Authenticate, VirtualCreate, VirtualPath } from '../hooks.ts';
import type { Requester } from '../registry.ts';
import { badRequest } from '../status-error.ts';
import type { ServiceAccounts } from './service-accounts.ts';

const GROUP = 'authentication.k8s.io';

/** Who a bearer is and who one is oneself. Kubernetes: pkg/registry/authentication. */
export function authenticationReviews(options: {
  /** What knows bearer tokens beside those of service accounts. */
  readonly authenticate: Authenticate;
  readonly accounts: ServiceAccounts;
  readonly now: () => number;
}): ReadonlyMap<VirtualPath, VirtualCreate> {
  const { authenticate, accounts, now } = options;
  const tokenReview: VirtualCreate = async ({ object }) => {
    const spec = isJsonObject(object['spec']) ? object['spec'] : {};
    const { token } = spec;
    if (typeof token !== 'string' || token === '') throw badRequest('token is required for TokenReview in authentication');
    const wanted = Array.isArray(spec['audiences']) ? spec['audiences'].filter((each): each is string => typeof each === 'string') : [];
    const audiences = wanted.length === 0 ? [accounts.issuer] : wanted;
    const bearer = accounts.bearerOf(token, audiences);
    if (bearer !== undefined)
      return answered(object, { authenticated: true, user: userInfo(bearer.requester), audiences: bearer.audiences });
    // Other tokens are good for this server and nothing else.
    const known = audiences.includes(accounts.issuer) ? await authenticate({ headers: { authorization: `Bearer ${token}` } }) : undefined;
    if (known === undefined) return answered(object, { user: {}, error: 'invalid bearer token' });
    return answered(object, { authenticated: true, user: userInfo(known), audiences: [accounts.issuer] });
  };
  const selfSubjectReview: VirtualCreate = async ({ object, requester }) => ({
    ...object,
    metadata: { creationTimestamp: formatTime(now()) },
    status: { userInfo: userInfo(requester) },
  });
  return new Map([
    [`${GROUP}/tokenreviews`, tokenReview],
    [`${GROUP}/selfsubjectreviews`, selfSubjectReview],
    ['/serviceaccounts/token', accounts.requestToken],
  ]);
}

const answered = (object: JsonObject, status: JsonObject): JsonObject => ({ ...object, status });

/** A requester in the form of `authentication.k8s.io` UserInfo. */
function userInfo({ username, uid, groups, extra }: Requester): JsonObject {
  return { username, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}
