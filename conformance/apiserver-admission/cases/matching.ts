import { type AdmissionCase, constraints, createConfigMap, type Draft, type RequestDraft, rule, single, vap } from '../case.ts';

const no = { expression: 'false', message: 'matched' };

function matches(
  name: string,
  matchConstraints: Draft,
  requests: RequestDraft | readonly RequestDraft[],
  more: Partial<AdmissionCase> = {},
): AdmissionCase {
  return single(`match/${name}`, vap([no], { matchConstraints }), requests, more);
}

function bound(
  name: string,
  matchResources: Draft,
  requests: RequestDraft | readonly RequestDraft[],
  more: Partial<AdmissionCase> = {},
): AdmissionCase {
  return single(`match/binding ${name}`, vap([no], {}, [{ matchResources }]), requests, more);
}

const stored = { data: { a: '0' } };
const verbs: readonly RequestDraft[] = [
  createConfigMap({ a: '1' }),
  { name: 'update', resource: 'configmaps', verb: 'update', stored, object: { data: { a: '1' } } },
  { name: 'patch', resource: 'configmaps', verb: 'patch', stored, object: { data: { a: '1' } } },
  { name: 'delete', resource: 'configmaps', verb: 'delete', stored },
];
const create = createConfigMap({ a: '1' });
const secret: RequestDraft = { name: 'secret', resource: 'secrets', verb: 'create', object: { stringData: { a: '1' } } };
const labelled = (labels: Draft, name: string): RequestDraft => createConfigMap({ a: '1' }, { labels }, { name });

/** A Deployment that is valid. */
export const deployment = {
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'x' } },
    template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } },
  },
};
const deploymentRequests: readonly RequestDraft[] = [
  { name: 'create', resource: 'deployments', verb: 'create', object: deployment },
  {
    name: 'scale',
    resource: 'deployments',
    verb: 'patch',
    subresource: 'scale',
    stored: deployment,
    object: { spec: { replicas: 5 } },
  },
  {
    name: 'status',
    resource: 'deployments',
    verb: 'patch',
    subresource: 'status',
    stored: deployment,
    object: { status: { observedGeneration: 7 } },
  },
  { name: 'update', resource: 'deployments', verb: 'patch', stored: deployment, object: { spec: { replicas: 3 } } },
];
const apps = (resources: readonly string[], operations: readonly string[] = ['*']): Draft => ({
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations,
  resources,
});

const operations: readonly (readonly string[])[] = [['CREATE'], ['UPDATE'], ['DELETE'], ['CREATE', 'DELETE'], ['*'], ['CONNECT']];

const autoscaler = (apiVersion: 'v1' | 'v2'): RequestDraft => ({
  name: `create ${apiVersion}`,
  resource: apiVersion === 'v1' ? 'horizontalpodautoscalersV1' : 'horizontalpodautoscalers',
  verb: 'create',
  object: { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3 } },
});
const autoscalers = (version: string): Draft => ({
  apiGroups: ['autoscaling'],
  apiVersions: [version],
  operations: ['*'],
  resources: ['horizontalpodautoscalers'],
});

