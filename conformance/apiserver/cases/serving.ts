import { create, get, given, mergePatch, remove, type Step, subject, update } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, NAMESPACES, PODS, pod, SECRETS, SERVICES } from './objects.ts';

const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json';
const PARTIAL = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PARTIALS = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const madeA = given(create(CONFIG_MAPS, configMap('a', { k: 'v' }, { labels: { app: 'a' } })));
const table = (path: string, more = ''): Step => get(`${path}${more}`, { accept: TABLE, pick: withoutAge });

const CORE = [
  'configmaps',
  'secrets',
  'pods',
  'pods/status',
  'pods/binding',
  'pods/eviction',
  'services',
  'nodes',
  'nodes/status',
  'namespaces',
  'namespaces/finalize',
  'namespaces/status',
  'events',
  'serviceaccounts',
  'serviceaccounts/token',
  'bindings',
  'persistentvolumeclaims',
  'persistentvolumes',
  'resourcequotas',
  'limitranges',
  'endpoints',
];
const GROUPS = [
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'apiextensions.k8s.io',
  'rbac.authorization.k8s.io',
  'coordination.k8s.io',
  'events.k8s.io',
];
const statusOf = (body: unknown): unknown => (body as { status?: unknown }).status;

/** What is served besides objects: other forms, discovery, errors of HTTP. */
export const servingCases = [
  ...subject('table', {
    'of config maps': [madeA, table(CONFIG_MAPS, '?fieldSelector=metadata.name%3Da'), table(`${CONFIG_MAPS}/a`)],
    'of deployments': [given(create(DEPLOYMENTS, deployment('a'))), table(DEPLOYMENTS)],
    'of pods': [given(create(PODS, pod('a'))), given(create(PODS, pod('b', { nodeName: 'n' }))), table(PODS)],
    'of services': [
      given(
        create(SERVICES, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: {
            ports: [
              { port: 80, name: 'x' },
              { port: 53, protocol: 'UDP', name: 'y' },
            ],
          },
        }),
      ),
      table(SERVICES),
    ],
    'of secrets': [
      given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'b' } })),
      table(SECRETS),
    ],
    'of namespaces': [table(`${NAMESPACES}/$(ns)`)],
    'of nodes': [
      given(create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: '$(ns)' } })),
      table('/api/v1/nodes/$(ns)'),
    ],
    'of nothing': [table(SECRETS)],
    'of other workloads': ['statefulsets', 'daemonsets', 'replicasets'].map((each) => table(`/apis/apps/v1/namespaces/$(ns)/${each}`)),
    'of jobs': ['jobs', 'cronjobs'].map((each) => table(`/apis/batch/v1/namespaces/$(ns)/${each}`)),
    'of roles': ['roles', 'rolebindings'].map((each) => table(`/apis/rbac.authorization.k8s.io/v1/namespaces/$(ns)/${each}`)),
    'of several kinds': [
      ...['events', 'serviceaccounts', 'endpoints', 'persistentvolumeclaims', 'resourcequotas', 'limitranges'].map((each) =>
        table(`/api/v1/namespaces/$(ns)/${each}`, '?labelSelector=none'),
      ),
      ...['ingresses', 'networkpolicies'].map((each) => table(`/apis/networking.k8s.io/v1/namespaces/$(ns)/${each}`)),
      table('/apis/autoscaling/v2/namespaces/$(ns)/horizontalpodautoscalers'),
      table('/apis/policy/v1/namespaces/$(ns)/poddisruptionbudgets'),
      table('/apis/coordination.k8s.io/v1/namespaces/$(ns)/leases'),
      table('/apis/discovery.k8s.io/v1/namespaces/$(ns)/endpointslices'),
    ],
    'with whole objects': [
      madeA,
      table(`${CONFIG_MAPS}/a`, '?includeObject=Object'),
      table(`${CONFIG_MAPS}/a`, '?includeObject=None'),
      table(`${CONFIG_MAPS}/a`, '?includeObject=Half'),
    ],
    'of an error': [table(`${CONFIG_MAPS}/none`)],
    'of an old version': [madeA, get(`${CONFIG_MAPS}/a`, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1alpha1' })],
    'of a created object': [create(CONFIG_MAPS, configMap('a', { k: 'v' }), { accept: TABLE, pick: withoutAge })],
    'with a limit': [madeA, table(CONFIG_MAPS, '?limit=1')],
  }),
  ...subject('partial metadata', {
    'of an object': [madeA, get(`${CONFIG_MAPS}/a`, { accept: PARTIAL })],
    'of a list': [madeA, get(`${CONFIG_MAPS}?labelSelector=app%3Da`, { accept: PARTIALS })],
    'of a list, wrongly asked': [madeA, get(CONFIG_MAPS, { accept: PARTIAL }), get(`${CONFIG_MAPS}/a`, { accept: PARTIALS })],
    'of a created object': [create(CONFIG_MAPS, configMap('a'), { accept: PARTIAL })],
    'of a patched object': [madeA, mergePatch(`${CONFIG_MAPS}/a`, { data: { x: 'y' } }, { accept: PARTIAL })],
  }),
  ...subject('content', {
    'in yaml': [
      create(CONFIG_MAPS, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {k: v}\n', { contentType: 'application/yaml' }),
      get(`${CONFIG_MAPS}/a`, { accept: 'application/yaml', compare: 'status' }),
    ],
    'of unknown types': [
      create(CONFIG_MAPS, '<a/>', { contentType: 'application/xml' }),
      get(CONFIG_MAPS, { accept: 'application/xml' }),
      get(CONFIG_MAPS, { accept: 'text/html,*/*', compare: 'status' }),
      create(CONFIG_MAPS, configMap('b'), { contentType: 'application/json; charset=utf-8' }),
    ],
    malformed: [
      create(CONFIG_MAPS, '{"apiVersion":'),
      create(CONFIG_MAPS, ''),
      create(CONFIG_MAPS, '[]'),
      create(CONFIG_MAPS, '"text"'),
      create(CONFIG_MAPS, 'null'),
      create(CONFIG_MAPS, '{} {}'),
    ],
    'with a body on GET': [{ call: `GET ${CONFIG_MAPS}/none`, body: 'whatever' }],
    'with accents': [create(CONFIG_MAPS, configMap('a', { k: 'é😀\u2028<>&' })), get(`${CONFIG_MAPS}/a`)],
    'with large numbers': [
      create(DEPLOYMENTS, '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":9999999999999}}'),
      create(DEPLOYMENTS, '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":1.5}}'),
    ],
    'that is too large': [
      create(CONFIG_MAPS, configMap('a', { k: 'x'.repeat(1024 * 1024 + 1) })),
      create(CONFIG_MAPS, configMap('a', { k: 'x'.repeat(4 * 1024 * 1024) })),
    ],
  }),
  ...subject('paths', {
    unknown: [
      '/nothing',
      '/api/v2',
      '/apis/nothing.example.com',
      '/apis/apps/v9',
      '/apis/apps/v1/nothing',
      '/api/v1/nothing',
      '/api/v1/namespaces/$(ns)/nothing/x',
    ].map((each) => get(each)),
    'unknown, other methods': [
      create('/nothing', {}),
      remove('/apis/apps/v9/deployments/x'),
      create('/api/v1/namespaces/$(ns)/nothing', {}),
    ],
    'methods that are not there': [
      { call: `PUT ${CONFIG_MAPS}`, body: configMap('a') },
      { call: `POST ${CONFIG_MAPS}/a`, body: configMap('a') },
      { call: 'DELETE /api/v1/namespaces/$(ns)/services', body: undefined },
      { call: 'POST /api/v1', body: {} },
      { call: `HEAD ${CONFIG_MAPS}/none`, compare: 'status' },
      { call: `OPTIONS ${CONFIG_MAPS}`, compare: 'status' },
    ],
    'subresources that are not there': [given(create(PODS, pod('a'))), get(`${PODS}/a/nothing`), create(`${PODS}/a/scale`, {})],
    'of a pod that does not run': [given(create(PODS, pod('a'))), get(`${PODS}/a/log`), get(`${PODS}/none/log`)],
    'a namespaced resource without a namespace': [get('/api/v1/configmaps/a'), create('/api/v1/configmaps', configMap('a'))],
    'a cluster resource in a namespace': [get('/api/v1/namespaces/$(ns)/nodes'), get('/api/v1/namespaces/$(ns)/namespaces')],
    health: [get('/healthz'), get('/livez'), get('/readyz'), get('/healthz/ping'), get('/livez/nothing')],
    'escaped names': [get(`${CONFIG_MAPS}/a%2Fb`), get(`${CONFIG_MAPS}/a%20b`)],
    'query that is none': [get(`${CONFIG_MAPS}/none?a=%zz`, { compare: 'status' })],
  }),
  ...subject(
    'discovery',
    {
      'of the legacy group': [
        get('/api', { pick: (body) => ({ ...(body as object), serverAddressByClientCIDRs: 'any' }) }),
        get('/api/v1', { pick: resourcesOf(CORE) }),
      ],
      'of groups': [
        get('/apis', { pick: groupsOf }),
        get('/apis/apps'),
        get('/apis/apps/v1', {
          pick: resourcesOf([
            'deployments',
            'deployments/scale',
            'deployments/status',
            'replicasets',
            'statefulsets',
            'daemonsets',
            'controllerrevisions',
          ]),
        }),
        get('/apis/batch/v1', { pick: resourcesOf(['jobs', 'jobs/status', 'cronjobs']) }),
        get('/apis/apiextensions.k8s.io/v1', { pick: resourcesOf(['customresourcedefinitions', 'customresourcedefinitions/status']) }),
        get('/apis/rbac.authorization.k8s.io/v1', { pick: resourcesOf(['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']) }),
        get('/apis/authorization.k8s.io/v1', {
          pick: resourcesOf(['subjectaccessreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'localsubjectaccessreviews']),
        }),
        get('/apis/admissionregistration.k8s.io/v1', {
          pick: resourcesOf(['validatingadmissionpolicies', 'mutatingadmissionpolicies', 'validatingwebhookconfigurations']),
        }),
        get('/apis/coordination.k8s.io/v1', { pick: resourcesOf(['leases']) }),
        get('/apis/autoscaling/v2', { pick: resourcesOf(['horizontalpodautoscalers', 'horizontalpodautoscalers/status']) }),
        get('/apis/networking.k8s.io/v1', { pick: resourcesOf(['ingresses', 'networkpolicies', 'ingressclasses']) }),
        get('/apis/policy/v1', { pick: resourcesOf(['poddisruptionbudgets']) }),
        get('/apis/scheduling.k8s.io/v1', { pick: resourcesOf(['priorityclasses']) }),
        get('/apis/storage.k8s.io/v1', {
          pick: resourcesOf(['storageclasses', 'csinodes', 'volumeattachments', 'csidrivers', 'csistoragecapacities']),
        }),
        get('/apis/resource.k8s.io/v1', {
          pick: resourcesOf(['resourceclaims', 'resourceslices', 'deviceclasses', 'resourceclaimtemplates']),
        }),
        get('/apis/apiregistration.k8s.io/v1', { pick: resourcesOf(['apiservices', 'apiservices/status']) }),
        get('/apis/events.k8s.io/v1', { pick: resourcesOf(['events']) }),
        get('/apis/discovery.k8s.io/v1', { pick: resourcesOf(['endpointslices']) }),
      ],
      aggregated: [
        get('/apis', {
          accept: 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json',
          pick: aggregatedOf,
        }),
        get('/api', {
          accept: 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json',
          pick: aggregatedOf,
        }),
        get('/apis', { accept: 'application/json;v=v2beta1;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList', pick: kindOf }),
        get('/apis', { accept: 'application/json;v=v9;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList', pick: kindOf }),
      ],
      version: [get('/version', { pick: versionOf })],
      'openapi v3': [
        get('/openapi/v3', {
          pick: (body) => ['api/v1', 'apis/apps/v1', 'apis/batch/v1', 'version'].map((key) => key in (body as { paths: object }).paths),
        }),
        get('/openapi/v3/apis/apps/v1', { pick: openApiOf }),
        get('/openapi/v3/apis/nothing/v1'),
      ],
    },
    { alone: true },
  ),
  ...subject('leases and events', {
    lease: [
      create('/apis/coordination.k8s.io/v1/namespaces/$(ns)/leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'a' },
        spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 0 },
      }),
      create('/apis/coordination.k8s.io/v1/namespaces/$(ns)/leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'b' },
        spec: { leaseDurationSeconds: -1, renewTime: 'yesterday' },
      }),
      create('/apis/coordination.k8s.io/v1/namespaces/$(ns)/leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'b' },
        spec: { leaseDurationSeconds: -1, leaseTransitions: -1 },
      }),
    ],
    'old events': [
      create('/api/v1/namespaces/$(ns)/events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'a.1' },
        involvedObject: { kind: 'Pod', name: 'a', namespace: '$(ns)' },
        reason: 'Tested',
        message: 'it was',
        type: 'Normal',
        count: 1,
      }),
      create('/api/v1/namespaces/$(ns)/events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'a.2' },
        involvedObject: { kind: 'Pod', name: 'a', namespace: 'other' },
      }),
      get('/apis/events.k8s.io/v1/namespaces/$(ns)/events/a.1'),
      get('/api/v1/namespaces/$(ns)/events?fieldSelector=involvedObject.name%3Da,reason%3DTested', {
        pick: (body) => (body as { items: unknown[] }).items.length,
      }),
    ],
    'new events': [
      create('/apis/events.k8s.io/v1/namespaces/$(ns)/events', {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'a.1' },
        eventTime: '2020-01-01T00:00:00.000000Z',
        regarding: { kind: 'Pod', name: 'a', namespace: '$(ns)' },
        reason: 'Tested',
        action: 'Testing',
        note: 'it was',
        type: 'Normal',
        reportingController: 'example.test/tester',
        reportingInstance: 'one',
      }),
      create('/apis/events.k8s.io/v1/namespaces/$(ns)/events', {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'b.1' },
      }),
      get('/api/v1/namespaces/$(ns)/events/a.1'),
    ],
  }),
  ...subject('pods', {
    'are bound': [
      given(create(PODS, pod('a'))),
      create(`${PODS}/a/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Node', name: 'n1' } }),
      get(`${PODS}/a`, { pick: boundPod }),
      create(`${PODS}/a/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Node', name: 'n2' } }),
    ],
    'are bound by the collection': [
      given(create(PODS, pod('a'))),
      create('/api/v1/namespaces/$(ns)/bindings', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { name: 'n1' } }),
      get(`${PODS}/a`, { pick: boundPod }),
    ],
    'are bound wrongly': [
      given(create(PODS, pod('a'))),
      create(`${PODS}/none/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'none' }, target: { name: 'n1' } }),
      create(`${PODS}/a/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'b' }, target: { name: 'n1' } }),
      create(`${PODS}/a/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Pod', name: '' } }),
    ],
    'with gates are not bound': [
      given(create(PODS, pod('a', { schedulingGates: [{ name: 'example.test/wait' }] }))),
      create(`${PODS}/a/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { name: 'n1' } }),
      mergePatch(`${PODS}/a`, { spec: { schedulingGates: null } }),
    ],
    'are evicted': [
      given(create(PODS, pod('a'))),
      create(`${PODS}/a/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }),
      get(`${PODS}/a`),
      create(`${PODS}/none/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'none' } }),
    ],
    'are protected from eviction': [
      given(create(PODS, pod('a', {}, { labels: { app: 'a' } }))),
      given(mergePatch(`${PODS}/a/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } })),
      given(
        create('/apis/policy/v1/namespaces/$(ns)/poddisruptionbudgets', {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'a' },
          spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
        }),
      ),
      given(
        mergePatch('/apis/policy/v1/namespaces/$(ns)/poddisruptionbudgets/a/status', {
          status: { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
        }),
      ),
      create(`${PODS}/a/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }),
      create(`${PODS}/a/eviction?dryRun=All`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }),
    ],
    'with a service account that is not there': [create(PODS, pod('a', { serviceAccountName: 'none' }))],
    'with a priority class': [
      create(PODS, pod('a', { priorityClassName: 'system-node-critical' })),
      create(PODS, pod('b', { priorityClassName: 'none' })),
    ],
    'quality of service': [
      create(PODS, pod('a', { containers: [{ name: 'a', image: 'i', resources: { limits: { cpu: '1', memory: '1Gi' } } }] }), {
        pick: statusOf,
      }),
      create(PODS, pod('b', { containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } } }] }), { pick: statusOf }),
    ],
  }),
  ...subject('service account', {
    token: [
      create(
        '/api/v1/namespaces/$(ns)/serviceaccounts/default/token',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
        { pick: tokenOf, keep: { token: '/status/token' } },
      ),
      create(
        '/apis/authentication.k8s.io/v1/tokenreviews',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: '$(token)' } },
        { pick: reviewOf },
      ),
      create('/api/v1/namespaces/$(ns)/serviceaccounts/none/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      }),
      create('/api/v1/namespaces/$(ns)/serviceaccounts/default/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 10 },
      }),
    ],
  }),
  ...subject('update of', {
    'a service keeps its address': [
      given(create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } })),
      update(`${SERVICES}/a`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 81 }] } }),
      mergePatch(`${SERVICES}/a`, { spec: { clusterIP: '10.96.9.9' } }),
    ],
    "a secret's type": [
      given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })),
      mergePatch(`${SECRETS}/a`, { type: 'example.test/other' }),
    ],
  }),
];

