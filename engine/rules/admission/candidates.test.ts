import { describe, expect, test } from 'vitest';
import { binding, decide, podRequest, programOf, rule, validatingPolicy } from './decide.fixture.ts';
import { objectRequest } from './object-request.ts';

describe('many rules', () => {
  const resources = ['pods', 'services', 'configmaps', 'secrets'];
  const program = programOf(
    Array.from({ length: 400 }, (_, i) =>
      rule(`validations: [{expression: "object.metadata.name != 'n${i}'", message: m${i}}]`, `r${i}`).replace(
        '[pods]',
        `[${resources[i % 4]}]`,
      ),
    ).join('---'),
  );
  const request = (kind: string, name: string) =>
    objectRequest({ apiVersion: 'v1', kind, metadata: { name } }, { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined });

  test.each([
    ['Pod', 'n0', 'm0'],
    ['Pod', 'n396', 'm396'],
    ['Service', 'n1', 'm1'],
    ['Secret', 'n399', 'm399'],
  ])('the one that concerns a %s called %s is found', (kind, name, message) => {
    expect(decide(program, request(kind, name)).status?.message).toContain(message);
  });

  test('the others stay out of it', () => {
    expect(decide(program, request('Pod', 'n1')).allowed).toBe(true);
    expect(decide(program, request('Endpoints', 'n0')).allowed).toBe(true);
  });

  test('requests of ever new shapes change nothing', () => {
    const one = programOf(rule('validations: [{expression: "1 == 2"}]'));
    for (let i = 0; i < 5_000; i++) {
      expect(decide(one, podRequest({}, { resource: { group: `g${i}`, version: 'v1', resource: 'pods' } })).allowed).toBe(true);
    }
    expect(decide(one, podRequest()).allowed).toBe(false);
  });
});

describe('a policy for another version of the kind', () => {
  const policy = (group: string, version: string, expression: string, matchPolicy = 'Equivalent') =>
    validatingPolicy(`validations: [{expression: "${expression}"}]`)
      .replace('matchConstraints:', `matchConstraints:\n    matchPolicy: ${matchPolicy}`)
      .replace(
        'apiGroups: [""], apiVersions: [v1], resources: [pods]',
        `apiGroups: [${group}], apiVersions: [${version}], resources: [deployments, horizontalpodautoscalers]`,
      ) + binding();
  const deployment = objectRequest(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } },
    { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined },
  );

  test('sees the object as that version', () => {
    const expression =
      "object.apiVersion == 'extensions/v1beta1' && request.kind.group == 'extensions' && request.resource.version == 'v1beta1' && request.requestKind.group == 'apps'";
    expect(decide(programOf(policy('extensions', 'v1beta1', expression)), deployment).allowed).toBe(true);
    expect(decide(programOf(policy('extensions', 'v1beta1', '1 == 2')), deployment).allowed).toBe(false);
    expect(decide(programOf(policy('extensions', 'v1beta1', '1 == 2', 'Exact')), deployment).allowed).toBe(true);
  });

  test('can not be asked where the versions differ in form', () => {
    const autoscaler = objectRequest(
      { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' } },
      { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined },
    );
    expect(decide(programOf(policy('autoscaling', 'v2', 'true')), autoscaler).status?.message).toContain(
      'failed to convert object version: ',
    );
  });
});

test('a policy for another version of a custom kind sees the object as that version', () => {
  const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  names: { kind: Widget, plural: widgets }
  scope: Namespaced
  versions: [{ name: v1, schema: { openAPIV3Schema: { type: object } } }, { name: v1beta1, schema: { openAPIV3Schema: { type: object } } }]
`;
  const policy = validatingPolicy(
    'validations: [{expression: "object.apiVersion != \'example.com/v1beta1\'", message: seen as v1beta1}]',
  ).replace(
    'apiGroups: [""], apiVersions: [v1], resources: [pods]',
    'apiGroups: [example.com], apiVersions: [v1beta1], resources: [widgets]',
  );
  const request = objectRequest(
    { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } },
    { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined },
  );
  expect(decide(programOf(`${definition}---${policy}${binding()}`), request).status?.message).toContain('seen as v1beta1');
  expect(decide(programOf(policy + binding()), request).allowed).toBe(true);
});

describe('subresources and CONNECT', () => {
  const program = programOf(
    rule(
      "validations: [{expression: \"request.operation == 'CONNECT' && request.subResource == 'exec' && object.container != 'secret'\", message: m}]",
    ).replace('[pods]', '["pods/exec"]'),
  );
  const exec = (container: string) =>
    podRequest(
      {},
      {
        kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
        subResource: 'exec',
        operation: 'CONNECT',
        object: { apiVersion: 'v1', kind: 'PodExecOptions', container },
      },
    );

  test('are matched by name', () => {
    expect(decide(program, exec('app')).allowed).toBe(true);
    expect(decide(program, exec('secret')).allowed).toBe(false);
    expect(decide(program, podRequest()).allowed).toBe(true);
  });
});
