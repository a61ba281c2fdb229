import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { Clock } from '../../../host/clock.ts';
import { isDeleted, type Kind, type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import { fieldInvalid } from '../field-error.ts';
import type { Authenticate, VirtualCreate } from '../hooks.ts';
import type { Registry, Requester } from '../registry.ts';
import { badRequest, conflict, invalid, notFound, type StatusError } from '../status-error.ts';
import { bearerTokenOf } from './bearer-token.ts';
import type { ObjectIdentity, ServiceAccountClaims, TokenSigner } from './service-account-token.ts';

const SERVICE_ACCOUNTS = kind<KubernetesObject>('', 'v1', 'serviceaccounts', 'ServiceAccount');
const BOUND_KINDS: ReadonlyMap<string, Kind> = new Map([
  ['Pod', kind('', 'v1', 'pods', 'Pod')],
  ['Secret', kind('', 'v1', 'secrets', 'Secret')],
  ['Node', kind('', 'v1', 'nodes', 'Node')],
]);

export interface ServiceAccountsOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly signer: TokenSigner;
  readonly uuid: () => string;
  /** `iss` of the tokens, and the audience of those that name none. */
  readonly issuer?: string;
}

export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Seconds. Kubernetes: pkg/apis/authentication/validation, pkg/registry/core/serviceaccount/storage/token.go. */
const SHORTEST = 600;
const LONGEST = 2 ** 32;
const DEFAULT_EXPIRATION = 3600;

/** Issues tokens of service accounts, and knows their bearers. */
export interface ServiceAccounts {
  /** Answers `serviceaccounts/token`: a TokenRequest. */
  readonly requestToken: VirtualCreate;
  readonly authenticate: Authenticate;
  /** Whose a token is, for any of the audiences; undefined where it is none, or no longer. */
  bearerOf(
    token: string,
    audiences: readonly string[],
  ): { readonly requester: Requester; readonly audiences: readonly string[] } | undefined;
  readonly issuer: string;
}

export function serviceAccounts({ registry, clock, signer, uuid, issuer = DEFAULT_ISSUER }: ServiceAccountsOptions): ServiceAccounts {
  const find = (wanted: Kind, namespace: string, name: string): KubernetesObject | undefined => {
    const resource = servedKind(registry, wanted);
    const found = resource && registry.get(resource, resource.namespaced ? { namespace, name } : { name });
    return found === undefined ? undefined : typed(found);
  };

  const requestToken: VirtualCreate = async ({ object, namespace, name }) => {
    const account = find(SERVICE_ACCOUNTS, namespace, name);
    if (account === undefined) throw notFound({ group: '', resource: 'serviceaccounts' }, name);
    const spec = isJsonObject(object['spec']) ? object['spec'] : {};
    const seconds = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : DEFAULT_EXPIRATION;
    checkLifetime(seconds);
    const audiences =
      Array.isArray(spec['audiences']) && spec['audiences'].length > 0 ? (spec['audiences'] as readonly string[]) : [issuer];
    const now = Math.floor(clock.now() / 1000);
    const claims: ServiceAccountClaims = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      nbf: now,
      iss: issuer,
      jti: uuid(),
      sub: `system:serviceaccount:${namespace}:${name}`,
      'kubernetes.io': { namespace, serviceaccount: identity(account), ...boundTo(spec, namespace) },
    };
    const status = { token: signer.sign(claims), expirationTimestamp: formatTime(claims.exp * 1000) };
    const creationTimestamp = formatTime(clock.now());
    return {
      ...object,
      metadata: { name, namespace, creationTimestamp },
      spec: { boundObjectRef: null, ...spec, audiences, expirationSeconds: seconds },
      status,
    };
  };

  function boundTo(spec: JsonObject, namespace: string): Partial<Record<'pod' | 'secret' | 'node', ObjectIdentity>> {
    const reference = spec['boundObjectRef'];
    if (!isJsonObject(reference)) return {};
    const { kind: wanted, name, uid } = reference;
    const bound = typeof wanted === 'string' ? BOUND_KINDS.get(wanted) : undefined;
    if (bound === undefined || typeof name !== 'string') throw badRequest(`cannot bind token to object of type ${String(wanted)}`);
    const found = find(bound, namespace, name);
    if (found === undefined) throw notFound({ group: '', resource: bound.resource }, name);
    if (typeof uid === 'string' && uid !== '' && uid !== found.metadata.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group: '', resource: bound.resource }, name, why);
    }
    return { [bound.kind.toLowerCase()]: identity(found) };
  }

  const bearerOf: ServiceAccounts['bearerOf'] = (token, audiences) => {
    const claims = signer.verify(token);
    const now = clock.now() / 1000;
    if (claims === undefined || claims.iss !== issuer || claims.exp <= now || claims.nbf > now) return undefined;
    const granted = claims.aud.filter((audience) => audiences.includes(audience));
    if (granted.length === 0) return undefined;
    const { namespace, serviceaccount, ...bound } = claims['kubernetes.io'];
    const account = find(SERVICE_ACCOUNTS, namespace, serviceaccount.name);
    if (account?.metadata.uid !== serviceaccount.uid || isDeleted(account)) return undefined;
    for (const [name, reference] of Object.entries(bound)) {
      const boundKind = [...BOUND_KINDS.values()].find((each) => each.kind.toLowerCase() === name);
      if (boundKind !== undefined && find(boundKind, namespace, reference.name)?.metadata.uid !== reference.uid) return undefined;
    }
    const { pod, node } = bound;
    return {
      audiences: granted,
      requester: {
        username: claims.sub,
        uid: serviceaccount.uid,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
          ...(pod === undefined
            ? {}
            : { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
          ...(node === undefined
            ? {}
            : { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] }),
        },
      },
    };
  };

  return {
    requestToken,
    bearerOf,
    issuer,
    authenticate: async ({ headers }) => {
      const token = bearerTokenOf(headers.authorization);
      return token === undefined ? undefined : bearerOf(token, [issuer])?.requester;
    },
  };
}

/** Kubernetes: pkg/apis/authentication/validation/validation.go. */
function checkLifetime(seconds: number): void {
  const refuse = (why: string): StatusError =>
    invalid('authentication.k8s.io', 'TokenRequest', '', [fieldInvalid('spec.expirationSeconds', seconds, why)]);
  if (seconds < SHORTEST) throw refuse('may not specify a duration less than 10 minutes');
  if (seconds > LONGEST) throw refuse('may not specify a duration larger than 2^32 seconds');
}

const identity = ({ metadata: { name, uid } }: KubernetesObject): ObjectIdentity => ({ name, uid });