/** The named resources of a discovery document, without the hashes of how they are stored. */
function resourcesOf(names: readonly string[]): (body: unknown) => unknown {
  return (body) => {
    const { resources, ...rest } = body as { resources?: { name: string; storageVersionHash?: string }[] };
    const found = resources?.filter(({ name }) => names.includes(name)).map(({ storageVersionHash: _, ...each }) => each);
    return { ...rest, resources: found?.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  };
}

function groupsOf(body: unknown): unknown {
  const { groups, ...rest } = body as { groups: { name: string }[] };
  return { ...rest, groups: groups.filter(({ name }) => GROUPS.includes(name)) };
}

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly freshness: string;
    readonly resources: readonly { readonly resource: string }[];
  }[];
}

function aggregatedOf(body: unknown): unknown {
  const { items, ...rest } = body as { items: GroupDiscovery[] };
  const wanted = new Set(['deployments', 'jobs', 'configmaps', 'pods', 'namespaces', 'customresourcedefinitions', 'services']);
  const groups = items
    .filter(({ metadata }) => metadata?.name === undefined || ['apps', 'batch', 'apiextensions.k8s.io'].includes(metadata.name))
    .map(({ metadata, versions }) => ({
      name: metadata?.name ?? '',
      versions: versions.map((version) => ({
        ...version,
        resources: version.resources.filter(({ resource }) => wanted.has(resource)).sort((a, b) => (a.resource < b.resource ? -1 : 1)),
      })),
    }));
  return { ...rest, groups };
}

