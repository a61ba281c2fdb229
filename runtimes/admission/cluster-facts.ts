import { type Json, measureJson } from '../../engine/object/json.ts';
import type { AuthorizationAnswer, AuthorizationAttributes, JsonObject } from '../../engine/rules/admission/decision.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { ttlCache } from '../host/ttl-cache.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { attributesKey, queryKey, referenceKey } from './fact-key.ts';
import type { FactsSource } from './facts.ts';

export interface ClusterFactsOptions {
  /** Milliseconds for which an object, a list or an authorization is used before it is asked for again; default 5 000. */
  readonly ttl?: number;
  readonly clock?: Clock;
}

const MEBIBYTE = 1024 * 1024;
/** Longer lists are refused: a rule that needs them would hold up every request. */
const MOST_OBJECTS = 20_000;

/** About how many bytes a cached value takes. */
function weightOf(value: Json): number {
  return measureJson(value).size + 256;
}

/**
 * Facts from a live API server: what rules need is fetched when they need it and used for a few seconds. A fetch that
 * several requests wait for is made once, with a deadline of its own; a request that gives up does not end it.
 */
export function clusterFacts(client: KubernetesClient, options: ClusterFactsOptions = {}): FactsSource {
  const { ttl = 5_000, clock = systemClock } = options;
  const { discovery } = client;
  const objects = ttlCache<JsonObject | null>({ ttl, maxEntries: 10_000, maxWeight: 64 * MEBIBYTE, clock });
  const lists = ttlCache<readonly JsonObject[]>({ ttl, maxEntries: 500, maxWeight: 64 * MEBIBYTE, clock });
  const answers = ttlCache<AuthorizationAnswer>({ ttl, maxEntries: 10_000, maxWeight: 16 * MEBIBYTE, clock });
  const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name });

  const loadObject = (reference: Parameters<FactsSource['object']>[0]): Promise<JsonObject | null> =>
    objects.load(referenceKey(reference), async () => {
      const type = reference.name === '' ? null : await discovery.resourceOf(reference.apiVersion, reference.kind);
      if (type === null || (type.namespaced && !reference.namespace)) return { value: null, weight: 256 };
      const value = await client.resource(type).get(reference);
      return { value, weight: weightOf(value) };
    });

  return {
    known: {
      namespace: (name) => objects.get(referenceKey(namespace(name)))?.value,
      object: (reference) => objects.get(referenceKey(reference))?.value,
      list: (query) => lists.get(queryKey(query))?.value,
      authorize: (attributes) => answers.get(attributesKey(attributes))?.value,
      serves(apiVersion, kind) {
        const served = discovery.known(apiVersion, kind);
        return served === undefined ? undefined : served !== null;
      },
      scope(apiVersion, kind) {
        const served = discovery.known(apiVersion, kind);
        if (served === undefined || served === null) return undefined;
        return served.namespaced ? 'Namespaced' : 'Cluster';
      },
    },
    namespace: (name, signal) => abortable(loadObject(namespace(name)), signal),
    object: (reference, signal) => abortable(loadObject(reference), signal),
    list(query, signal) {
      const load = lists.load(queryKey(query), async () => {
        const type = await discovery.resourceOf(query.apiVersion, query.kind);
        if (type === null) return { value: [], weight: 256 };
        const { namespace, labelSelector } = query;
        const { items } = await client.resource(type).list({ namespace, labelSelector, maxObjects: MOST_OBJECTS });
        return { value: items, weight: weightOf(items) };
      });
      return abortable(load, signal);
    },
    authorize(attributes, signal) {
      const key = attributesKey(attributes);
      const load = answers.load(key, async () => ({ value: await reviewAccess(client, attributes), weight: key.length * 2 + 256 }));
      return abortable(load, signal);
    },
  };
}

/** Asks by a SubjectAccessReview. Kubernetes: staging/src/k8s.io/api/authorization/v1/types.go. */
async function reviewAccess(client: KubernetesClient, attributes: AuthorizationAttributes): Promise<AuthorizationAnswer> {
  const { user, path, verb, namespace, group, version, resource, subresource, name, fieldSelector, labelSelector } = attributes;
  const spec = {
    user: user.username,
    uid: user.uid,
    groups: user.groups,
    extra: user.extra,
    ...(path === undefined
      ? {
          resourceAttributes: {
            namespace,
            verb,
            group,
            version,
            resource,
            subresource,
            name,
            ...(fieldSelector ? { fieldSelector: { rawSelector: fieldSelector } } : {}),
            ...(labelSelector ? { labelSelector: { rawSelector: labelSelector } } : {}),
          },
        }
      : { nonResourceAttributes: { path, verb } }),
  };
  const { body } = await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec },
  });
  const status = (
    body as { readonly status?: { readonly allowed?: unknown; readonly reason?: unknown; readonly evaluationError?: unknown } } | null
  )?.status;
  if (typeof status?.allowed !== 'boolean') throw new Error('the API server answered a SubjectAccessReview without a status');
  const { reason, evaluationError } = status;
  return {
    allowed: status.allowed,
    reason: typeof reason === 'string' ? reason : '',
    ...(typeof evaluationError === 'string' && evaluationError !== '' ? { error: evaluationError } : {}),
  };
}

/** The result, unless the signal aborts first. */
function abortable<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('given up at the deadline of the request'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
