import type { Impersonation } from '../../../runtimes/kubernetes/connection.ts';
import { create, get, given, mergePatch, remove, type Step, subject, update } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, PODS, SECRETS } from './objects.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const alice: Impersonation = { user: 'alice', groups: ['dev'] };
const anonymous: Impersonation = { user: 'system:anonymous', groups: ['system:unauthenticated'] };

function role(name: string, rules: readonly object[]): Step {
  return given(
    create(`${RBAC}/namespaces/$(ns)/roles`, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules }),
  );
}
function binding(
  name: string,
  subjects: readonly object[] = [{ kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' }],
): Step {
  return given(
    create(`${RBAC}/namespaces/$(ns)/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects,
    }),
  );
}
/** Rules take effect some moments after they are written. */
const effective = (path: string, as = alice): Step => given(get(path, { as, until: { status: 200 } }));
const reader = [
  role('reader', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }]),
  binding('reader'),
  effective(CONFIG_MAPS),
];
const review = (spec: object, kind = 'SubjectAccessReview'): object => ({ apiVersion: 'authorization.k8s.io/v1', kind, spec });
const asks = (user: string, attributes: object): Step =>
  create(`${AUTHORIZATION}/subjectaccessreviews`, review({ user, resourceAttributes: { namespace: '$(ns)', ...attributes } }), {
    pick: verdict,
  });

export const accessCases = [
  ...subject('access', {
    'is refused': [
      get(CONFIG_MAPS, { as: alice }),
      get(`${CONFIG_MAPS}/a`, { as: alice }),
      create(CONFIG_MAPS, configMap('a'), { as: alice }),
      update(`${CONFIG_MAPS}/a`, configMap('a'), { as: alice }),
      mergePatch(`${DEPLOYMENTS}/a`, {}, { as: alice }),
      mergePatch(`${DEPLOYMENTS}/a/status`, {}, { as: alice }),
      remove(`${PODS}/a`, undefined, { as: alice }),
      remove(PODS, undefined, { as: alice }),
      get(`${PODS}?watch=true`, { as: alice }),
      get('/api/v1/nodes', { as: alice }),
      get('/api/v1/secrets', { as: alice }),
      get('/metrics', { as: alice }),
      get('/api/v1/namespaces/$(ns)', { as: alice }),
    ],
    'is refused to nobody': [
      get(CONFIG_MAPS, { as: anonymous }),
      get('/', { as: anonymous }),
      get('/version', { as: anonymous, compare: 'status' }),
    ],
    'is given by a role': [
      ...reader,
      get(`${CONFIG_MAPS}/none`, { as: alice }),
      create(CONFIG_MAPS, configMap('a'), { as: alice }),
      get(SECRETS, { as: alice }),
    ],
    'is given by name': [
      given(create(CONFIG_MAPS, configMap('mine', { a: 'b' }))),
      role('one', [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get', 'update'] }]),
      binding('one'),
      effective(`${CONFIG_MAPS}/mine`),
      get(`${CONFIG_MAPS}/other`, { as: alice }),
      update(`${CONFIG_MAPS}/mine`, configMap('mine', { a: 'c' }), { as: alice }),
      remove(`${CONFIG_MAPS}/mine`, undefined, { as: alice }),
    ],
    'is given to a group': [
      role('reader', [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }]),
      binding('reader', [{ kind: 'Group', name: 'dev', apiGroup: 'rbac.authorization.k8s.io' }]),
      effective(CONFIG_MAPS),
      get(DEPLOYMENTS, { as: alice }),
      get(`${DEPLOYMENTS}/a`, { as: alice }),
    ],
    'is given to a service account': [
      role('reader', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]),
      binding('reader', [{ kind: 'ServiceAccount', name: 'default', namespace: '$(ns)' }]),
      effective(CONFIG_MAPS, { user: 'system:serviceaccount:$(ns):default' }),
      get(SECRETS, { as: { user: 'system:serviceaccount:$(ns):default' } }),
    ],
    'to a subresource': [
      role('status', [{ apiGroups: ['apps'], resources: ['deployments/status'], verbs: ['get'] }]),
      binding('status'),
      given(create(DEPLOYMENTS, deployment('a'))),
      effective(`${DEPLOYMENTS}/a/status`),
      get(`${DEPLOYMENTS}/a`, { as: alice }),
    ],
    'is not handed on': [
      role('admin', [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['*'] }]),
      binding('admin'),
      effective(`${RBAC}/namespaces/$(ns)/roles`),
      create(
        `${RBAC}/namespaces/$(ns)/roles`,
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'more' },
          rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
        },
        { as: alice },
      ),
    ],
    'who am I': [
      create(
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        { as: { user: 'alice', groups: ['dev'], extra: { team: ['a'] } } },
      ),
    ],
  }),
  ...subject('access review', {
    'of a user': [
      ...reader,
      asks('alice', { verb: 'get', resource: 'configmaps' }),
      asks('alice', { verb: 'delete', resource: 'configmaps' }),
      asks('bob', { verb: 'get', resource: 'configmaps' }),
      asks('alice', { verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale', name: 'x' }),
    ],
    'of masters': [
      create(
        `${AUTHORIZATION}/subjectaccessreviews`,
        review({ user: 'x', groups: ['system:masters'], resourceAttributes: { verb: '*', resource: '*' } }),
        { pick: verdict },
      ),
    ],
    'of oneself': [
      ...reader,
      create(
        `${AUTHORIZATION}/selfsubjectaccessreviews`,
        review({ resourceAttributes: { namespace: '$(ns)', verb: 'list', resource: 'configmaps' } }, 'SelfSubjectAccessReview'),
        { as: { user: 'alice', groups: ['system:authenticated'] }, pick: verdict },
      ),
      create(
        `${AUTHORIZATION}/selfsubjectaccessreviews`,
        review({ resourceAttributes: { namespace: '$(ns)', verb: 'list', resource: 'pods' } }, 'SelfSubjectAccessReview'),
        { as: { user: 'alice', groups: ['system:authenticated'] }, pick: verdict },
      ),
    ],
    'of a namespace': [
      create(
        `${AUTHORIZATION}/namespaces/$(ns)/localsubjectaccessreviews`,
        {
          ...review({ user: 'bob', resourceAttributes: { namespace: '$(ns)', verb: 'get', resource: 'pods' } }, 'LocalSubjectAccessReview'),
          metadata: { namespace: '$(ns)' },
        },
        { pick: verdict },
      ),
    ],
    'of a path': [
      create(
        `${AUTHORIZATION}/subjectaccessreviews`,
        review({ user: 'alice', groups: ['system:authenticated'], nonResourceAttributes: { path: '/version', verb: 'get' } }),
        { pick: verdict },
      ),
      create(
        `${AUTHORIZATION}/subjectaccessreviews`,
        review({ user: 'alice', groups: ['system:authenticated'], nonResourceAttributes: { path: '/metrics', verb: 'get' } }),
        { pick: verdict },
      ),
    ],
    'that is none': [
      create(`${AUTHORIZATION}/subjectaccessreviews`, review({})),
      create(
        `${AUTHORIZATION}/subjectaccessreviews`,
        review({ user: 'a', resourceAttributes: { verb: 'get' }, nonResourceAttributes: { path: '/' } }),
      ),
      create(`${AUTHORIZATION}/selfsubjectaccessreviews`, review({}, 'SelfSubjectAccessReview')),
    ],
    'of rules': [
      ...reader,
      create(`${AUTHORIZATION}/selfsubjectrulesreviews`, review({ namespace: '$(ns)' }, 'SelfSubjectRulesReview'), {
        as: { user: 'alice', groups: ['system:authenticated'] },
        pick: rulesOf,
      }),
    ],
    'token that is none': [
      create(
        '/apis/authentication.k8s.io/v1/tokenreviews',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'nonsense' } },
        { pick: (body) => (body as { status: { authenticated?: boolean } }).status.authenticated ?? false },
      ),
    ],
    'token that is empty': [
      create('/apis/authentication.k8s.io/v1/tokenreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: {} }),
    ],
  }),
  ...subject('rbac', {
    'roles are checked': [
      create(`${RBAC}/namespaces/$(ns)/roles`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'a' },
        rules: [{ apiGroups: [''], resources: ['pods'] }],
      }),
      create(`${RBAC}/namespaces/$(ns)/roles`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'a' },
        rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
      }),
    ],
    'bindings are checked': [
      create(`${RBAC}/namespaces/$(ns)/rolebindings`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'a' },
        roleRef: { kind: 'Group', name: '' },
        subjects: [{ kind: 'Robot', name: '' }],
      }),
      given(
        create(`${RBAC}/namespaces/$(ns)/rolebindings`, {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'b' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' },
        }),
      ),
      mergePatch(`${RBAC}/namespaces/$(ns)/rolebindings/b`, { roleRef: { name: 'y' } }),
    ],
    'roles of the beginning': ['cluster-admin', 'admin', 'edit', 'view', 'system:discovery', 'system:basic-user'].map((name) =>
      get(`${RBAC}/clusterroles/${name}`, { pick: (body) => (body as { metadata?: { name: string } }).metadata?.name ?? null }),
    ),
  }),
];

/** Reasons name bindings and differ between authorizers; what was decided is what counts. */
function verdict(body: unknown): unknown {
  const { status } = body as { status?: { allowed?: boolean; denied?: boolean } };
  return typeof status === 'object' ? { allowed: status.allowed, denied: status.denied } : body;
}

function rulesOf(body: unknown): unknown {
  const { status } = body as { status: { resourceRules: { resources: string[] }[]; incomplete: boolean } };
  return { rules: status.resourceRules.filter(({ resources }) => resources.includes('configmaps')), incomplete: status.incomplete };
}