function kindOf(body: unknown): unknown {
  const { kind, apiVersion } = body as Record<string, unknown>;
  return { kind, apiVersion };
}

function openApiOf(body: unknown): unknown {
  const { openapi, components, paths } = body as {
    openapi: string;
    components: { schemas: Record<string, { properties: object }> };
    paths: Record<string, object>;
  };
  const schema = components.schemas['io.k8s.api.apps.v1.DeploymentSpec'];
  return {
    openapi,
    schema,
    hasPath: '/apis/apps/v1/namespaces/{namespace}/deployments/{name}' in paths,
    kinds: (components.schemas['io.k8s.api.apps.v1.Deployment'] as Record<string, unknown> | undefined)?.[
      'x-kubernetes-group-version-kind'
    ],
  };
}

function withoutAge(body: unknown): unknown {
  const { rows, ...rest } = body as { rows?: { cells: unknown[] }[] | null };
  if (!rows) return body;
  return {
    ...rest,
    rows: rows.map((row) => ({ ...row, cells: row.cells.map((cell) => (/^\d+m?s$/.test(String(cell)) ? '<age>' : cell)) })),
  };
}

function boundPod(body: unknown): unknown {
  const { spec, status } = body as { spec: { nodeName?: string }; status: { conditions?: { type: string; status: string }[] } };
  return { node: spec.nodeName, conditions: status.conditions?.map(({ type, status: value }) => `${type} ${value}`) };
}

function tokenOf(body: unknown): unknown {
  const { status, metadata, ...rest } = body as { status: { token: string }; metadata: { name?: string; namespace?: string } };
  return { ...rest, name: metadata.name, namespace: metadata.namespace, parts: status.token.split('.').length };
}

function reviewOf(body: unknown): unknown {
  const { status } = body as { status: { authenticated?: boolean; user?: { username: string; groups: string[]; uid: string } } };
  return { authenticated: status.authenticated, username: status.user?.username, groups: status.user?.groups };
}

/** Behind a plus sign a server may say what it is. */
function versionOf(body: unknown): unknown {
  const { major, minor, gitVersion } = body as Record<string, string>;
  return { major, minor, version: gitVersion?.split('+')[0] };
}
