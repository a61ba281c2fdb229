import { describe, expect, it } from 'vitest';
import { compileJsonPath, jsonPathText } from './json-path.ts';

const object = {
  metadata: { name: 'n', annotations: { 'a.b/c': 'x' } },
  spec: { replicas: 3, list: [{ n: 1 }, { n: 2 }, { n: 3 }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};

describe('JSON paths', () => {
  it.each<{ path: string; values: unknown[] }>([
    { path: '.spec.replicas', values: [3] },
    { path: '.', values: [object] },
    { path: '.spec.missing.deeper', values: [] },
    { path: '.metadata.annotations.a\\.b/c', values: ['x'] },
    { path: ".metadata.annotations['a.b/c']", values: ['x'] },
    { path: '.spec.list[0].n', values: [1] },
    { path: '.spec.list[-1].n', values: [3] },
    { path: '.spec.list[1:].n', values: [2, 3] },
    { path: '.spec.list[*].n', values: [1, 2, 3] },
    { path: '.status.conditions[?(@.type=="Ready")].status', values: ['True'] },
    { path: ".status.conditions[?(@.type=='Missing')].status", values: [] },
    { path: '.spec.list[?(@.n>1)].n', values: [2, 3] },
    { path: '..name', values: ['n'] },
  ])('$path', ({ path, values }) => {
    expect(compileJsonPath(path)?.(object)).toEqual(values);
  });

  it.each(['spec', '.spec[', '.a[?(@.b==)]', '.a.[', '.a b'])('%s is none', (path) => {
    expect(compileJsonPath(path)).toBeUndefined();
  });

  it('show maps and lists as JSON', () => {
    expect([{ b: 1, a: [true] }, 'x', 1.5, null].map(jsonPathText)).toEqual(['{"a":[true],"b":1}', 'x', '1.5', '<nil>']);
  });
});
