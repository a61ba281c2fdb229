import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';
import { coversDemand, projectObject } from './field-demand.ts';

describe('what covers what', () => {
  it.each<[string, FieldDemand, FieldDemand, boolean]>([
    ['all', true, { spec: true }, true],
    ['a part does not cover all', { spec: true }, true, false],
    ['a field and what is below', { spec: true }, { spec: { replicas: true } }, true],
    ['another field', { spec: true }, { status: true }, false],
    ['every element', { items: { '*': true } }, { items: { a: true } }, true],
    ['one element for every', { items: { a: true } }, { items: { '*': true } }, false],
    ['nothing', {}, {}, true],
  ])('%s', (_, kept, wanted, covers) => expect(coversDemand(kept, wanted)).toBe(covers));
});

const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'a',
    namespace: 'ns',
    uid: 'u',
    resourceVersion: '7',
    generateName: 'a-',
    labels: { app: 'a' },
    annotations: { 'fairlead.dev/object': 'pod', 'inventory.fairlead.dev/r': '{}', team: 'x', 'notfairlead.dev/a': 'b' },
    managedFields: [{ manager: 'x' }],
  },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', env: [] }] },
  status: { phase: 'Running' },
};

describe('what is kept', () => {
  it('is identity at least', () => {
    expect(projectObject(pod, {})).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        namespace: 'ns',
        uid: 'u',
        resourceVersion: '7',
        labels: { app: 'a' },
        annotations: { 'fairlead.dev/object': 'pod', 'inventory.fairlead.dev/r': '{}' },
      },
    });
  });

  it.each<[string, FieldDemand, JsonObject]>([
    ['a field', { status: { phase: true } }, { status: { phase: 'Running' } }],
    ['a field of every element', { spec: { containers: { '*': { image: true } } } }, { spec: { containers: [{ image: 'i' }] } }],
    ['how many there are', { spec: { containers: {} } }, { spec: { containers: [{}] } }],
    ['what is not there', { spec: { volumes: true } }, { spec: {} }],
  ])('and %s', (_, demand, more) => {
    const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = projectObject(pod, demand);
    expect(rest).toEqual(more);
  });

  it('has an annotation that is read', () => {
    const kept = projectObject(pod, { metadata: { annotations: { team: true }, generateName: true } })['metadata'] as JsonObject;
    expect(kept['annotations']).toMatchObject({ team: 'x' });
    expect(kept['annotations']).not.toHaveProperty(['notfairlead.dev/a']);
    expect(kept['generateName']).toBe('a-');
  });

  it('is all but the books where all is read', () => {
    const kept = projectObject(pod, true);
    expect(kept['spec']).toBe(pod['spec']);
    expect(kept['metadata']).not.toHaveProperty('managedFields');
  });

  it('takes hostile keys for what they are', () => {
    const object = JSON.parse('{"metadata":{"name":"a"},"data":{"__proto__":"x","constructor":"y"}}') as JsonObject;
    expect(Object.keys(projectObject(object, { data: true })['data'] as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.keys(projectObject(object, { data: { b: true } })['data'] as object)).toEqual([]);
  });
});