/** Which requests a policy and a binding are about. */
export const matchingCases: readonly AdmissionCase[] = [
  ...operations.map((each) => matches(`operations ${each.join(' ')}`, constraints(rule('configmaps', each)), verbs)),
  matches(
    'all groups, versions and resources',
    constraints({ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: 'Namespaced' }),
    [create, secret, ...deploymentRequests],
  ),
  matches(
    'another group',
    constraints({ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['*'], scope: 'Namespaced' }),
    [create, ...deploymentRequests],
  ),
  matches(
    'another version',
    constraints({ apiGroups: [''], apiVersions: ['v2'], operations: ['*'], resources: ['*'], scope: 'Namespaced' }),
    create,
  ),
  matches('several rules', constraints(rule('pods'), rule('secrets'), rule('configmaps', ['DELETE'])), [...verbs, secret]),
  matches('subresource: the main only', constraints(apps(['deployments'])), deploymentRequests),
  matches('subresource: scale only', constraints(apps(['deployments/scale'])), deploymentRequests),
  matches('subresource: all of deployments', constraints(apps(['deployments/*'])), deploymentRequests),
  matches('subresource: all statuses', constraints(apps(['*/status'])), deploymentRequests),
  matches('subresource: both', constraints(apps(['deployments', 'deployments/scale'])), deploymentRequests),
  matches('subresource: everything', constraints(apps(['*/*'])), deploymentRequests),
  matches('resource names', constraints({ ...rule('configmaps', ['*']), resourceNames: ['wanted'] }), [
    createConfigMap({ a: '1' }, { name: 'wanted' }, { name: 'wanted' }),
    createConfigMap({ a: '1' }, { name: 'other' }, { name: 'other' }),
    createConfigMap({ a: '1' }, { generateName: 'wanted-' }, { name: 'generated' }),
    { name: 'delete', resource: 'configmaps', verb: 'delete', stored: { metadata: { name: 'stored' }, data: {} } },
  ]),
  matches('scope Namespaced', constraints({ ...rule('configmaps', ['*']), scope: 'Namespaced' }), create),
  matches('scope Cluster', constraints({ ...rule('configmaps', ['*']), scope: 'Cluster' }), create),
  matches(
    'excluded resource',
    {
      resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: 'Namespaced' }],
      excludeResourceRules: [rule('secrets', ['*'])],
    },
    [create, secret],
  ),
  matches(
    'excluded operation',
    { resourceRules: [rule('configmaps', ['*'])], excludeResourceRules: [rule('configmaps', ['DELETE'])] },
    verbs,
  ),
  matches(
    'excluded names',
    { resourceRules: [rule('configmaps', ['*'])], excludeResourceRules: [{ ...rule('configmaps', ['*']), resourceNames: ['free'] }] },
    [createConfigMap({ a: '1' }, { name: 'free' }, { name: 'free' }), createConfigMap({ a: '1' }, { name: 'bound' }, { name: 'bound' })],
  ),
  matches(
    'excluded subresource',
    { resourceRules: [apps(['*/*'])], excludeResourceRules: [apps(['deployments/scale'])] },
    deploymentRequests,
  ),
  matches('object selector by label', { ...constraints(rule('configmaps')), objectSelector: { matchLabels: { app: 'a' } } }, [
    labelled({ app: 'a' }, 'a'),
    labelled({ app: 'b' }, 'b'),
    create,
  ]),
  matches(
    'object selector by expressions',
    { ...constraints(rule('configmaps')), objectSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] } },
    [labelled({ app: 'a' }, 'a'), labelled({ app: 'b' }, 'b'), create],
  ),
  matches(
    'object selector exists',
    { ...constraints(rule('configmaps')), objectSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
    [labelled({ app: '' }, 'empty'), create],
  ),
  matches(
    'object selector on the old object',
    { ...constraints(rule('configmaps', ['*'])), objectSelector: { matchLabels: { app: 'a' } } },
    [
      {
        name: 'label removed',
        resource: 'configmaps',
        verb: 'update',
        stored: { metadata: { labels: { app: 'a' } } },
        object: { data: {} },
      },
      { name: 'label added', resource: 'configmaps', verb: 'update', stored: {}, object: { metadata: { labels: { app: 'a' } } } },
      { name: 'never labelled', resource: 'configmaps', verb: 'update', stored: {}, object: { data: { a: '1' } } },
      { name: 'delete labelled', resource: 'configmaps', verb: 'delete', stored: { metadata: { labels: { app: 'a' } } } },
      { name: 'delete other', resource: 'configmaps', verb: 'delete', stored: {} },
    ],
  ),
  matches(
    'namespace selector, labels',
    { ...constraints(rule('configmaps')), namespaceSelector: { matchLabels: { env: 'prod' } } },
    create,
    {
      namespace: { labels: { env: 'prod' } },
    },
  ),
  matches(
    'namespace selector, other labels',
    { ...constraints(rule('configmaps')), namespaceSelector: { matchLabels: { env: 'prod' } } },
    create,
    {
      namespace: { labels: { env: 'test' } },
    },
  ),
  matches(
    'namespace selector, by name',
    {
      ...constraints(rule('configmaps')),
      namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['$NS'] }] },
    },
    create,
  ),
  matches(
    'both selectors',
    {
      ...constraints(rule('configmaps')),
      namespaceSelector: { matchLabels: { env: 'prod' } },
      objectSelector: { matchLabels: { app: 'a' } },
    },
    [labelled({ app: 'a' }, 'a'), create],
    { namespace: { labels: { env: 'prod' } } },
  ),
  matches(
    'a Namespace by its own labels',
    constraints({ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['namespaces'] }),
    [
      { name: 'create, other label', resource: 'namespaces', verb: 'create', object: {} },
      { name: 'create, the label', resource: 'namespaces', verb: 'create', object: { metadata: { labels: { case: '$NS' } } } },
      {
        name: 'relabel',
        resource: 'namespaces',
        verb: 'update',
        stored: { metadata: { labels: { case: '$NS' } } },
        object: { metadata: { labels: { case: 'none' } } },
      },
      { name: 'label', resource: 'namespaces', verb: 'update', stored: {}, object: { metadata: { labels: { case: '$NS' } } } },
      { name: 'delete', resource: 'namespaces', verb: 'delete', stored: { metadata: { labels: { case: '$NS' } } } },
    ],
  ),
  matches(
    'cluster-scoped: the namespace selector says nothing',
    { ...constraints(rule('clusterroles', ['*'])), namespaceSelector: { matchLabels: { env: 'prod' } } },
    [
      { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
      { name: 'delete', resource: 'clusterroles', verb: 'delete', stored: { rules: [] } },
    ],
    { clusterScoped: true },
  ),
  matches(
    'cluster-scoped, scope Cluster',
    constraints({ ...rule('clusterroles', ['*']), scope: 'Cluster' }),
    { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
    { clusterScoped: true },
  ),
  matches(
    'cluster-scoped, scope Namespaced',
    constraints({ ...rule('clusterroles', ['*']), scope: 'Namespaced' }),
    { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
    { clusterScoped: true },
  ),
  matches('Exact version', { ...constraints(autoscalers('v2')), matchPolicy: 'Exact' }, [autoscaler('v1'), autoscaler('v2')]),
  matches('custom objects', constraints(rule('widgets', ['*'])), [
    { name: 'create', resource: 'widgets', verb: 'create', object: { spec: { size: 1 } } },
    { name: 'status', resource: 'widgets', verb: 'patch', subresource: 'status', stored: { spec: {} }, object: { status: { phase: 'x' } } },
  ]),
  bound('with nothing', {}, verbs.slice(0, 2)),
  bound('rules of its own', { resourceRules: [rule('configmaps', ['UPDATE'])] }, verbs.slice(0, 3)),
  bound('rules beyond the policy', { resourceRules: [rule('configmaps', ['*']), rule('secrets', ['*'])] }, [...verbs, secret]),
  bound('excluded', { excludeResourceRules: [rule('configmaps', ['UPDATE'])] }, verbs.slice(0, 3)),
  bound('object selector', { objectSelector: { matchLabels: { app: 'a' } } }, [labelled({ app: 'a' }, 'a'), create]),
  bound('namespace selector', { namespaceSelector: { matchLabels: { env: 'prod' } } }, create, { namespace: { labels: { env: 'prod' } } }),
  bound('namespace selector, other', { namespaceSelector: { matchLabels: { env: 'prod' } } }, create),
  bound('resource names', { resourceRules: [{ ...rule('configmaps', ['*']), resourceNames: ['wanted'] }] }, [
    createConfigMap({ a: '1' }, { name: 'wanted' }, { name: 'wanted' }),
    create,
  ]),
  single('match/no binding', vap([no], {}, []), create),
  single(
    'match/two bindings, one about it',
    vap([no], {}, [{ matchResources: { objectSelector: { matchLabels: { app: 'a' } } } }, { validationActions: ['Warn'] }]),
    [labelled({ app: 'a' }, 'a'), create],
  ),
];

function condition(
  name: string,
  conditions: readonly (readonly [string, string])[],
  spec: Draft = {},
  request: RequestDraft = create,
): AdmissionCase {
  const matchConditions = conditions.map(([each, expression]) => ({ name: each, expression }));
  return single(`condition/${name}`, vap([no], { matchConditions, ...spec }), request);
}

const errs = (key: string): string => `object.data.${key} == "1"`;

/** Match conditions: false wins over errors, errors are gathered. */
export const conditionCases: readonly AdmissionCase[] = [
  condition('true', [['a', 'true']]),
  condition('false', [['a', 'false']]),
  condition('true and false', [
    ['a', 'true'],
    ['b', 'false'],
  ]),
  condition('error', [['a', errs('nope')]]),
  condition('error, Ignore', [['a', errs('nope')]], { failurePolicy: 'Ignore' }),
  condition('error and false', [
    ['a', errs('nope')],
    ['b', 'false'],
  ]),
  condition('false and error', [
    ['a', 'false'],
    ['b', errs('nope')],
  ]),
  condition('error and true', [
    ['a', errs('nope')],
    ['b', 'true'],
  ]),
  condition('two errors', [
    ['a', errs('nope')],
    ['b', errs('other')],
  ]),
  condition('three errors and true', [
    ['a', errs('nope')],
    ['b', 'true'],
    ['c', '1 / (int(object.data.a) - 1) == 1'],
    ['d', errs('other')],
  ]),
  condition('the same error twice', [
    ['a', errs('nope')],
    ['b', errs('nope')],
  ]),
  condition('error in a condition, warn only', [['a', errs('nope')]], {}),
  condition('the user', [['a', 'request.userInfo.username == "admin"']]),
  condition('the groups', [['a', '"system:masters" in request.userInfo.groups']]),
  condition('the operation', [
    ['a', 'request.operation == "CREATE"'],
    ['b', 'request.dryRun == true'],
  ]),
  condition('the old object', [['a', 'oldObject == null']]),
  condition('the namespace', [['a', 'namespaceObject.metadata.name == request.namespace']]),
  condition('optional', [['a', 'object.?metadata.?labels["x"].orValue("") == ""']]),
  condition('too costly', [
    [
      'a',
      'object.data.a.matches("(a|b)*") || [1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a+b+c+d+e > 0)))))',
    ],
  ]),
  condition('with a failing validation', [['a', 'object.data.a == "1"']], { validations: [{ expression: 'object.data.a == "2"' }] }),
];
