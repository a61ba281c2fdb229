import { setTimeout as delay } from 'node:timers/promises';
import { stringifyJson } from '../../../runtimes/host/json-body.ts';
import type { ApiRequest, ApiResponse } from '../../cluster/client.ts';
import { messageOf } from '../../cluster/client.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { CaseResult, SuiteContext } from '../../suite.ts';
import { LOAD_CASE, putUnderLoad } from './load.ts';
import { WEBHOOK_LABEL } from './rules.ts';
import { prepareServer, type ServedRules } from './server.ts';

const NAMESPACE = 'webhook';
const MUTATE = 'mutate.conformance.example';
const VALIDATE = 'validate.conformance.example';

/** One call through the real API server, and what must come of it. */
interface WebhookCase {
  readonly name: string;
  readonly request: ApiRequest;
  readonly status: number;
  /** The whole message of a refusal. */
  readonly message?: string;
  readonly warnings?: readonly string[];
  /** Audit annotations beside those of the API server itself, by key without the webhook's name. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Must be found, as text, in the answer's object. */
  readonly contains?: readonly string[];
}

const DRY = { dryRun: 'All' };
const collection = (plural: string): string => `/api/v1/namespaces/${NAMESPACE}/${plural}`;

function configMap(name: string, data: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}): unknown {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

function create(plural: string, body: unknown, query: Readonly<Record<string, string>> = DRY): ApiRequest {
  return { method: 'POST', path: collection(plural), body, query };
}

function patch(path: string, body: unknown, query: Readonly<Record<string, string>> = DRY): ApiRequest {
  return { method: 'PATCH', path, body, query, contentType: 'application/merge-patch+json' };
}

const denied = (text: string): string => `admission webhook "${VALIDATE}" denied the request: ${text}`;
const byRule = (rule: string, text: string): string => denied(`AdmissionRule '${rule}' denied request: ${text}`);
const version = '"conformance.example/version":"v0"';
const approver = { user: 'admin', groups: ['system:masters'] };

const CASES: readonly WebhookCase[] = [
  {
    name: 'create, allowed and mutated',
    request: create('configmaps', configMap('kept', { a: '1' }), {}),
    status: 201,
    contains: [version],
  },
  { name: 'what was mutated is stored', request: { path: `${collection('configmaps')}/kept` }, status: 200, contains: [version] },
  {
    name: 'create, denied',
    request: create('configmaps', configMap('bad', { bad: 'yes' }), {}),
    status: 403,
    message: byRule('bad-data', 'bad data, says v0'),
  },
  { name: 'what was denied is not stored', request: { path: `${collection('configmaps')}/bad` }, status: 404 },
  { name: 'dry run, mutated', request: create('configmaps', configMap('dry', { a: '1' })), status: 201, contains: [version] },
  { name: 'dry run is not stored', request: { path: `${collection('configmaps')}/dry` }, status: 404 },
  {
    name: 'dry run, denied',
    request: create('configmaps', configMap('dry', { bad: 'yes' })),
    status: 403,
    message: byRule('bad-data', 'bad data, says v0'),
  },
  {
    name: 'generated name',
    request: create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'g-' } }),
    status: 201,
    contains: [version],
  },
  {
    name: 'update, allowed',
    request: { method: 'PUT', path: `${collection('configmaps')}/kept`, body: configMap('kept', { a: '2' }) },
    status: 200,
    contains: [version, '"a":"2"'],
  },
  {
    name: 'update, denied',
    request: { method: 'PUT', path: `${collection('configmaps')}/kept`, body: configMap('kept', { bad: 'yes' }) },
    status: 403,
    message: byRule('bad-data', 'bad data, says v0'),
  },
  {
    name: 'patch, denied',
    request: patch(`${collection('configmaps')}/kept`, { data: { bad: 'yes' } }),
    status: 403,
    message: byRule('bad-data', 'bad data, says v0'),
  },
  {
    name: 'patch that removes the label gets it back',
    request: patch(`${collection('configmaps')}/kept`, { metadata: { labels: null } }),
    status: 200,
    contains: [version],
  },
  {
    name: 'delete, denied',
    request: { method: 'DELETE', path: `${collection('configmaps')}/protected`, query: DRY },
    status: 422,
    message: byRule('protected', 'protected is protected'),
  },
  { name: 'delete, allowed', request: { method: 'DELETE', path: `${collection('configmaps')}/kept` }, status: 200 },
  { name: 'what was deleted is gone', request: { path: `${collection('configmaps')}/kept` }, status: 404 },
  {
    name: 'connect, denied',
    request: { method: 'POST', path: `${collection('pods')}/p/exec`, query: { command: 'sh', container: 'c' } },
    status: 422,
    message: byRule('no-shell', 'no shell in p'),
  },
  {
    name: 'connect, allowed',
    request: { method: 'POST', path: `${collection('pods')}/p/exec`, query: { command: 'ls', container: 'c' } },
    status: 400,
    message: 'pod p does not have a host assigned',
  },
  {
    name: 'scale, denied',
    request: patch(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/d/scale`, { spec: { replicas: 6 } }),
    status: 422,
    message: byRule('at-most-five', 'at most five replicas'),
  },
  {
    name: 'scale, allowed',
    request: patch(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/d/scale`, { spec: { replicas: 5 } }),
    status: 200,
  },
  {
    name: 'a Namespace, denied',
    request: {
      method: 'POST',
      path: '/api/v1/namespaces',
      query: DRY,
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'w2', labels: WEBHOOK_LABEL } },
    },
    status: 422,
    message: byRule('namespaces-have-owners', 'no owner'),
  },
  {
    name: 'a Namespace, allowed',
    request: {
      method: 'POST',
      path: '/api/v1/namespaces',
      query: DRY,
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'w2', labels: { ...WEBHOOK_LABEL, owner: 'me' } } },
    },
    status: 201,
  },
  {
    name: 'a fact of the cluster: the namespace',
    request: create('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }),
    status: 201,
    contains: ['"team":"blue"'],
  },
  {
    name: 'a fact of the cluster: the authorizer allows',
    request: {
      ...create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } }),
      impersonate: approver,
    },
    status: 201,
  },
  {
    name: 'a fact of the cluster: the authorizer refuses',
    request: {
      ...create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } }),
      impersonate: { user: 'carol', groups: ['conformance:services'] },
    },
    status: 422,
    message: byRule('may-approve', 'not an approver'),
  },
  {
    name: 'a warning, allowed',
    request: create('configmaps', configMap('w', { old: '1' })),
    status: 201,
    warnings: [`Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns-binding': old is "deprecated", größe`],
  },
  {
    name: 'a warning, denied',
    request: create('configmaps', configMap('w', { old: '1', bad: 'yes' })),
    status: 403,
    message: byRule('bad-data', 'bad data, says v0'),
    warnings: [`Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns-binding': old is "deprecated", größe`],
  },
  {
    name: 'an audit annotation',
    request: create('configmaps', configMap('n', { note: 'x' })),
    status: 201,
    annotations: { 'notes.note': 'note: x' },
  },
  {
    name: 'an audited failure',
    request: create('configmaps', configMap('n', { note: 'bad' })),
    status: 201,
    annotations: {
      'notes.note': 'note: bad',
      validation_failure:
        '[{"message":"a bad note","policy":"notes","binding":"notes-binding","expressionIndex":0,"validationActions":["Audit"]}]',
    },
  },
  {
    name: 'integers beyond 2^53 survive a mutation',
    request: {
      method: 'POST',
      path: `/apis/conformance.example/v1/namespaces/${NAMESPACE}/widgets`,
      query: DRY,
      body: {
        apiVersion: 'conformance.example/v1',
        kind: 'Widget',
        metadata: { name: 'w' },
        spec: { size: 9007199254740993n, any: { least: -9223372036854775808n } },
      },
    },
    status: 201,
    contains: ['"name":"seen"', '"size":9007199254740993', '"least":-9223372036854775808'],
  },
  {
    name: 'an object of 2.8 MB',
    request: {
      method: 'POST',
      path: `/apis/conformance.example/v1/namespaces/${NAMESPACE}/widgets`,
      query: DRY,
      body: {
        apiVersion: 'conformance.example/v1',
        kind: 'Widget',
        metadata: { name: 'w' },
        spec: { any: { text: 'x'.repeat(2_800_000) } },
      },
    },
    status: 201,
    contains: ['"name":"seen"'],
  },
];

