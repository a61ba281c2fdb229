import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../engine/object/json.ts';
import type { Strategy, StrategyContext } from '../definition.ts';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './access-rules.ts';

const problems = (strategy: Strategy, object: JsonObject): readonly string[] =>
  (strategy.validate?.(object, {} as StrategyContext) ?? []).map(({ field, body }) => `${field}: ${body}`);

describe('rules', () => {
  it.each([
    { rule: { apiGroups: [''], resources: ['pods'], verbs: ['get'] }, expected: [] },
    { rule: { apiGroups: [''], resources: ['pods'], verbs: null }, expected: ['rules[0].verbs: Required value'] },
    {
      rule: { verbs: ['get'] },
      expected: [
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
      ],
    },
    {
      rule: { verbs: ['get'], nonResourceURLs: ['/x'] },
      expected: ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    },
  ])('of a role: $rule', ({ rule, expected }) => {
    expect(problems(roleStrategy, { rules: [rule] })).toEqual(expected);
  });
  it('of a cluster role may name paths', () => {
    expect(problems(clusterRoleStrategy, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] })).toEqual([]);
    expect(problems(clusterRoleStrategy, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] }] })).toHaveLength(1);
  });
});

describe('bindings', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };
  it.each([
    { object: { roleRef }, expected: [] },
    {
      object: { roleRef: { ...roleRef, kind: 'Robot' } },
      expected: ['roleRef.kind: Unsupported value: "Robot": supported values: "Role", "ClusterRole"'],
    },
    {
      object: { roleRef, subjects: [{ kind: 'User', name: 'a' }] },
      expected: ['subjects[0].apiGroup: Unsupported value: "": supported values: "rbac.authorization.k8s.io"'],
    },
    { object: { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, expected: [] },
  ])('$object', ({ object, expected }) => {
    expect(problems(roleBindingStrategy, object)).toEqual(expected);
  });
  it('of the cluster need cluster roles, and namespaces of service accounts', () => {
    expect(problems(clusterRoleBindingStrategy, { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'a' }] })).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ]);
  });
});
