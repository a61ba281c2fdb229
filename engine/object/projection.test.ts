import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.ts';
import { compileMetadataProjection, compileProjection, type FieldDemand, keptByProjection } from './projection.ts';
import { createJsonPruner, type KeptJson } from './prune-json.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    generateName: 'web-',
    labels: { app: 'web' },
    annotations: {
      'fairlead.dev/a': '1',
      'rules.fairlead.dev/b': '2',
      other: '3',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    },
    ownerReferences: [{ uid: 'o' }],
    managedFields: [{ manager: 'x' }],
  },
  spec: { nodeName: 'n', containers: [{ name: 'a', image: 'i' }, { name: 'b' }], args: ['x', {}, [1]] },
  status: { phase: 'Running', conditions: null },
};
const identity = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    labels: { app: 'web' },
    annotations: { 'fairlead.dev/a': '1', 'rules.fairlead.dev/b': '2' },
    ownerReferences: [{ uid: 'o' }],
  },
};
const { managedFields, ...metadata } = pod.metadata;

describe('a projection keeps', () => {
  it.each<readonly [string, FieldDemand, unknown]>([
    ['identity where nothing is read', {}, identity],
    ['what is read', { spec: { nodeName: true } }, { ...identity, spec: { nodeName: 'n' } }],
    ['whole subtrees', { status: true }, { ...identity, status: pod.status }],
    ['fields of elements', { spec: { containers: { '*': { image: true } } } }, { ...identity, spec: { containers: [{ image: 'i' }, {}] } }],
    ['the length of lists', { spec: { containers: {}, args: {} } }, { ...identity, spec: { containers: [{}, {}], args: ['x', {}, []] } }],
    ['nothing of what is not there', { spec: { replicas: true }, data: true }, { ...identity, spec: {} }],
    ['null as it is', { status: { conditions: { '*': { type: true } } } }, { ...identity, status: { conditions: null } }],
    [
      'fields and every field together',
      { spec: { '*': {}, nodeName: true, containers: { '*': { name: true } } } },
      { ...identity, spec: { nodeName: 'n', containers: [{ name: 'a' }, { name: 'b' }], args: ['x', {}, []] } },
    ],
    [
      'annotations that are named',
      { metadata: { annotations: { other: true } } },
      { ...identity, metadata: { ...identity.metadata, annotations: { ...identity.metadata.annotations, other: '3' } } },
    ],
    [
      'managedFields that are named',
      { metadata: { managedFields: true } },
      { ...identity, metadata: { ...identity.metadata, managedFields } },
    ],
    [
      'everything but managedFields and kubectl’s copy',
      true,
      {
        ...pod,
        metadata: { ...metadata, annotations: { 'fairlead.dev/a': '1', 'rules.fairlead.dev/b': '2', other: '3' } },
      },
    ],
  ])('%s', (_, demand, expected) => expect(compileProjection(demand)(pod)).toEqual(expected));

  it('of metadata that is none only that it is there', () => {
    const object = { metadata: [{ a: null }] };
    expect(compileProjection({ '*': { '*': {} } })(object)).toEqual({ metadata: [] });
    expect(compileProjection(true)({ metadata: { annotations: ['a'] } })).toEqual({ metadata: { annotations: [] } });
  });

  it('fields whatever they are called', () => {
    const object = JSON.parse('{"__proto__":{"a":1,"b":2},"constructor":1}') as JsonObject;
    const demand = JSON.parse('{"__proto__":{"a":true}}') as FieldDemand;
    expect(JSON.stringify(compileProjection(demand)(object))).toBe('{"__proto__":{"a":1}}');
  });
});

