import { afterEach, expect, test } from 'vitest';
import { manualClock } from '../../host/clock.ts';
import { type EmbeddedCluster, type EmbeddedClusterOptions, startEmbeddedCluster } from './cluster.ts';

const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
const running: EmbeddedCluster[] = [];
afterEach(() => Promise.all(running.splice(0).map((cluster) => cluster.close())));

async function start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  const cluster = await startEmbeddedCluster({ clock, ...options });
  running.push(cluster);
  return cluster;
}

const names = ({ registry }: EmbeddedCluster, apiVersion: string, kind: string): readonly unknown[] =>
  registry.list(registry.ofKind(apiVersion, kind)!).map(({ metadata }) => (metadata as { readonly name: string }).name);

test('has a node, and moves what a cluster would move', async () => {
  const cluster = await start();
  const { registry } = cluster;
  expect(names(cluster, 'v1', 'Node')).toEqual(['node-1']);
  const containers = [{ name: 'web', image: 'web' }];
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } };
  const spec = { selector: { matchLabels: { app: 'web' } }, template };
  await registry.create(registry.ofKind('apps/v1', 'Deployment')!, { metadata: { namespace: 'default', name: 'web' }, spec });
  await cluster.idle();
  expect(names(cluster, 'v1', 'Pod')).toEqual([expect.stringMatching(/^web-/)]);
});

test('looks after owners and namespaces where there are no workloads', async () => {
  const cluster = await start({ simulation: { workloads: false } });
  const { registry } = cluster;
  const configMaps = registry.ofKind('v1', 'ConfigMap')!;
  const namespaces = registry.ofKind('v1', 'Namespace')!;
  const owner = await registry.create(configMaps, { metadata: { namespace: 'default', name: 'owner' } });
  const { uid } = owner['metadata'] as { readonly uid: string };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
  await registry.create(configMaps, { metadata: { namespace: 'default', name: 'owned', ownerReferences } });
  await registry.create(namespaces, { metadata: { name: 'shop' } });
  await registry.create(configMaps, { metadata: { namespace: 'shop', name: 'prices' } });
  await registry.delete(configMaps, { namespace: 'default', name: 'owner' });
  await registry.delete(namespaces, { name: 'shop' });
  await cluster.idle();
  expect(names(cluster, 'v1', 'Node')).toEqual([]);
  expect(registry.get(configMaps, { namespace: 'default', name: 'owned' })).toBeUndefined();
  expect(registry.get(configMaps, { namespace: 'shop', name: 'prices' })).toBeUndefined();
  expect(registry.get(namespaces, { name: 'shop' })).toBeUndefined();
});
