import type {
  AdmissionFacts,
  AuthorizationAnswer,
  AuthorizationAttributes,
  FactNeed,
  JsonObject,
  ObjectQuery,
  ObjectReference,
} from '../../engine/rules/admission/decision.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { RESOURCES, resourcePath } from './case.ts';

/** Facts of a live cluster, fetched when a decision needs them and kept for the rest of the run. */
export interface LiveFacts extends AdmissionFacts {
  fetch(needs: readonly FactNeed[]): Promise<void>;
}

function keyOf(value: unknown): string {
  return JSON.stringify(value);
}

/** Facts out of the API server that the policies are compared on. */
export function liveFacts(cluster: Cluster): LiveFacts {
  const namespaces = new Map<string, JsonObject | null>();
  const objects = new Map<string, JsonObject | null>();
  const lists = new Map<string, readonly JsonObject[]>();
  const answers = new Map<string, AuthorizationAnswer>();

  const fetchOne = async (need: FactNeed): Promise<void> => {
    if (need.kind === 'namespace') namespaces.set(need.name, await get(cluster, `/api/v1/namespaces/${need.name}`));
    else if (need.kind === 'object') objects.set(keyOf(need.reference), await getObject(cluster, need.reference));
    else if (need.kind === 'list') lists.set(keyOf(need.query), await listObjects(cluster, need.query));
    else answers.set(keyOf(need.attributes), await review(cluster, need.attributes));
  };
  return {
    namespace: (name) => namespaces.get(name),
    object: (reference) => objects.get(keyOf(reference)),
    list: (query) => lists.get(keyOf(query)),
    authorize: (attributes) => answers.get(keyOf(attributes)),
    serves: (apiVersion, kind) => Object.values(RESOURCES).some((each) => each.apiVersion === apiVersion && each.kind === kind),
    fetch: async (needs) => void (await Promise.all(needs.map(fetchOne))),
  };
}

async function get(cluster: Cluster, path: string, query: Record<string, string> = {}): Promise<JsonObject | null> {
  const response = await cluster.admin.request({ path, query });
  if (response.status === 404) return null;
  if (response.status > 299) throw new Error(`GET ${path} answered ${response.status}`);
  return response.body as JsonObject;
}

function find(apiVersion: string, kind: string): (typeof RESOURCES)[string] | undefined {
  return Object.values(RESOURCES).find((each) => each.apiVersion === apiVersion && each.kind === kind);
}

async function getObject(cluster: Cluster, reference: ObjectReference): Promise<JsonObject | null> {
  const resource = find(reference.apiVersion, reference.kind);
  return resource ? get(cluster, resourcePath(resource, reference.namespace ?? '', reference.name)) : null;
}

async function listObjects(cluster: Cluster, query: ObjectQuery): Promise<readonly JsonObject[]> {
  const resource = find(query.apiVersion, query.kind);
  if (!resource) return [];
  // Items of a list come without apiVersion and kind.
  const selector: Record<string, string> = query.labelSelector ? { labelSelector: query.labelSelector } : {};
  const list = await get(cluster, resourcePath(resource, query.namespace ?? '').replace('/namespaces//', '/'), selector);
  const items = (list as { items?: readonly JsonObject[] } | null)?.items ?? [];
  return items.map((item) => ({ apiVersion: query.apiVersion, kind: query.kind, ...item }));
}

/** Kubernetes: staging/src/k8s.io/api/authorization/v1/types.go. */
async function review(cluster: Cluster, attributes: AuthorizationAttributes): Promise<AuthorizationAnswer> {
  const { user, path, verb } = attributes;
  const resourceAttributes = {
    verb,
    group: attributes.group,
    version: attributes.version ?? '*',
    resource: attributes.resource,
    subresource: attributes.subresource,
    namespace: attributes.namespace,
    name: attributes.name,
    ...(attributes.fieldSelector === undefined ? {} : { fieldSelector: { rawSelector: attributes.fieldSelector } }),
    ...(attributes.labelSelector === undefined ? {} : { labelSelector: { rawSelector: attributes.labelSelector } }),
  };
  const spec = {
    user: user.username,
    uid: user.uid,
    groups: user.groups,
    extra: user.extra,
    ...(path === undefined ? { resourceAttributes } : { nonResourceAttributes: { path, verb } }),
  };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const response = await cluster.admin.request({ method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body });
  const { status } = response.body as { status?: { allowed: boolean; reason?: string; evaluationError?: string } };
  if (status === undefined) throw new Error(`the SubjectAccessReview answered ${response.status}: ${JSON.stringify(response.body)}`);
  return {
    allowed: status.allowed,
    reason: status.reason ?? '',
    ...(status.evaluationError === undefined ? {} : { error: status.evaluationError }),
  };
}
