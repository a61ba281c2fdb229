import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, podRequest, programOf, rule } from './decide.fixture.ts';
import type { AdmissionDecision, AdmissionRequest, JsonObject } from './decision.ts';
import { objectRequest } from './object-request.ts';
import { recordedFacts } from './recorded-facts.ts';

const container = (name: string, more: JsonObject = {}): JsonObject => ({ name, image: `${name}:1`, ...more });
const pod = (...containers: readonly JsonObject[]) => podRequest({ spec: { containers } });

function run(spec: string, request: AdmissionRequest = pod(container('a')), objects: readonly JsonObject[] = []): AdmissionDecision {
  return decide(programOf(rule(spec)), request, recordedFacts(objects));
}

const containersOf = (decision: AdmissionDecision) => (decision.object!['spec'] as JsonObject)['containers'];

describe('validations', () => {
  test('deny in the words of the rule', () => {
    expect(run('validations: [{expression: "1 == 2", message: refused, reason: Forbidden}]').status).toEqual({
      message: "AdmissionRule 'r' denied request: refused",
      reason: 'Forbidden',
      code: 403,
    });
  });

  test('all denials are named', () => {
    const program = programOf(
      rule('validations: [{expression: "1 == 2", message: a}, {expression: "1 == 3", message: b}]') +
        '---' +
        rule('validations: [{expression: "1 == 2", message: c}]', 's'),
    );
    expect(decide(program, pod(container('a'))).status?.message).toBe(
      "AdmissionRule 'r' denied request: a; AdmissionRule 'r' denied request: b; AdmissionRule 's' denied request: c",
    );
  });

  test('warn', () => {
    expect(run('validationActions: [Warn]\nvalidations: [{expression: "1 == 2", message: refused}]')).toMatchObject({
      allowed: true,
      warnings: ["AdmissionRule 'r': refused"],
    });
  });

  test('see the mutated object', () => {
    const spec =
      'mutations: [{set: {path: $.metadata.labels.team, value: a}}]\nvalidations: [{expression: "object.metadata.labels.team == \'a\'"}]';
    expect(run(spec).allowed).toBe(true);
    expect(decide(programOf(rule(spec)), pod(container('a')), undefined, { phase: 'validate' }).allowed).toBe(false);
  });

  test.each([
    ['namespaces: [shop]', false],
    ['namespaces: ["sh*", other]', false],
    ['namespaces: [other]', true],
    ['excludeNamespaces: [shop]', true],
    ['excludeNamespaces: ["kube-*"]', false],
    ['matchConditions: [{name: a, expression: "namespaceObject.metadata.labels.tier == \'b\'"}]', true],
    ['matchConditions: [{name: a, expression: "namespaceObject.metadata.labels.tier == \'a\'"}]', false],
  ])('only where the rule is about it: %s', (where, allowed) => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { tier: 'a' } } };
    expect(run(`${where}\nvalidations: [{expression: "1 == 2"}]`, undefined, [namespace]).allowed).toBe(allowed);
  });

  test('with parameters of the cluster', () => {
    const spec =
      'paramKind: {apiVersion: v1, kind: ConfigMap}\nparamRef: {name: limits, parameterNotFoundAction: Allow}\nvalidations: [{expression: "int(params.data.max) >= object.spec.containers.size()"}]';
    const limits = (max: string) => [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'limits', namespace: 'shop' }, data: { max } },
    ];
    expect(run(spec).allowed).toBe(true);
    expect(run(spec, undefined, limits('1')).allowed).toBe(true);
    expect(run(spec, undefined, limits('0')).allowed).toBe(false);
  });
});

test('outcomes say why a rule was skipped, when asked', () => {
  const skipped = (spec: string) => decide(programOf(rule(spec)), pod(container('a')), undefined, { phase: 'all', explain: true }).outcomes;
  const validations = 'validations: [{expression: "1 == 2"}]';
  const outcome = { ruleKind: 'AdmissionRule', rule: 'r', result: 'skip' };
  expect(skipped(`matchConditions: [{name: root, expression: "request.userInfo.username == 'root'"}]\n${validations}`)).toEqual([
    { ...outcome, skipped: 'matchCondition "root"' },
  ]);
  expect(skipped(`namespaces: [other]\n${validations}`)).toEqual([{ ...outcome, skipped: 'namespace' }]);
  expect(skipped('validations: [{expression: "true"}]')).toEqual([{ ...outcome, result: 'allow' }]);
});

