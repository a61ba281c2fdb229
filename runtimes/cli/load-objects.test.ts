import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../kubernetes/embedded/server.ts';
import { loadObjects } from './load-objects.ts';

let server: EmbeddedServer;
beforeAll(async () => {
  server = await startEmbeddedServer();
});
afterAll(() => server.close());

const owner = (uid: string) => [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true }];
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const spec = { selector: { matchLabels: { app: 'web' } }, template };

test('owners come first, status comes along, and references follow the new uids', async () => {
  const loaded = await loadObjects(server.registry, [
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web-1', namespace: 'shop', uid: 'b', resourceVersion: '7', ownerReferences: owner('a') },
      spec,
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop', uid: 'a', generation: 9, deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: { ...spec, replicas: 2 },
      status: { replicas: 2, readyReplicas: 2, availableReplicas: 2, observedGeneration: 9 },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'lost', namespace: 'shop', ownerReferences: owner('gone') } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'labelled', namespace: 'shop', labels: { 'fairlead.dev/instance': 'a' } } },
  ]);
  expect(loaded).toEqual({ count: 4, problems: [], madeNamespaces: ['shop'] });
  const get = (apiVersion: string, kind: string, name: string): JsonObject | undefined =>
    server.registry.get(server.registry.ofKind(apiVersion, kind)!, { namespace: 'shop', name });
  const deployment = get('apps/v1', 'Deployment', 'web');
  const metadata = deployment?.['metadata'] as { readonly uid: string; readonly generation: number; readonly deletionTimestamp?: string };
  expect(deployment?.['status']).toMatchObject({ availableReplicas: 2, observedGeneration: metadata.generation });
  expect(get('v1', 'ConfigMap', 'labelled')?.['metadata']).toMatchObject({ labels: { 'fairlead.dev/instance': metadata.uid } });
  expect(metadata.uid).not.toBe('a');
  expect(metadata.deletionTimestamp).toBeUndefined();
  expect(get('apps/v1', 'ReplicaSet', 'web-1')?.['metadata']).toMatchObject({ ownerReferences: owner(metadata.uid) });
  expect(get('v1', 'ConfigMap', 'lost')?.['metadata']).not.toHaveProperty('ownerReferences');
});

test('what cannot be loaded is told, and the rest is loaded', async () => {
  const { count, problems } = await loadObjects(server.registry, [
    { apiVersion: 'apps.example.com/v1', kind: 'MyApp', metadata: { name: 'a', namespace: 'default' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'good', namespace: 'default' } },
  ]);
  expect(count).toBe(1);
  expect(problems).toEqual([{ object: 'MyApp default/a', reason: 'the server serves no apps.example.com/v1 MyApp' }]);
});
