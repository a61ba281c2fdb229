import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import { manualClock } from '../../../host/clock.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { type Kind, untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { RequestAttributes } from '../hooks.ts';
import type { Requester } from '../registry.ts';
import { accessReviews } from './access-reviews.ts';
import { createBootstrapRoles } from './bootstrap-roles.ts';
import { clusterRoleAggregation } from './cluster-role-aggregation.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, type PolicyRule, ROLE_BINDINGS, ROLES } from './kinds.ts';
import { ruleAllows } from './policy-rule.ts';
import { RbacAuthorizer } from './rbac-authorizer.ts';

const JANE: Requester = { username: 'jane', groups: ['team', 'system:authenticated'] };
const MASTER: Requester = { username: 'root', groups: ['system:masters'] };

function attributes(requester: Requester, verb: string, what: string, namespace = 'a', name = ''): RequestAttributes {
  const [, group = '', resource = '', subresource = ''] = /^(?:([^/]*\.[^/]*)\/)?([^/]+)(?:\/(.+))?$/.exec(what)!;
  return { requester, verb, path: '', resource: { group, version: 'v1', resource, subresource, namespace, name } };
}

async function cluster() {
  const clock = manualClock();
  const resources = [ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].map((kind) =>
    served(formatApiVersion(kind.group, kind.version), kind.resource, kind.kind, !kind.resource.startsWith('cluster')),
  );
  const registry = memoryRegistry({ resources });
  const authorizer = new RbacAuthorizer(registry);
  const view = clusterView(registry, clock.now);
  const loop = runControlLoop({
    registry,
    clock,
    controllers: [clusterRoleAggregation(registry, view)],
  });
  await createBootstrapRoles(registry);
  await loop.idle();
  const create = (kind: Kind, name: string, content: object, labels = {}) => {
    const resource = registry.find(kind.group, kind.version, kind.resource)!;
    const metadata = { name, labels, ...(resource.namespaced ? { namespace: 'a' } : {}) };
    return registry.create(
      resource,
      untyped({ apiVersion: formatApiVersion(kind.group, kind.version), kind: kind.kind, metadata, ...content }),
    );
  };
  const bind = (kind: Kind, name: string, role: string, ...subjects: object[]) =>
    create(kind, name, { roleRef: { kind: role.split('/')[0], name: role.split('/')[1] }, subjects });
  return { registry, authorizer, loop, create, bind };
}

describe('ruleAllows', () => {
  const rule = (more: Partial<PolicyRule>): PolicyRule => ({ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...more });
  it.each<[string, PolicyRule, RequestAttributes, boolean]>([
    ['its own', rule({}), attributes(JANE, 'get', 'pods'), true],
    ['another verb', rule({}), attributes(JANE, 'list', 'pods'), false],
    ['another group', rule({}), attributes(JANE, 'get', 'example.com/pods'), false],
    ['another resource', rule({}), attributes(JANE, 'get', 'secrets'), false],
    ['a subresource that is not named', rule({}), attributes(JANE, 'get', 'pods/log'), false],
    ['a subresource that is named', rule({ resources: ['pods/log'] }), attributes(JANE, 'get', 'pods/log'), true],
    ['a subresource of anything', rule({ resources: ['*/log'] }), attributes(JANE, 'get', 'pods/log'), true],
    ['everything', rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }), attributes(JANE, 'patch', 'example.com/x/y'), true],
    ['a name', rule({ resourceNames: ['p'] }), attributes(JANE, 'get', 'pods', 'a', 'p'), true],
    ['another name', rule({ resourceNames: ['p'] }), attributes(JANE, 'get', 'pods', 'a', 'q'), false],
    ['no name where one is asked for', rule({ verbs: ['create'], resourceNames: ['p'] }), attributes(JANE, 'create', 'pods'), false],
    ['a path', { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, { requester: JANE, verb: 'get', path: '/healthz/ping' }, true],
    ['another path', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, { requester: JANE, verb: 'get', path: '/healthz/ping' }, false],
    ['a path by a rule for resources', rule({ apiGroups: ['*'], resources: ['*'] }), { requester: JANE, verb: 'get', path: '/x' }, false],
  ])('%s', (_, policy, asked, expected) => {
    expect(ruleAllows(policy, asked)).toBe(expected);
  });
});