describe('set', () => {
  test.each<[string, JsonObject[]]>([
    [
      '{path: "$.spec.containers[*].imagePullPolicy", value: Always}',
      [container('a', { imagePullPolicy: 'Always' }), container('b', { imagePullPolicy: 'Always' })],
    ],
    [
      '{path: "$.spec.containers[*].imagePullPolicy", value: Always, unlessSet: true}',
      [container('a', { imagePullPolicy: 'Never' }), container('b', { imagePullPolicy: 'Always' })],
    ],
    [
      '{path: "$.spec.containers[0].image", value: "x/${object.spec.containers[0].image}"}',
      [container('a', { image: 'x/a:1', imagePullPolicy: 'Never' }), container('b')],
    ],
    [
      '{path: "$.spec.containers[*].imagePullPolicy", value: "${optional.none()}"}',
      [container('a', { imagePullPolicy: 'Never' }), container('b')],
    ],
  ])('%s', (set, containers) => {
    expect(containersOf(run(`mutations: [{set: ${set}}]`, pod(container('a', { imagePullPolicy: 'Never' }), container('b'))))).toEqual(
      containers,
    );
  });

  test('that leads to something else than the kind allows', () => {
    expect(run(`mutations: [{set: {path: $.spec.hostNetwork, value: "\${'yes'}"}}]`).status?.message).toMatch(
      /^AdmissionRule 'r' denied request: the mutated object is no Pod: \.spec\.hostNetwork: /,
    );
    expect(run(`failurePolicy: Ignore\nmutations: [{set: {path: $.spec.hostNetwork, value: "\${'yes'}"}}]`)).toMatchObject({
      allowed: true,
      patch: [],
    });
  });
});

describe('apply', () => {
  test('merges lists by their keys, atomic ones as a whole', () => {
    const spec = `
mutations:
- apply:
    metadata: { labels: { app: "\${object.metadata.name}" } }
    spec: { containers: [{ name: a, args: [x] }, { name: sidecar, image: proxy }] }
`;
    const decision = run(spec, pod(container('a', { args: ['y', 'z'] })));
    expect(decision.object).toMatchObject({ metadata: { labels: { app: 'web' } } });
    expect(containersOf(decision)).toEqual([container('a', { args: ['x'] }), { name: 'sidecar', image: 'proxy' }]);
  });
});

describe('patch', () => {
  test('for each item, with its index', () => {
    const spec = `
mutations:
- forEach: object.spec.containers
  when: "!item.image.startsWith('local/')"
  patch: [{ op: replace, path: "/spec/containers/\${index}/image", value: "local/\${item.image}" }]
`;
    expect(containersOf(run(spec, pod(container('a'), container('b', { image: 'local/b' }), container('c'))))).toEqual([
      container('a', { image: 'local/a:1' }),
      container('b', { image: 'local/b' }),
      container('c', { image: 'local/c:1' }),
    ]);
  });

  test('for each entry of a map, with its key', () => {
    const spec = `
mutations:
- forEach: "{'a': 'x', 'b': 'y'}"
  patch: [{ op: add, path: "/metadata/\${key}", value: "\${item}" }]
`;
    expect(
      decide(
        programOf(rule(spec).replace('[pods]', '[widgets]').replace('[""]', '[example.com]')),
        podRequest(
          {},
          {
            resource: { group: 'example.com', version: 'v1', resource: 'widgets' },
            kind: { group: 'example.com', version: 'v1', kind: 'Widget' },
          },
        ),
      ).object,
    ).toMatchObject({ metadata: { a: 'x', b: 'y' } });
  });

  test('removals by index do not shift each other', () => {
    const spec = `
mutations:
- forEach: object.spec.containers
  when: item.name != 'b'
  patch: [{ op: remove, path: "/spec/containers/\${index}" }]
`;
    expect(containersOf(run(spec, pod(container('a'), container('b'), container('c'), container('d'))))).toEqual([container('b')]);
  });

  test('adds to the end of a list what is not there yet', () => {
    const spec = 'mutations: [{patch: [{op: add, path: /spec/containers/-, value: {name: sidecar, image: proxy}}]}]';
    expect(containersOf(run(spec))).toEqual([container('a'), { name: 'sidecar', image: 'proxy' }]);
    // Defaults may have been filled in since: it is known by its name.
    expect(run(spec, pod(container('a'), { name: 'sidecar', image: 'proxy', imagePullPolicy: 'Always' })).patch).toEqual([]);
  });

  test('a failed test means: not for this object', () => {
    expect(
      run('mutations: [{patch: [{op: add, path: /metadata/labels, value: {}}, {op: test, path: /metadata/name, value: other}]}]'),
    ).toMatchObject({
      allowed: true,
      patch: [],
    });
  });

  test('of what is not there', () => {
    expect(run('mutations: [{patch: [{op: remove, path: /spec/nodeName}]}]').status?.message).toMatch(
      /^AdmissionRule 'r' denied request: JSON Patch: /,
    );
  });
});

describe('when', () => {
  test.each([
    ['"true"', 1],
    ['"false"', 0],
    ['variables.wanted', 1],
  ])('%s', (when, count) => {
    const spec = `variables: [{name: wanted, expression: "1 == 1"}]\nmutations: [{when: ${when}, set: {path: $.metadata.labels.a, value: b}}]`;
    expect(run(spec).patch).toHaveLength(count);
  });
});