describe('a pruned text', () => {
  const prune = (text: string, keep: KeptJson): string | undefined => {
    const left = createJsonPruner(keep)(new TextEncoder().encode(text));
    return left === undefined ? undefined : new TextDecoder().decode(left);
  };
  const some = (fields: Readonly<Record<string, KeptJson>>, others: KeptJson = 'none'): KeptJson => ({
    fields: new Map(Object.entries(fields)),
    others,
  });

  it.each<readonly [string, KeptJson, string | undefined]>([
    ['{"a":1,"b":2,"c":3}', some({ a: 'all' }), '{"a":1}'],
    ['{"a":1,"b":2,"c":3}', some({ b: 'all' }), '{"b":2}'],
    ['{"a":1,"b":2,"c":3}', some({ c: 'all' }), '{"c":3}'],
    ['{"a":1,"b":2,"c":3}', some({ a: 'all', c: 'all' }), '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', some({}), '{}'],
    ['{"a":1,"b":2,"c":3}', some({ b: 'none' }, 'all'), '{"a":1,"c":3}'],
    ['{"a":{"x":[{"y":"}"}],"z":"\\"]"},"b":{"c":"ä","d":null}}', some({ b: some({ c: 'all' }) }), '{"b":{"c":"ä"}}'],
    ['{"a":[{"x":1,"y":2},{"y":3},5,[],{}]}', some({ a: some({}, some({ y: 'all' })) }), '{"a":[{"y":2},{"y":3},5,[],{}]}'],
    ['{"a":[{"x":1},{},[],[[1],"]"],"{",5]}', some({ a: some({ b: 'all' }) }), '{"a":[{},{},[],[],"{",5]}'],
    ['{"a":[{"x":1}]}', some({ a: some({}, 'all') }), '{"a":[{"x":1}]}'],
    ['{"a":true,"b":"\\\\","c":1}', some({ a: 'all', c: 'all' }), '{"a":true,"c":1}'],
    ['[1,2]', some({ a: 'all' }), '[1,2]'],
    ['5', some({ a: 'all' }), '5'],
    ['{}', some({ a: 'all' }), '{}'],
    ['{"a":1}', 'all', '{"a":1}'],
    // What is not of the compact form is left to those who read all of it.
    ['{"a": 1}', some({ b: 'all' }), undefined],
    ['{ "a":1}', some({ a: 'all' }), undefined],
    ['{"\\u0061":1}', some({ a: 'all' }), undefined],
    ['{"a":1} ', some({ a: 'all' }), undefined],
    ['{"a":1', some({ a: 'all' }), undefined],
    ['{"a":[1,{"b":"c', some({}), undefined],
    ['{"a":"b\\', some({}), undefined],
    ['{"a":}', some({}), undefined],
    ['{"a"', some({}), undefined],
    ['{a:1}', some({}), undefined],
    ['{"a":1,}', some({}), undefined],
    ['', some({}), undefined],
  ])('of %s', (text, keep, expected) => expect(prune(text, keep)).toBe(expected));

  it('does not go deeper than it bears', () => {
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    let keep: KeptJson = 'all';
    for (let i = 0; i < 200; i++) keep = some({ a: keep });
    expect(prune(deep, keep)).toBeUndefined();
    expect(prune(deep, some({ a: some({ a: 'all' }) }))).toBe(deep);
  });

  const name = fc.constantFrom('a', 'b', 'metadata', 'spec', 'annotations', 'managedFields', 'uid', 'ä', '__proto__');
  const { demand } = fc.letrec<{ demand: FieldDemand; fields: FieldDemand }>((tie) => ({
    demand: fc.oneof({ depthSize: 'small' }, fc.constant(true as const), tie('fields')),
    fields: fc.dictionary(fc.oneof(name, fc.constant('*')), tie('demand'), { maxKeys: 4, noNullPrototype: true }),
  }));
  const { map } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
      fc.boolean(),
      tie('map'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    map: fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  }));

  it('holds what the projection keeps, and of metadata all of that', () => {
    fc.assert(
      fc.property(demand, map, (read, object) => {
        const text = JSON.stringify(object);
        const whole = JSON.parse(text) as JsonObject;
        const expected = JSON.stringify(compileProjection(read)(whole));
        const left = prune(text, keptByProjection(read));
        expect(left).toBeDefined();
        const pruned = JSON.parse(left!) as JsonObject;
        expect(JSON.stringify(compileProjection(read)(pruned))).toBe(expected);
        expect(JSON.stringify(compileMetadataProjection(read)(pruned))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('never leaves JSON broken by cutting it', () => {
    fc.assert(
      fc.property(demand, map, fc.nat(), (read, object, cut) => {
        const text = JSON.stringify(object);
        const left = prune(text.slice(0, cut % Math.max(1, text.length)), keptByProjection(read));
        expect(left).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});
