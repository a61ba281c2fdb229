import { describe, expect, test } from 'vitest';
import { typesWith } from '../../bundle/compile.ts';
import { recordedReconcileFacts } from './recorded-facts.ts';

const config = (name: string, namespace: string, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
});
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'p', namespace: 'shop' }, data: { value: 'aMOkIQ==', bad: '?' } };
const facts = recordedReconcileFacts([config('a', 'shop', { app: 'web' }), config('a', 'other'), config('b', 'shop'), secret], {
  now: 7,
  types: typesWith([]),
});
const query = { apiVersion: 'v1', kind: 'ConfigMap', labelSelector: '' };
const random = (name: string, key: string) => ({
  id: 'p',
  secret: { namespace: 'shop', name },
  value: { kind: 'random', key, length: 3, alphabet: 'ab' } as const,
});

describe('recorded facts', () => {
  test('objects by name, and null where nothing is recorded', () => {
    expect(facts.object({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'other', name: 'a' })).toEqual(config('a', 'other'));
    expect(facts.object({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'c' })).toBeNull();
  });

  test.each([
    [{}, 3],
    [{ namespace: 'shop' }, 2],
    [{ namespace: 'shop', labelSelector: 'app=web' }, 1],
    [{ kind: 'Pod' }, 0],
  ])('objects of %j: %i', (more, count) => {
    expect(facts.objects({ ...query, ...more })).toHaveLength(count);
  });

  test.each([
    ['apps/v1', 'Deployment', 'Namespaced'],
    ['v1', 'Node', 'Cluster'],
    ['example.com/v1', 'Nothing', null],
  ])('%s %s is %s', (apiVersion, kind, scope) => {
    expect(facts.scope(apiVersion, kind)).toBe(scope);
  });

  test('values that a recorded Secret keeps', () => {
    expect(facts.generated(random('p', 'value'))).toEqual({ value: 'hä!' });
    expect(facts.generated(random('p', 'other'))).toBeUndefined();
    expect(facts.generated(random('q', 'value'))).toBeUndefined();
  });
});
