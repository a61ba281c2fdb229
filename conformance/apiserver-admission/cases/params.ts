import { type AdmissionCase, createConfigMap, type Draft, single, vap } from '../case.ts';

const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const limitKind = { apiVersion: 'conformance.example/v1', kind: 'Limit' };
const clusterLimitKind = { apiVersion: 'conformance.example/v1', kind: 'ClusterLimit' };

const limit = (name: string, max: number, labels: Draft = {}, namespace?: string): Draft => ({
  ...limitKind,
  metadata: { name, labels, ...(namespace ? { namespace } : {}) },
  spec: { max, names: ['a', 'b'] },
});
const clusterLimit = (name: string, max: number, labels: Draft = {}): Draft => ({
  ...clusterLimitKind,
  metadata: { name, labels },
  spec: { max },
});
const settings = (name: string, data: Draft, labels: Draft = {}): Draft => ({ ...configMapKind, metadata: { name, labels }, data });

const check = { expression: 'size(object.data) <= params.spec.max', messageExpression: '"at most " + string(params.spec.max)' };
const two = createConfigMap({ a: '1', b: '2' });

function limits(name: string, paramRef: Draft | undefined, objects: readonly Draft[], spec: Draft = {}): AdmissionCase {
  const bindings = [paramRef ? { paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } } : {}];
  return single(`params/${name}`, vap([check], { paramKind: limitKind, ...spec }, bindings), two, { objects });
}

