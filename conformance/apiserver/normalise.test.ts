import { describe, expect, test } from 'vitest';
import type { Json } from '../../engine/object/json.ts';
import { normalise, type Symbols } from './normalise.ts';

const A = '534bc490-ac1f-4467-91bc-6de2fdd03bdb';
const B = 'cf0c1291-fd51-41a4-8caf-706736e5e0aa';
const fresh = (): Symbols => ({ names: new Map() });
const now = new Date().toISOString().replace(/\.\d+/, '');

describe('without what differs from server to server', () => {
  test('uids and versions become names that stay the same within a case', () => {
    const symbols = fresh();
    const object = (uid: string, resourceVersion: string): Json => ({ metadata: { uid, resourceVersion } });
    expect(normalise(object(A, '7'), symbols)).toEqual({ metadata: { uid: '<uid 1>', resourceVersion: '<version 1>' } });
    expect(normalise(object(B, '9'), symbols)).toEqual({ metadata: { uid: '<uid 2>', resourceVersion: '<version 2>' } });
    expect(normalise(object(A, '9'), symbols)).toEqual({ metadata: { uid: '<uid 1>', resourceVersion: '<version 2>' } });
    expect(normalise({ [`k:{"uid":"${B}"}`]: {} }, symbols)).toEqual({ 'k:{"uid":"<uid 2>"}': {} });
  });
  test.each([
    { what: 'a time of today', value: now, expected: '<time>' },
    { what: 'a time of the case', value: '2020-01-01T00:00:00Z', expected: '2020-01-01T00:00:00Z' },
    { what: 'microseconds of today', value: now.replace('Z', '.123456Z'), expected: '<time in microseconds>' },
    { what: 'a version in a message', value: 'ResourceVersion in object meta: 12', expected: 'ResourceVersion in object meta: <version>' },
    { what: 'any other text', value: 'resource 12', expected: 'resource 12' },
  ])('$what', ({ value, expected }) => {
    expect(normalise({ value }, fresh())).toEqual({ value: expected });
  });
  test('the version of a list or a bookmark is that of the whole server', () => {
    const symbols = fresh();
    expect(normalise({ kind: 'PodList', metadata: { resourceVersion: '5', continue: 'abc' } }, symbols)).toEqual({
      kind: 'PodList',
      metadata: { resourceVersion: '<version>', continue: '<continue>' },
    });
    expect(normalise({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '6' } } }, symbols)).toEqual({
      type: 'BOOKMARK',
      object: { kind: 'Pod', metadata: { resourceVersion: '<version>' } },
    });
  });
  test('a generated name is known again in later answers', () => {
    const symbols = fresh();
    normalise({ metadata: { generateName: 'made-', name: 'made-x7x7x' } }, symbols);
    expect(normalise({ message: '"made-x7x7x" not found' }, symbols)).toEqual({
      message: '"<generated 0: made- and 5 letters>" not found',
    });
  });
  test('causes come in one order', () => {
    const status = (causes: Json[], list: string): Json => ({ kind: 'Status', message: `x is invalid: [${list}]`, details: { causes } });
    const left = normalise(status([{ field: 'b' }, { field: 'a' }], 'b: no, a: no'), fresh());
    expect(left).toEqual(normalise(status([{ field: 'a' }, { field: 'b' }], 'a: no, b: no'), fresh()));
  });
});
