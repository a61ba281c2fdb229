import { describe, expect, test } from 'vitest';
import { typesWith } from '../../bundle/compile.ts';
import type { JsonObject } from './decision.ts';
import { objectRequest } from './object-request.ts';
import { recordedFacts } from './recorded-facts.ts';

const configMap = (name: string, namespace: string, labels: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
});

describe('recorded facts', () => {
  const facts = recordedFacts([
    configMap('a', 'x', { app: 'web' }),
    configMap('b', 'x'),
    configMap('a', 'y'),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x', labels: { team: 'a' } } },
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'alice', resourceAttributes: { verb: 'get', resource: 'pods' } },
      status: { allowed: true, reason: 'she may' },
    },
    { kind: 'SubjectAccessReview', spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } }, status: { allowed: true } },
  ]);

  test('objects by name', () => {
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'x', name: 'a' };
    expect(facts.object(reference)).toMatchObject({ metadata: { namespace: 'x' } });
    expect(facts.object({ ...reference, name: 'c' })).toBeNull();
  });

  test('lists by namespace and label', () => {
    const query = { apiVersion: 'v1', kind: 'ConfigMap' };
    expect(facts.list(query)).toHaveLength(3);
    expect(facts.list({ ...query, namespace: 'x' })).toHaveLength(2);
    expect(facts.list({ ...query, labelSelector: 'app in (web)' })).toHaveLength(1);
    expect(facts.list({ ...query, labelSelector: '(((' })).toEqual([]);
  });

  test('namespaces, recorded or assumed', () => {
    expect(facts.namespace('x')).toMatchObject({ metadata: { labels: { team: 'a' } } });
    expect(facts.namespace('z')).toMatchObject({ metadata: { labels: { 'kubernetes.io/metadata.name': 'z' } } });
    expect(recordedFacts([], { assumeNamespaces: false }).namespace('z')).toBeNull();
  });

  test('authorization', () => {
    const attributes = { user: { username: 'alice' }, verb: 'get', resource: 'pods', namespace: 'any' };
    expect(facts.authorize(attributes)).toEqual({ allowed: true, reason: 'she may' });
    expect(facts.authorize({ ...attributes, verb: 'delete' })).toMatchObject({ allowed: false });
    expect(facts.authorize({ ...attributes, user: { username: 'bob' } })).toMatchObject({ allowed: false });
    expect(facts.authorize({ user: {}, verb: 'get', path: '/healthz' })).toMatchObject({ allowed: true });
  });
});

describe('the request about an object', () => {
  const types = typesWith([]);
  const options = { operation: 'CREATE' as const, user: { username: 'a' }, namespace: 'default', types };

  test('of a namespaced kind is in a namespace', () => {
    const request = objectRequest({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } }, options);
    expect(request).toMatchObject({
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      namespace: 'default',
      name: 'd',
      object: { metadata: { namespace: 'default' } },
      oldObject: null,
    });
  });

  test('of a cluster-scoped kind is in none, of a Namespace in itself', () => {
    expect(objectRequest({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }, options).namespace).toBeUndefined();
    expect(objectRequest({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }, options).namespace).toBe('n');
  });

  test('has the object where the operation has it', () => {
    const object = configMap('a', 'x');
    expect(objectRequest(object, { ...options, operation: 'DELETE' })).toMatchObject({ object: null, oldObject: object });
    expect(objectRequest(object, { ...options, operation: 'UPDATE', old: configMap('a', 'x', { b: 'c' }) })).toMatchObject({
      object,
      oldObject: { metadata: { labels: { b: 'c' } } },
    });
  });
});
