import { describe, expect, test } from 'vitest';
import { binding, decide, podRequest, programOf, validatingPolicy } from './decide.fixture.ts';
import type { AdmissionRequest, JsonObject } from './decision.ts';
import { recordedFacts } from './recorded-facts.ts';

const namespaces: readonly JsonObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a' } } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old', labels: { team: 'b' } } },
];

/** Whether a policy that denies everything matches. */
function matches(constraints: string, request: AdmissionRequest, bindingSpec = 'validationActions: [Deny]'): boolean {
  const policy = validatingPolicy('validations: [{expression: "1 == 2"}]').replace(
    /resourceRules: .*\n/,
    `resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], operations: ["*"] }]\n    ${constraints}\n`,
  );
  return !decide(programOf(policy + binding(bindingSpec)), request, recordedFacts(namespaces)).allowed;
}

const namespaceRequest = (operation: AdmissionRequest['operation'], labels: JsonObject): AdmissionRequest => {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } };
  return podRequest(
    {},
    {
      kind: { group: '', version: 'v1', kind: 'Namespace' },
      resource: { group: '', version: 'v1', resource: 'namespaces' },
      name: 'shop',
      operation,
      object: operation === 'DELETE' ? null : object,
      oldObject: operation === 'CREATE' ? null : object,
    },
  );
};

describe('namespaceSelector', () => {
  const teamA = 'namespaceSelector: {matchLabels: {team: a}}';

  test.each<[string, AdmissionRequest, boolean]>([
    ['the namespace of the object', podRequest(), true],
    ['another namespace', podRequest({}, { namespace: 'old' }), false],
    ['the labels a Namespace is about to have', namespaceRequest('CREATE', { team: 'x' }), false],
    ['the labels a Namespace gets by an update', namespaceRequest('UPDATE', { team: 'a' }), true],
    ['the labels a Namespace has when it is deleted', namespaceRequest('DELETE', { team: 'x' }), true],
  ])('%s', (_name, request, expected) => {
    expect(matches(teamA, request)).toBe(expected);
  });

  test('does not concern cluster-scoped objects', () => {
    const { namespace: _none, ...request } = podRequest({}, { resource: { group: '', version: 'v1', resource: 'nodes' } });
    expect(matches(teamA, request)).toBe(true);
  });

  test('of a namespace that is not there is an error of the policy', () => {
    const policy = validatingPolicy('validations: [{expression: "true"}]').replace('resourceRules', `${teamA}\n    resourceRules`);
    const decision = decide(
      programOf(policy + binding()),
      podRequest({}, { namespace: 'gone' }),
      recordedFacts([], { assumeNamespaces: false }),
    );
    expect(decision.status?.message).toBe(
      'ValidatingAdmissionPolicy \'p\' denied request: failed to configure policy: namespaces "gone" not found',
    );
  });
});

describe('objectSelector', () => {
  const selector = 'objectSelector: {matchExpressions: [{key: app, operator: In, values: [web, api]}]}';
  const labelled = (app: string) => ({ metadata: { name: 'web', labels: { app } } });

  test.each<[string, AdmissionRequest, boolean]>([
    ['the object', podRequest(labelled('web')), true],
    ['another object', podRequest(labelled('db')), false],
    ['the old object: taking the label away is no way around', podRequest({}, { operation: 'UPDATE', oldObject: labelled('api') }), true],
    ['nothing', podRequest({}, { operation: 'CONNECT', object: null }), false],
  ])('%s', (_name, request, expected) => {
    expect(matches(selector, request)).toBe(expected);
  });

  test.each([
    ['{key: app, operator: NotIn, values: [web]}', false],
    ['{key: tier, operator: NotIn, values: [web]}', true],
    ['{key: app, operator: Exists}', true],
    ['{key: app, operator: DoesNotExist}', false],
  ])('%s', (expression, expected) => {
    expect(matches(`objectSelector: {matchExpressions: [${expression}]}`, podRequest(labelled('web')))).toBe(expected);
  });
});

describe('a binding narrows its policy', () => {
  test.each([
    ['matchResources: {namespaceSelector: {matchLabels: {team: b}}}', false],
    ['matchResources: {objectSelector: {matchLabels: {app: web}}}', false],
    ['matchResources: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [DELETE]}]}', false],
    ['matchResources: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}', true],
    [
      'matchResources: {excludeResourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE], resourceNames: [web]}]}',
      false,
    ],
    ['matchResources: {}', true],
  ])('%s', (resources, expected) => {
    expect(matches('{}'.slice(2), podRequest(), `validationActions: [Deny]\n${resources}`)).toBe(expected);
  });
});