test('mutations come in order, each on what the one before has made', () => {
  const spec = `
mutations:
- set: { path: $.metadata.labels.a, value: x }
- set: { path: $.metadata.labels.b, value: "\${object.metadata.labels.a}y" }
- set: { path: $.metadata.labels.a, value: z }
`;
  expect(run(spec).patch).toEqual([{ op: 'add', path: '/metadata/labels', value: { a: 'z', b: 'xy' } }]);
});

test('done twice, mutations change no more than done once', () => {
  const spec = `
mutations:
- apply: { metadata: { labels: { team: core } }, spec: { containers: [{ name: sidecar, image: proxy }], nodeSelector: { a: b } } }
- forEach: object.spec.containers
  when: "!item.image.startsWith('local/')"
  patch: [{ op: replace, path: "/spec/containers/\${index}/image", value: "local/\${item.image}" }]
- patch: [{ op: add, path: /spec/containers/-, value: { name: last, image: local/last } }]
- set: { path: "$.spec.containers[*].imagePullPolicy", value: IfNotPresent, unlessSet: true }
`;
  const program = programOf(rule(spec));
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'sidecar', 'last'), { minLength: 1 });
  const containers = names.chain((list) =>
    fc.tuple(
      ...list.map((name) =>
        fc.record(
          { name: fc.constant(name), image: fc.constantFrom('x', 'local/y'), imagePullPolicy: fc.constantFrom('Always', 'Never') },
          { requiredKeys: ['name', 'image'] },
        ),
      ),
    ),
  );
  fc.assert(
    fc.property(containers, (list) => {
      const once = decide(program, podRequest({ spec: { containers: list as never } }));
      const twice = decide(program, podRequest(once.object as JsonObject));
      expect(once.allowed && twice.allowed).toBe(true);
      expect(twice.patch).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

describe('podControllers', () => {
  const spec = `
podControllers: true
variables:
- { name: bad, expression: "object.spec.containers.filter(c, c.image.endsWith(':latest')).map(c, c.name)" }
mutations:
- set: { path: $.metadata.labels.checked, value: "yes" }
- forEach: object.spec.containers
  patch: [{ op: add, path: "/spec/containers/\${index}/imagePullPolicy", value: Always }]
- apply: { spec: { hostNetwork: false } }
validations:
- { expression: variables.bad.size() == 0, messageExpression: "'in ' + object.metadata.name + ': ' + variables.bad.join(', ')" }
`;
  const template = { metadata: { labels: {} }, spec: { containers: [container('a')] } };
  const bad = { ...template, spec: { containers: [container('a', { image: 'a:latest' })] } };
  const controllers: readonly [string, (template: JsonObject) => JsonObject, (object: JsonObject) => unknown][] = [
    ...[
      'apps/v1/Deployment',
      'apps/v1/StatefulSet',
      'apps/v1/DaemonSet',
      'apps/v1/ReplicaSet',
      'batch/v1/Job',
      'v1/ReplicationController',
    ].map((kind): [string, (template: JsonObject) => JsonObject, (object: JsonObject) => unknown] => [
      kind,
      (inner) => ({ template: inner }),
      (object) => (object['spec'] as JsonObject)['template'],
    ]),
    [
      'batch/v1/CronJob',
      (inner) => ({ schedule: '* * * * *', jobTemplate: { spec: { template: inner } } }),
      (object) => (((object['spec'] as JsonObject)['jobTemplate'] as JsonObject)['spec'] as JsonObject)['template'],
    ],
  ];
  const program = programOf(rule(spec));
  const decideOn = (kind: string, spec: JsonObject) => {
    const slash = kind.lastIndexOf('/');
    const object = { apiVersion: kind.slice(0, slash), kind: kind.slice(slash + 1), metadata: { name: 'own', namespace: 'shop' }, spec };
    const resource = `${kind.slice(slash + 1).toLowerCase()}s`;
    const request = objectRequest(object, { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined });
    return decide(program, { ...request, resource: { ...request.resource, resource } });
  };

  test.each(controllers)('%s: validations read the template, and the metadata of the controller', (kind, place) => {
    expect(decideOn(kind, place(template)).allowed).toBe(true);
    expect(decideOn(kind, place(bad)).status?.message).toBe("AdmissionRule 'r' denied request: in own: a");
  });

  test.each(controllers)('%s: mutations write to the template', (kind, place, templateOf) => {
    expect(templateOf(decideOn(kind, place(template)).object!)).toEqual({
      metadata: { labels: { checked: 'yes' } },
      spec: { containers: [container('a', { imagePullPolicy: 'Always' })], hostNetwork: false },
    });
  });

  test('pods themselves are still meant', () => {
    expect(decide(program, pod(container('a', { image: 'a:latest' }))).allowed).toBe(false);
  });
});