describe('RbacAuthorizer', () => {
  it('allows what a binding grants, where it grants it, and says which', async () => {
    const { authorizer, create, bind } = await cluster();
    await create(ROLES, 'reader', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] });
    await bind(ROLE_BINDINGS, 'readers', 'Role/reader', { kind: 'Group', name: 'team' });
    expect(authorizer.decide(attributes(JANE, 'get', 'pods'))).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "readers/a" of Role "reader" to Group "team"',
    });
    expect(authorizer.decide(attributes(JANE, 'get', 'pods', 'b')).allowed).toBe(false);
    expect(authorizer.decide(attributes(JANE, 'get', 'pods', '')).allowed).toBe(false);
    expect(authorizer.decide(attributes({ ...JANE, groups: [] }, 'get', 'pods')).allowed).toBe(false);
  });

  it('knows service accounts by their namespace, which is that of the binding where it is left out', async () => {
    const { authorizer, bind } = await cluster();
    await bind(ROLE_BINDINGS, 'viewers', 'ClusterRole/view', { kind: 'ServiceAccount', name: 'robot' });
    const robot = (namespace: string): Requester => ({ username: `system:serviceaccount:${namespace}:robot`, groups: [] });
    expect(authorizer.decide(attributes(robot('a'), 'list', 'pods')).allowed).toBe(true);
    expect(authorizer.decide(attributes(robot('b'), 'list', 'pods')).allowed).toBe(false);
  });

  it('follows changes of roles and bindings', async () => {
    const { registry, authorizer, bind } = await cluster();
    await bind(CLUSTER_ROLE_BINDINGS, 'admins', 'ClusterRole/cluster-admin', { kind: 'User', name: 'jane' });
    expect(authorizer.decide(attributes(JANE, 'delete', 'nodes', '')).allowed).toBe(true);
    await registry.delete(registry.find('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings')!, { name: 'admins' });
    expect(authorizer.decide(attributes(JANE, 'delete', 'nodes', '')).allowed).toBe(false);
  });

  it('lets masters do everything', async () => {
    const { authorizer } = await cluster();
    expect(authorizer.decide(attributes(MASTER, 'anything', 'x')).allowed).toBe(true);
    expect(authorizer.decide({ requester: MASTER, verb: 'get', path: '/metrics' }).allowed).toBe(true);
  });

  it.each<[string, string, string, boolean]>([
    ['view', 'list', 'pods', true],
    ['view', 'get', 'secrets', false],
    ['view', 'create', 'pods', false],
    ['edit', 'list', 'pods', true],
    ['edit', 'get', 'secrets', true],
    ['edit', 'create', 'apps.k8s.io/x', false],
    ['edit', 'create', 'rbac.authorization.k8s.io/roles', false],
    ['admin', 'list', 'pods', true],
    ['admin', 'create', 'rbac.authorization.k8s.io/roles', true],
    ['admin', 'update', 'resourcequotas', false],
  ])('with role %s to %s %s: %s', async (role, verb, what, expected) => {
    const { authorizer, bind } = await cluster();
    await bind(ROLE_BINDINGS, 'b', `ClusterRole/${role}`, { kind: 'User', name: 'jane' });
    expect(authorizer.decide(attributes(JANE, verb, what)).allowed).toBe(expected);
  });

  it('adds the rules of roles that come to those that aggregate them', async () => {
    const { authorizer, loop, create, bind } = await cluster();
    await bind(ROLE_BINDINGS, 'b', 'ClusterRole/view', { kind: 'User', name: 'jane' });
    const rules = [{ verbs: ['list'], apiGroups: ['example.com'], resources: ['widgets'] }];
    await create(CLUSTER_ROLES, 'widgets', { rules }, { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' });
    await loop.idle();
    expect(authorizer.decide(attributes(JANE, 'list', 'example.com/widgets')).allowed).toBe(true);
  });
});

describe('accessReviews', () => {
  const ask = async (kind: string, spec: object, requester = JANE, namespace = '') => {
    const { authorizer, bind } = await cluster();
    await bind(ROLE_BINDINGS, 'b', 'ClusterRole/view', { kind: 'User', name: 'jane' });
    const review = accessReviews(authorizer).get(`authorization.k8s.io/${kind}`)!;
    const answer = await review({ object: untyped({ spec }), namespace, name: '', requester, dryRun: false, warn: () => {} });
    return answer['status'] as JsonObject;
  };
  const pods = { verb: 'list', resource: 'pods', namespace: 'a' };

  it('answer about oneself', async () => {
    expect(await ask('selfsubjectaccessreviews', { resourceAttributes: pods })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "b/a" of ClusterRole "view" to User "jane"',
    });
    expect(await ask('selfsubjectaccessreviews', { resourceAttributes: { ...pods, verb: 'delete' } })).toEqual({ allowed: false });
    expect(await ask('selfsubjectaccessreviews', { nonResourceAttributes: { verb: 'get', path: '/version' } })).toMatchObject({
      allowed: true,
    });
  });

  it('answer about others', async () => {
    expect(await ask('subjectaccessreviews', { resourceAttributes: pods, user: 'joe' }, MASTER)).toEqual({ allowed: false });
    expect(await ask('localsubjectaccessreviews', { resourceAttributes: pods, user: 'jane' }, MASTER, 'a')).toMatchObject({
      allowed: true,
    });
  });

  it('list what one may do', async () => {
    const status = await ask('selfsubjectrulesreviews', { namespace: 'a' });
    expect(status['incomplete']).toBe(false);
    expect(status['resourceRules']).toContainEqual({
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
    });
    expect(status['nonResourceRules']).toContainEqual({ verbs: ['get'], nonResourceURLs: expect.arrayContaining(['/version']) });
  });

  it.each([
    ['subjectaccessreviews', {}, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'],
    ['subjectaccessreviews', { resourceAttributes: pods }, 'at least one of user or group must be specified'],
    ['localsubjectaccessreviews', { resourceAttributes: pods, user: 'jane' }, 'must match namespace: b'],
  ])('%s of %j is refused', async (kind, spec, message) => {
    await expect(ask(kind, spec, MASTER, 'b')).rejects.toThrow(message);
  });
});
