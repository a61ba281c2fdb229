import { describe, expect, test } from 'vitest';
import { decide, mutatingPolicy, podRequest, programOf } from './decide.fixture.ts';
import type { AdmissionDecision, AdmissionRequest, JsonObject } from './decision.ts';

const pod = podRequest({ spec: { containers: [{ name: 'a', image: 'x' }] } });
const configMap = (data: JsonObject): AdmissionRequest =>
  podRequest(
    {},
    {
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web', namespace: 'shop' }, data },
    },
  );

const apply = (expression: string) =>
  `mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: ${JSON.stringify(expression)}}}]`;
const patch = (expression: string) => `mutations: [{patchType: JSONPatch, jsonPatch: {expression: ${JSON.stringify(expression)}}}]`;

function mutate(spec: string, request = pod): AdmissionDecision {
  return decide(programOf(mutatingPolicy(spec)), request);
}

const DENIED = "policy 'p' with binding 'b-p' denied request: ";

describe('ApplyConfiguration', () => {
  test('merges maps, and lists by their keys', () => {
    const decision = mutate(
      apply(
        'Object{metadata: Object.metadata{labels: {"a": "b"}}, spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: "Always"})}}',
      ),
    );
    expect(decision.patch).toEqual([
      { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      { op: 'add', path: '/spec/containers/0/imagePullPolicy', value: 'Always' },
    ]);
    expect(decision.outcomes).toEqual([{ ruleKind: 'MutatingAdmissionPolicy', rule: 'p', binding: 'b-p', result: 'mutate' }]);
  });

  test('an absent optional leaves the field out', () => {
    expect(mutate(apply('Object{?spec: optional.none()}')).patch).toEqual([]);
  });

  test.each([
    [
      'Object{spec: Object.spec{containers: [Object.spec.containers{name: "a", args: ["x"]}]}}',
      /^error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: /,
    ],
    ['Object{spec: Object.wrong{hostNetwork: true}}', /^type mismatch: unexpected type name "Object.wrong", expected "Object.spec"/],
    ['Object{spec: object.nope}', /resulted in error: no such key: nope$/],
  ])('%s', (expression, message) => {
    const { status } = mutate(apply(expression));
    expect(status).toMatchObject({ code: 403, reason: 'Invalid' });
    expect(status!.message.slice(0, DENIED.length)).toBe(DENIED);
    expect(status!.message.slice(DENIED.length)).toMatch(message);
  });

  test('of a field the kind does not have', () => {
    expect(mutate(apply('Object{dat: {"a": "b"}}'), configMap({})).status?.message).toBe(
      `${DENIED}error applying patch: failed to convert patch object to typed object: .dat: field not declared in schema`,
    );
  });
});

describe('JSONPatch', () => {
  test('is applied as it is', () => {
    const decision = mutate(
      patch(
        '[JSONPatch{op: "add", path: "/metadata/labels", value: {"a": "b"}}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("x/y"), value: "z"}]',
      ),
    );
    expect(decision.object).toMatchObject({ metadata: { labels: { a: 'b', 'x/y': 'z' } } });
  });

  test('a failed test is no error and no mutation', () => {
    const expression = '[JSONPatch{op: "test", path: "/metadata/name", value: "other"}, JSONPatch{op: "remove", path: "/metadata/name"}]';
    expect(mutate(patch(expression))).toMatchObject({ allowed: true, patch: [] });
  });

  test('of what is not there', () => {
    expect(mutate(patch('[JSONPatch{op: "remove", path: "/data/nope"}]'), configMap({ a: 'b' })).status?.message).toBe(
      `${DENIED}JSON Patch: error in remove for path: '/data/nope': Unable to remove nonexistent key: nope: missing value`,
    );
  });

  test('that makes the object something else is an internal error, whatever the failure policy', () => {
    const spec = `failurePolicy: Ignore\n${patch('[JSONPatch{op: "add", path: "/data", value: {"a": 1}}]')}`;
    expect(mutate(spec, configMap({})).status).toMatchObject({ code: 500, reason: 'InternalError' });
  });
});

test('mutations see what the ones before them have made', () => {
  const spec = `
variables: [{name: labels, expression: "object.metadata.?labels.orValue({})"}]
mutations:
- {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{metadata: Object.metadata{labels: {"n": string(size(variables.labels))}}}'}}
- {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{metadata: Object.metadata{labels: {"m": string(size(variables.labels))}}}'}}
`;
  expect(mutate(spec).object).toMatchObject({ metadata: { labels: { n: '0', m: '1' } } });
});

test('policies see what the ones before them have made, and are asked again if they wish', () => {
  const count = apply('Object{metadata: Object.metadata{labels: {"count-" + string(size(object.metadata.?labels.orValue({}))): "x"}}}');
  const once = programOf(mutatingPolicy(count, 'a') + '---' + mutatingPolicy(count, 'b'));
  expect(decide(once, pod).object).toMatchObject({ metadata: { labels: { 'count-0': 'x', 'count-1': 'x' } } });
  const again = programOf(mutatingPolicy(count, 'a').replace('Never', 'IfNeeded') + '---' + mutatingPolicy(count, 'b'));
  expect(Object.keys((decide(again, pod).object!['metadata'] as JsonObject)['labels'] as JsonObject)).toEqual([
    'count-0',
    'count-1',
    'count-2',
  ]);
});

test('an error under Ignore leaves the other mutations alone', () => {
  const spec = `
failurePolicy: Ignore
mutations:
- {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{spec: object.nope}'}}
- {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}'}}
`;
  expect(mutate(spec)).toMatchObject({ allowed: true, patch: [{ path: '/metadata/labels' }] });
});

test.each<[string, Partial<AdmissionRequest>]>([
  ['DELETE', { operation: 'DELETE', oldObject: pod.object!, object: null }],
  ['CONNECT', { operation: 'CONNECT', object: null }],
])('there is nothing to mutate: %s', (_name, overrides) => {
  expect(mutate(apply('Object{spec: object.nope}'), { ...pod, ...overrides }).allowed).toBe(true);
});

test('what changes nothing is no patch', () => {
  const decision = mutate(apply('Object{metadata: Object.metadata{name: object.metadata.name}}'));
  expect(decision.patch).toEqual([]);
  expect(decision.object).toBe(pod.object);
});

test('phase validate leaves the object alone', () => {
  const program = programOf(mutatingPolicy(apply('Object{metadata: Object.metadata{labels: {"a": "b"}}}')));
  expect(decide(program, pod, undefined, { phase: 'validate' }).patch).toEqual([]);
});