/** Registers a running `fairlead serve` with the API server and has it called. */
export async function* compareWebhook(context: SuiteContext, cluster: Cluster): AsyncGenerator<CaseResult> {
  if (![...CASES.map(({ name }) => name), LOAD_CASE].some((name) => context.wanted(`webhook/${name}`))) return;
  const server = await prepareServer(cluster);
  try {
    await server.start();
    await createStored(cluster);
    await register(cluster, server, 'Fail');
    await untilCalled(cluster);
    for (const each of CASES) yield await runCase(cluster, each);
    yield await putUnderLoad(context, cluster, server, NAMESPACE);
    server.swapRules('v0');
    yield* compareStopped(cluster, server);
  } finally {
    for (const kind of ['mutating', 'validating']) {
      await cluster.admin.request({
        method: 'DELETE',
        path: `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/fairlead`,
      });
    }
    await server.close();
  }
}

async function createStored(cluster: Cluster): Promise<void> {
  const { admin } = cluster;
  const post = (path: string, body: unknown): Promise<ApiResponse> => admin.expect({ method: 'POST', path, body });
  await post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: { ...WEBHOOK_LABEL, team: 'blue', owner: 'me' } },
  });
  await admin.request({
    method: 'POST',
    path: collection('serviceaccounts'),
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
  await post(collection('configmaps'), configMap('protected', {}, { protected: 'yes' }));
  const containers = [{ name: 'c', image: 'registry.example/c:1' }];
  await post(collection('pods'), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers } });
  const template = { metadata: { labels: { app: 'd' } }, spec: { containers } };
  await post(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: { app: 'd' } }, template },
  });
  const group = 'rbac.authorization.k8s.io';
  await post(`/apis/${group}/v1/namespaces/${NAMESPACE}/roles`, {
    apiVersion: `${group}/v1`,
    kind: 'Role',
    metadata: { name: 'services' },
    rules: [{ apiGroups: [''], resources: ['services'], verbs: ['create'] }],
  });
  await post(`/apis/${group}/v1/namespaces/${NAMESPACE}/rolebindings`, {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'services' },
    roleRef: { apiGroup: group, kind: 'Role', name: 'services' },
    subjects: [{ apiGroup: group, kind: 'Group', name: 'conformance:services' }],
  });
}

