import type { IncomingHttpHeaders } from 'node:http';
import type { Authenticate, Authorize, RequestAttributes } from '../hooks.ts';
import type { Requester } from '../registry.ts';
import { badRequest, forbidden } from '../status-error.ts';

const EXTRA = 'impersonate-extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * Lets a user act as another, by the `Impersonate-User`, `-Group`, `-Uid` and `-Extra-` headers, where the user may. Throws a
 * `StatusError` where not. Kubernetes: apiserver pkg/endpoints/filters/impersonation.
 */
export function withImpersonation(authenticate: Authenticate, authorize: Authorize): Authenticate {
  return async (credentials) => {
    const requester = await authenticate(credentials);
    const wish = requester === undefined ? undefined : impersonationOf(credentials.headers);
    if (requester === undefined || wish === undefined) return requester;
    for (const resource of resourcesOf(wish)) {
      const decision = await authorize({ requester, verb: 'impersonate', path: '', resource });
      if (!decision.allowed) throw refusal(requester, resource);
    }
    return asRequested(wish);
  };
}

interface Wish {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const values = (header: string | readonly string[] | undefined): readonly string[] =>
  header === undefined ? [] : typeof header === 'string' ? header.split(/,\s*/) : header;

/** Undefined where nobody is to be impersonated. */
function impersonationOf(headers: IncomingHttpHeaders): Wish | undefined {
  const username = values(headers['impersonate-user'])[0] ?? '';
  const groups = values(headers['impersonate-group']);
  const uid = values(headers['impersonate-uid'])[0] ?? '';
  const extra = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(EXTRA)) extra.set(decoded(name.slice(EXTRA.length)), values(value));
  if (username !== '') return { username, groups, uid, extra };
  if (groups.length === 0 && uid === '' && extra.size === 0) return undefined;
  throw badRequest('requested impersonation without impersonating a user');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Resource = NonNullable<RequestAttributes['resource']>;

/** What must be allowed to impersonate. */
function* resourcesOf({ username, groups, uid, extra }: Wish): Iterable<Resource> {
  const resource = (group: string, kind: string, namespace: string, name: string, subresource = ''): Resource => ({
    group,
    version: 'v1',
    resource: kind,
    subresource,
    namespace,
    name,
  });
  const account = SERVICE_ACCOUNT.exec(username);
  yield account === null ? resource('', 'users', '', username) : resource('', 'serviceaccounts', account[1]!, account[2]!);
  for (const group of groups) yield resource('', 'groups', '', group);
  if (uid !== '') yield resource('authentication.k8s.io', 'uids', '', uid);
  for (const [key, list] of extra) for (const value of list) yield resource('authentication.k8s.io', 'userextras', '', value, key);
}

function refusal({ username }: Requester, { group, resource, subresource, namespace, name }: Resource) {
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(namespace)}`;
  return forbidden(
    { group, resource },
    name,
    `User ${JSON.stringify(username)} cannot impersonate resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)}${where}`,
  );
}

function asRequested({ username, groups, uid, extra }: Wish): Requester {
  const account = SERVICE_ACCOUNT.exec(username);
  // Groups that follow from the name are added unless the request names its own.
  const own = groups.length > 0 || account === null ? groups : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`];
  const all = username === 'system:anonymous' ? ['system:unauthenticated'] : ['system:authenticated'];
  return {
    username,
    groups: [...new Set([...own, ...all])],
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}
