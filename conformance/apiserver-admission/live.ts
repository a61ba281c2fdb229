import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../engine/rules/admission/decision.ts';
import type { ApiResponse } from '../cluster/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { resourceOf, resourcePath } from './case.ts';
import { CUSTOM_RESOURCES } from './kinds.ts';
import type { PlannedCase, PlannedRequest } from './plan.ts';
import { inParallel } from './pool.ts';
import { type RecordedRequest, startRecorder } from './recorder.ts';

/** Requests at a time. */
const WIDTH = 8;
const ACTIVE_DEADLINE_MS = 90_000;

/** What the API server said about one request. */
export interface LiveAnswer {
  readonly request: PlannedRequest;
  readonly response: ApiResponse;
  /** Audit annotations, by their full keys. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A namespace that no policy of any case matches. */
export const PLAIN_NAMESPACE = 'plain';

async function create(cluster: Cluster, path: string, body: unknown, tolerate: readonly number[] = []): Promise<ApiResponse> {
  const response = await cluster.admin.request({ method: 'POST', path, body });
  if (response.status > 299 && !tolerate.includes(response.status)) {
    throw new Error(`POST ${path} answered ${response.status}: ${JSON.stringify(response.body)}\n${JSON.stringify(body)}`);
  }
  return response;
}

async function poll(what: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ACTIVE_DEADLINE_MS;
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${ACTIVE_DEADLINE_MS / 1000} s`);
    await delay(200);
  }
}

/** Custom kinds, namespaces, service accounts and stored objects of all cases; then waits until the custom kinds are served. */
export async function createObjects(cluster: Cluster, cases: readonly PlannedCase[]): Promise<void> {
  for (const definition of CUSTOM_RESOURCES) {
    await create(cluster, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  }
  const plain = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: PLAIN_NAMESPACE } };
  const namespaces: JsonObject[] = [plain, ...cases.map((each) => each.namespace)];
  await inParallel(namespaces, WIDTH, async (namespace) => {
    await create(cluster, '/api/v1/namespaces', namespace);
    const { name } = namespace['metadata'] as { name: string };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await create(cluster, `/api/v1/namespaces/${name}/serviceaccounts`, account, [409]);
  });
  const plurals = CUSTOM_RESOURCES.map((each) => (each['spec'] as { names: { plural: string } }).names.plural);
  await poll('serving the custom kinds', async () => {
    const answers = await Promise.all(plurals.map((plural) => cluster.admin.request({ path: `/apis/conformance.example/v1/${plural}` })));
    return answers.every((answer) => answer.status === 200);
  });
  // Discovery and OpenAPI follow a moment later, and whoever checks types reads them once.
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  await poll('telling of the custom kinds', async () => {
    const [discovery, openapi] = await Promise.all([
      cluster.admin.request({ path: '/apis', accept }),
      cluster.admin.request({ path: '/openapi/v3/apis/conformance.example/v1' }),
    ]);
    const [groups, schemas] = [JSON.stringify(discovery.body), JSON.stringify(openapi.body)];
    const kinds = CUSTOM_RESOURCES.map((each) => (each['spec'] as { names: { kind: string; plural: string } }).names);
    return kinds.every(({ kind, plural }) => groups.includes(`"${plural}"`) && schemas.includes(`"kind":"${kind}"`));
  });
  const extraNamespaces = new Set<string>();
  const known = new Set(namespaces.map((each) => (each['metadata'] as { name: string }).name));
  const objects = cases.flatMap((each) => each.objects);
  for (const object of objects) {
    const { namespace } = object['metadata'] as { namespace?: string };
    if (namespace !== undefined && !known.has(namespace) && namespace !== 'default') extraNamespaces.add(namespace);
  }
  for (const name of extraNamespaces) await create(cluster, '/api/v1/namespaces', { ...plain, metadata: { name } });
  await inParallel(objects, WIDTH, async (object) => {
    const { namespace = '' } = object['metadata'] as { namespace?: string };
    await create(cluster, resourcePath(resourceOf(object), namespace), object);
  });
}

/** Sends all requests while no policy is loaded, and answers what admission was shown of each, by its mark. */
export async function recordRequests(cluster: Cluster, cases: readonly PlannedCase[]): Promise<ReadonlyMap<string, RecordedRequest>> {
  const recorder = await startRecorder(cluster);
  try {
    const requests = cases.flatMap((each) => each.requests);
    await inParallel(requests, WIDTH, (request) => cluster.admin.request(request.send));
    return recorder.requests;
  } finally {
    await recorder.close();
  }
}

/** Why the API server did not take a policy. */
export interface Refusal {
  readonly message: string;
  /** By field, `spec.validations[0].expression`. */
  readonly causes: readonly { readonly field: string; readonly message: string; readonly reason: string }[];
  /** The API server has a bug that this document meets: nothing can be compared. */
  readonly crashed?: boolean;
}

function refusalOf(body: unknown): Refusal {
  const status = body as { message?: string; details?: { causes?: Refusal['causes'] } };
  return { message: status.message ?? JSON.stringify(body), causes: status.details?.causes ?? [] };
}

/** Loads policies and bindings, and waits until the API server enforces the last of them. Answers refusals by name of the policy. */
export async function loadPolicies(cluster: Cluster, cases: readonly PlannedCase[]): Promise<ReadonlyMap<string, Refusal>> {
  const refused = new Map<string, Refusal>();
  const documents = cases.flatMap((each) => each.documents);
  await inParallel(documents, WIDTH, async (document) => {
    const path = `/apis/admissionregistration.k8s.io/v1/${String(document['kind']).toLowerCase().replace(/y$/, 'ie')}s`;
    const { name } = document['metadata'] as { name: string };
    const response = await cluster.admin.request({ method: 'POST', path, body: document }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') return undefined;
      throw error;
    });
    if (response === undefined)
      refused.set(name, { crashed: true, message: 'the API server panicked and broke the connection', causes: [] });
    else if (response.status > 299) refused.set(name, refusalOf(response.body));
  });
  await waitForSentinels(cluster);
  return refused;
}

/**
 * Policies become active in the order in which they were made: the last ones are ours, one of each kind, on config maps and custom
 * objects of a namespace of their own.
 */
async function waitForSentinels(cluster: Cluster): Promise<void> {
  const label = { sentinel: 'yes' };
  await create(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sentinel', labels: label } });
  const groups = ['', 'conformance.example'];
  const rules = [{ apiGroups: groups, apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps', 'widgets'] }];
  const matchConstraints = { namespaceSelector: { matchLabels: label }, resourceRules: rules };
  const root = '/apis/admissionregistration.k8s.io/v1';
  const make = async (kind: string, plural: string, spec: JsonObject, binding: JsonObject): Promise<void> => {
    const apiVersion = 'admissionregistration.k8s.io/v1';
    await create(cluster, `${root}/${plural}`, { apiVersion, kind, metadata: { name: 'sentinel' }, spec: { ...spec, matchConstraints } });
    const bindingSpec = { ...binding, policyName: 'sentinel' };
    const bound = { apiVersion, kind: `${kind}Binding`, metadata: { name: 'sentinel' }, spec: bindingSpec };
    await create(cluster, `${root}/${plural.replace(/ies$/, 'ybindings')}`, bound);
  };
  const mutation = { expression: 'Object{metadata: Object.metadata{annotations: {"sentinel": "seen"}}}' };
  await make(
    'MutatingAdmissionPolicy',
    'mutatingadmissionpolicies',
    { reinvocationPolicy: 'Never', mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: mutation }] },
    {},
  );
  const validations = [
    { expression: 'object.metadata.?annotations["sentinel"].orValue("") != "seen" || params != null', message: 'sentinel' },
  ];
  await make(
    'ValidatingAdmissionPolicy',
    'validatingadmissionpolicies',
    { validations, paramKind: { apiVersion: 'conformance.example/v1', kind: 'Limit' } },
    { validationActions: ['Deny'] },
  );
  for (const [plural, apiVersion, kind] of [
    ['configmaps', 'v1', 'ConfigMap'],
    ['widgets', 'conformance.example/v1', 'Widget'],
  ] as const) {
    const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const path = `${root}/namespaces/sentinel/${plural}`;
    const body = { apiVersion, kind, metadata: { name: 'probe' } };
    await poll(`enforcing the last policies on ${plural}`, async () => {
      const { status, body: answer } = await cluster.admin.request({ method: 'POST', path, body, query: { dryRun: 'All' } });
      return status === 422 && JSON.stringify(answer).includes("'sentinel' with binding 'sentinel' denied request: sentinel");
    });
  }
}

/** Sends all requests; audit annotations are filled in from the cluster's audit log. */
export async function sendRequests(cluster: Cluster, cases: readonly PlannedCase[]): Promise<LiveAnswer[]> {
  const requests = cases.flatMap((each) => each.requests);
  const responses = await inParallel(requests, WIDTH, (request) => cluster.admin.request(request.send));
  const annotations = new Map(cluster.auditEvents().map((event) => [event.auditID, event.annotations ?? {}]));
  return requests.map((request, index) => {
    const response = responses[index]!;
    return { request, response, annotations: annotations.get(response.auditId ?? '') ?? {} };
  });
}