async function register(cluster: Cluster, server: ServedRules, failurePolicy: 'Fail' | 'Ignore'): Promise<void> {
  for (const [kind, name, path] of [
    ['MutatingWebhookConfiguration', MUTATE, 'mutate'],
    ['ValidatingWebhookConfiguration', VALIDATE, 'validate'],
  ] as const) {
    const root = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`;
    const clientConfig = { url: `${server.url}/${path}`, caBundle: Buffer.from(server.ca).toString('base64') };
    const webhook = {
      name,
      clientConfig,
      rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }],
      namespaceSelector: { matchLabels: WEBHOOK_LABEL },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      failurePolicy,
      timeoutSeconds: 10,
    };
    const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'fairlead' }, webhooks: [webhook] };
    const created = await cluster.admin.request({ method: 'POST', path: root, body });
    if (created.status === 409) {
      await cluster.admin.expect(patch(`${root}/fairlead`, { webhooks: [webhook] }, {}));
    } else if (created.status > 299) throw new Error(`registering ${name}: ${messageOf(created.body)}`);
  }
}

/** Registrations take a moment to be seen; both must be. */
async function untilCalled(cluster: Cluster): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const mutated = await cluster.admin.request(create('configmaps', configMap('probe', {})));
    const refused = await cluster.admin.request(create('configmaps', configMap('probe', { bad: 'yes' })));
    if (stringifyJson(mutated.body).includes(version) && refused.status === 403) return;
    if (Date.now() > deadline)
      throw new Error(`the API server does not call the webhook: ${messageOf(mutated.body)}; ${messageOf(refused.body)}`);
    await delay(200);
  }
}

const SERVER_ANNOTATIONS =
  /^(authorization\.k8s\.io|pod-security\.kubernetes\.io|apiserver\.latency\.k8s\.io|[a-z]+\.webhook\.admission\.k8s\.io)\//;

async function runCase(cluster: Cluster, each: WebhookCase): Promise<CaseResult> {
  const response = await cluster.admin.request(each.request);
  const differences: string[] = [];
  const expect = (what: string, wanted: unknown, found: unknown): void => {
    const [left, right] = [JSON.stringify(wanted), JSON.stringify(found)];
    if (left !== right) differences.push(`${what}: expected ${left}, found ${right}`);
  };
  expect('status', each.status, response.status);
  if (each.message !== undefined) expect('message', each.message, messageOf(response.body));
  expect('warnings', each.warnings ?? [], response.warnings);
  const text = stringifyJson(response.body);
  for (const part of each.contains ?? []) if (!text.includes(part)) differences.push(`expected ${part} in ${text.slice(0, 2000)}`);
  if (each.annotations) {
    const event = cluster.auditEvents().find(({ auditID }) => auditID === response.auditId);
    const found = Object.entries(event?.annotations ?? {}).filter(([key]) => !SERVER_ANNOTATIONS.test(key));
    const wanted = Object.entries(each.annotations).map(([key, value]) => [`${VALIDATE}/${key}`, value]);
    expect('audit annotations', wanted.sort(), found.sort());
  }
  if (response.status > 299 && differences.length > 0) differences.push(`answer: ${messageOf(response.body)}`);
  return result(`webhook/${each.name}`, differences);
}

function result(name: string, differences: readonly string[]): CaseResult {
  return differences.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: differences.join('\n') };
}

/** What the API server makes of a webhook that is not there, and of one that comes back. */
async function* compareStopped(cluster: Cluster, server: ServedRules): AsyncGenerator<CaseResult> {
  await server.stop();
  const good = create('configmaps', configMap('x', { a: '1' }));
  const refused = await cluster.admin.request(good);
  const text = messageOf(refused.body);
  const isCallFailure = refused.status === 500 && text.startsWith(`Internal error occurred: failed calling webhook "${MUTATE}"`);
  yield result('webhook/stopped, failure policy Fail', isCallFailure ? [] : [`${refused.status} ${text}`]);
  await register(cluster, server, 'Ignore');
  const ignored = await eventually(
    () => cluster.admin.request(good),
    (response) => response.status === 201,
  );
  const isUntouched = ignored.status === 201 && !stringifyJson(ignored.body).includes('conformance.example/version');
  yield result('webhook/stopped, failure policy Ignore', isUntouched ? [] : [`${ignored.status} ${messageOf(ignored.body)}`]);
  await server.start();
  const back = await eventually(
    () => cluster.admin.request(create('configmaps', configMap('x', { bad: 'yes' }))),
    (response) => response.status === 403,
  );
  yield result('webhook/started again', back.status === 403 ? [] : [`${back.status} ${messageOf(back.body)}`]);
}

async function eventually(attempt: () => Promise<ApiResponse>, isRight: (response: ApiResponse) => boolean): Promise<ApiResponse> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const response = await attempt();
    if (isRight(response) || Date.now() > deadline) return response;
    await delay(200);
  }
}