/** Where parameters come from, how many there are, and what happens without any. */
export const paramCases: readonly AdmissionCase[] = [
  limits('by name, passes', { name: 'l' }, [limit('l', 2)]),
  limits('by name, denies', { name: 'l' }, [limit('l', 1)]),
  limits('by name in another namespace', { name: 'l', namespace: '$NS-other' }, [limit('l', 1, {}, '$NS-other'), limit('l', 5)]),
  limits('by name in the own namespace, named', { name: 'l', namespace: '$NS' }, [limit('l', 1)]),
  limits('by name, missing, Deny', { name: 'nope' }, []),
  limits('by name, missing, Allow', { name: 'nope', parameterNotFoundAction: 'Allow' }, []),
  limits('by name, missing, Deny, failure policy Ignore', { name: 'nope' }, [], { failurePolicy: 'Ignore' }),
  limits('by name, only in another namespace', { name: 'l' }, [limit('l', 1, {}, '$NS-other')]),
  limits('by selector, one', { selector: { matchLabels: { app: 'a' } } }, [limit('l', 1, { app: 'a' }), limit('m', 0, { app: 'b' })]),
  limits('by selector, several, all pass', { selector: { matchLabels: { app: 'a' } } }, [
    limit('l', 2, { app: 'a' }),
    limit('m', 3, { app: 'a' }),
  ]),
  limits('by selector, several, one denies', { selector: { matchLabels: { app: 'a' } } }, [
    limit('l', 5, { app: 'a' }),
    limit('m', 1, { app: 'a' }),
  ]),
  limits('by selector, all deny', { selector: { matchLabels: { app: 'a' } } }, [limit('l', 0, { app: 'a' }), limit('m', 1, { app: 'a' })]),
  limits('by empty selector', { selector: {} }, [limit('l', 5), limit('m', 1)]),
  limits('by empty selector, none, Deny', { selector: {} }, []),
  limits('by empty selector, none, Allow', { selector: {}, parameterNotFoundAction: 'Allow' }, []),
  limits(
    'by expressions',
    {
      selector: {
        matchExpressions: [
          { key: 'app', operator: 'In', values: ['a', 'c'] },
          { key: 'off', operator: 'DoesNotExist' },
        ],
      },
    },
    [limit('l', 5, { app: 'a' }), limit('m', 0, { app: 'b' }), limit('n', 0, { app: 'c', off: '' })],
  ),
  limits('by selector, matches none, Deny', { selector: { matchLabels: { app: 'z' } } }, [limit('l', 5, { app: 'a' })]),
  limits('no reference: params is null', undefined, [limit('l', 5)], { validations: [{ expression: 'params == null' }] }),
  limits('no reference: field of null params', undefined, [limit('l', 5)]),
  limits('a false match condition does not save a missing parameter', { name: 'nope' }, [], {
    matchConditions: [{ name: 'never', expression: 'false' }],
  }),
  limits('a match condition reads params, false', { name: 'l' }, [limit('l', 1)], {
    matchConditions: [{ name: 'small', expression: 'params.spec.max > 1' }],
  }),
  limits('a match condition reads params, true', { name: 'l' }, [limit('l', 1)], {
    matchConditions: [{ name: 'small', expression: 'params.spec.max == 1' }],
  }),
  limits('a variable reads params', { name: 'l' }, [limit('l', 1)], {
    variables: [{ name: 'max', expression: 'params.spec.max' }],
    validations: [{ expression: 'size(object.data) <= variables.max', messageExpression: '"max " + string(variables.max)' }],
  }),
  limits('typed field of a parameter', { name: 'l' }, [limit('l', 1)], {
    validations: [
      { expression: 'params.spec.names.exists(n, n in object.data && n == "z")', messageExpression: 'params.spec.names.join("+")' },
    ],
  }),
  limits('missing field of a parameter', { name: 'l' }, [limit('l', 1)], { validations: [{ expression: 'params.spec.nope == 1' }] }),
  limits('metadata of a parameter', { name: 'l' }, [limit('l', 1, { app: 'a' })], {
    validations: [
      {
        expression: 'false',
        messageExpression:
          '"%s %s %s %s".format([params.metadata.name, params.metadata.namespace, params.metadata.labels.app, params.kind])',
      },
    ],
  }),
  single(
    'params/config map by name',
    vap(
      [{ expression: 'object.data.a in params.data.allowed.split(",")', messageExpression: '"allowed: " + params.data.allowed' }],
      { paramKind: configMapKind },
      [{ paramRef: { name: 'settings', parameterNotFoundAction: 'Deny' } }],
    ),
    [createConfigMap({ a: '1' }, {}, { name: 'allowed' }), createConfigMap({ a: '9' }, {}, { name: 'refused' })],
    { objects: [settings('settings', { allowed: '1,2' })] },
  ),
  single(
    'params/config map by selector',
    vap([{ expression: 'object.data.a == params.data.allowed', message: 'other' }], { paramKind: configMapKind }, [
      { paramRef: { selector: { matchLabels: { role: 'settings' } }, parameterNotFoundAction: 'Deny' } },
    ]),
    createConfigMap({ a: '1' }),
    { objects: [settings('s1', { allowed: '1' }, { role: 'settings' }), settings('s2', { allowed: '2' }, { role: 'settings' })] },
  ),
  single(
    'params/cluster-scoped by name',
    vap([check], { paramKind: clusterLimitKind }, [{ paramRef: { name: '$NS-l', parameterNotFoundAction: 'Deny' } }]),
    two,
    { objects: [clusterLimit('$NS-l', 1)] },
  ),
  single(
    'params/cluster-scoped by selector',
    vap([check], { paramKind: clusterLimitKind }, [
      { paramRef: { selector: { matchLabels: { of: '$NS' } }, parameterNotFoundAction: 'Deny' } },
    ]),
    two,
    { objects: [clusterLimit('$NS-l', 1, { of: '$NS' }), clusterLimit('$NS-m', 5, { of: '$NS' })] },
  ),
  single(
    'params/cluster-scoped with a namespace in the reference',
    vap([check], { paramKind: clusterLimitKind }, [{ paramRef: { name: '$NS-l', namespace: '$NS', parameterNotFoundAction: 'Deny' } }]),
    two,
    { objects: [clusterLimit('$NS-l', 1)] },
  ),
  single(
    'params/kind that is not served',
    vap(['true'], { paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' } }, [
      { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
    ]),
  ),
  single(
    'params/kind that is not served, Allow',
    vap(['true'], { paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' } }, [
      { paramRef: { name: 'x', parameterNotFoundAction: 'Allow' } },
    ]),
  ),
  single(
    'params/kind that is not served, Ignore',
    vap(['true'], { paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' }, failurePolicy: 'Ignore' }, [
      { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
    ]),
  ),
  single(
    'params/kind that is not served, no reference',
    vap(['params == null'], { paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' } }),
  ),
  single(
    'params/two bindings, one denies',
    vap([check], { paramKind: limitKind }, [
      { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } },
      { paramRef: { name: 'm', parameterNotFoundAction: 'Deny' } },
    ]),
    two,
    { objects: [limit('l', 5), limit('m', 1)] },
  ),
  single(
    'params/two bindings, one warns',
    vap([check], { paramKind: limitKind }, [
      { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' }, validationActions: ['Warn'] },
      { paramRef: { name: 'm', parameterNotFoundAction: 'Deny' }, validationActions: ['Audit'] },
    ]),
    two,
    { objects: [limit('l', 0), limit('m', 1)] },
  ),
  single(
    'params/several parameters warn one by one',
    vap([check], { paramKind: limitKind }, [
      { paramRef: { selector: {}, parameterNotFoundAction: 'Deny' }, validationActions: ['Warn', 'Audit'] },
    ]),
    two,
    { objects: [limit('l', 0), limit('m', 1), limit('n', 2)] },
  ),
  single(
    'params/without paramKind a reference in the binding',
    vap(['false'], {}, [{ paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } }]),
    two,
    {
      objects: [limit('l', 0)],
    },
  ),
  single(
    'params/namespaced for a cluster-scoped request',
    vap(
      ['true'],
      {
        paramKind: limitKind,
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['rbac.authorization.k8s.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['clusterroles'] },
          ],
        },
      },
      [{ paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } }],
    ),
    { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
    { clusterScoped: true },
  ),
  single(
    'params/namespaced with a namespace for a cluster-scoped request',
    vap(
      ['params.spec.max > 3'],
      {
        paramKind: limitKind,
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['rbac.authorization.k8s.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['clusterroles'] },
          ],
        },
      },
      [{ paramRef: { name: 'l', namespace: '$NS', parameterNotFoundAction: 'Deny' } }],
    ),
    { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
    { clusterScoped: true, objects: [limit('l', 1)] },
  ),
];
