import { describe, expect, test } from 'vitest';
import { problemsOf } from './decide.fixture.ts';

const ruleWith = (mutation: string, resources = '[pods]', group = '""') => `
apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: r }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [${group}], apiVersions: [v1], resources: ${resources}, operations: [CREATE] }]
  mutations:
  - ${mutation}
`;

describe('what mutations write is checked against the kind when the rule is loaded', () => {
  test.each([
    ['set: { path: "$.spec.containers[*].imagPullPolicy", value: Always }', 'set.path', 'unknown field "imagPullPolicy" (in Pod)'],
    ['set: { path: "$.spec.nodeName.x", value: a }', 'set.path', 'there is nothing below a string (in Pod)'],
    ['set: { path: "$.spec.hostNetwork", value: "yes" }', 'set.value', 'expected true or false'],
    ['set: { path: "$.spec.hostNetwork", value: "$${yes}" }', 'set.value', 'expected true or false'],
    ['apply: { spec: { container: [] } }', 'apply.spec.container', 'unknown field'],
    ['apply: { spec: { containers: [{ name: a, image: 1 }] } }', 'apply.spec.containers[0].image', 'expected a string'],
    ['patch: [{ op: replace, path: "/spec/container/0/image", value: a }]', 'patch[0].path', 'unknown field "container" (in Pod)'],
    ['patch: [{ op: add, path: "/spec/containers/-", value: { nam: a } }]', 'patch[0].value.nam', 'unknown field'],
    [
      '{ forEach: object.spec.containers, patch: [{ op: add, path: "/spec/containers/${index}/imag", value: x }] }',
      'patch[0].path',
      'unknown field "imag" (in Pod)',
    ],
  ])('%s', (mutation, place, message) => {
    const problems = problemsOf(ruleWith(mutation));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`error $.spec.mutations[0].${place}`);
    expect(problems[0]).toContain(message);
  });

  test.each([
    'set: { path: "$.metadata.labels[\'a.b/c\']", value: x }',
    'set: { path: "$.spec.containers[*].resources.limits.memory", value: 1Gi }',
    'set: { path: "$.spec.terminationGracePeriodSeconds", value: "${30}" }',
    'apply: { metadata: { labels: { "${request.name}": x } }, spec: { containers: [{ name: "${request.name}" }] } }',
    'patch: [{ op: add, path: "/metadata/annotations/a.b~1c", value: x }]',
    'patch: [{ op: add, path: "/spec/containers/${[0, 1].map(i, {i: 4 / 2})[0][0]}/image", value: x }]',
    'patch: [{ op: add, path: "/spec/containers/-", value: { name: a, image: b } }, { op: remove, path: "/spec/containers/0" }]',
    "patch: [{ op: add, path: \"${'/metadata' + '/labels'}\", value: {} }]",
  ])('lets %s be', (mutation) => {
    expect(problemsOf(ruleWith(mutation))).toEqual([]);
  });

  test('a field that only some of the kinds have is the choice of the author', () => {
    expect(problemsOf(ruleWith('set: { path: "$.spec.replicas", value: 1 }', '[deployments, daemonsets]', 'apps'))).toEqual([]);
    expect(problemsOf(ruleWith('set: { path: "$.spec.replica", value: 1 }', '[deployments, daemonsets]', 'apps'))).toHaveLength(1);
  });
});
