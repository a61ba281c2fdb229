import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { createTypeTable } from '../../engine/object/type-table.ts';
import { until } from '../host/until.fixture.ts';
import type { KubernetesClient, ResourceClient, ResourceType } from './client.ts';
import { clusterTypes } from './cluster-types.ts';
import { connect } from './connect.ts';
import { createInformer } from './create-informer.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded/server.ts';
import { createEventRecorder } from './event-recorder.ts';
import { startLeaderElection } from './leader-election.ts';

/** The parts of the client together, against the API server of this house. */
let server: EmbeddedServer;
let client: KubernetesClient;
let configMaps: ResourceClient;

beforeAll(async () => {
  server = await startEmbeddedServer();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-client-'));
  const kubeconfig = join(folder, 'config');
  writeFileSync(kubeconfig, server.kubeconfig);
  client = await connect({ kubeconfig, environment: {} });
  rmSync(folder, { recursive: true });
  configMaps = client.resource(await typeOf('v1', 'ConfigMap'));
});
afterAll(async () => {
  client.close();
  await server.close();
});

async function typeOf(apiVersion: string, kind: string): Promise<ResourceType> {
  const type = await client.discovery.resourceOf(apiVersion, kind);
  if (type === null) throw new Error(`${kind} is not served`);
  return type;
}

const configMap = (name: string, data: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

describe('the client and the embedded server', () => {
  it('agree on every verb', async () => {
    const name = { namespace: 'default', name: 'verbs' };
    const made = await configMaps.create(configMap('verbs', { a: '1' }), { fieldManager: 'test' });
    expect(await configMaps.get(name)).toEqual(made);
    expect(await configMaps.update({ ...made, data: { a: '2' } })).toMatchObject({ data: { a: '2' } });
    await expect(configMaps.update({ ...made, data: { a: '3' } })).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
    expect(await configMaps.patch(name, 'merge', { data: { b: 'x' } })).toMatchObject({ data: { a: '2', b: 'x' } });
    expect(await configMaps.patch(name, 'json', [{ op: 'remove', path: '/data/b' }])).toMatchObject({ data: { a: '2' } });
    expect(await configMaps.patch(name, 'strategic', { data: { c: 'y' } })).toMatchObject({ data: { a: '2', c: 'y' } });
    await expect(configMaps.apply(configMap('verbs', { a: 'z' }), { fieldManager: 'other' })).rejects.toMatchObject({ status: 409 });
    expect(await configMaps.apply(configMap('verbs', { a: 'z' }), { fieldManager: 'other', force: true })).toMatchObject({
      data: { a: 'z', c: 'y' },
    });
    expect((await configMaps.list({ namespace: 'default', fieldSelector: 'metadata.name=verbs' })).items).toHaveLength(1);
    await expect(configMaps.delete(name, { preconditions: { uid: 'another' } })).rejects.toMatchObject({ status: 409 });
    expect(await configMaps.delete(name)).not.toBeNull();
    expect(await configMaps.get(name)).toBeNull();
    expect(await configMaps.delete(name)).toBeNull();
  });

  it('follow each other in a cache, by a streaming list and by a plain one', async () => {
    for (const streams of [true, false]) {
      await Promise.all(['a', 'b', 'c'].map((name) => configMaps.create(configMap(`cached-${name}`, { name }))));
      const informer = createInformer({ client, type: configMaps.type, namespace: 'default', fields: { data: true }, streams });
      try {
        await informer.whenSynced();
        const heard: string[] = [];
        informer.subscribe(({ type, key, initial }) => initial || heard.push(`${type} ${key}`));
        expect(informer.store.get('default/cached-a')).toMatchObject({ data: { name: 'a' } });
        await configMaps.apply(configMap('cached-b', { name: 'new' }), { fieldManager: 'm', force: true });
        await configMaps.delete({ namespace: 'default', name: 'cached-c' });
        await until(() => heard.length === 2);
        expect(heard).toEqual(['modified default/cached-b', 'deleted default/cached-c']);
        expect(informer.failure()).toBeUndefined();
        await configMaps.deleteCollection({ namespace: 'default', fieldSelector: 'metadata.name!=kube-root-ca.crt' });
        await until(() => informer.store.get('default/cached-a') === undefined && informer.store.get('default/cached-b') === undefined);
      } finally {
        informer.close();
      }
    }
  });

  it('elect one leader, and another when it goes', async () => {
    const terms: string[] = [];
    const candidate = (identity: string) =>
      startLeaderElection({
        client,
        namespace: 'default',
        name: 'lock',
        identity,
        // Who goes gives the lease up: nobody waits for its end, which is far off on a busy machine, too.
        leaseDuration: 15_000,
        renewDeadline: 10_000,
        retryPeriod: 50,
        lead(signal) {
          terms.push(`${identity} leads`);
          signal.addEventListener('abort', () => terms.push(`${identity} stops`));
        },
      });
    const first = candidate('one');
    await until(() => terms.length === 1);
    const second = candidate('two');
    await until(() => second.leader === 'one');
    await first.close();
    await until(() => terms.length === 3);
    await second.close();
    expect(terms).toEqual(['one leads', 'one stops', 'two leads', 'two stops']);
  });

  it('tell of objects', async () => {
    const recorder = createEventRecorder({ client, controller: 'fairlead.dev/test', instance: 'test-1' });
    const regarding = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'told' };
    recorder.record({ type: 'Warning', reason: 'Tested', action: 'Test', note: 'it works', regarding });
    await recorder.close();
    expect(recorder.dropped).toBe(0);
    const { items } = await client.resource(await typeOf('events.k8s.io/v1', 'Event')).list({ namespace: 'default' });
    expect(items.filter(({ reason }) => reason === 'Tested')).toMatchObject([
      { note: 'it works', type: 'Warning', regarding: { name: 'told' } },
    ]);
  });

  it('agree on types', async () => {
    const table = createTypeTable(await clusterTypes(client, { wanted: (group) => group === '' || group === 'apps' }));
    expect(table.kubernetes).toMatch(/^v1\./);
    expect(table.kind('apps', 'v1', 'Deployment')?.fields.has('spec')).toBe(true);
    expect(table.resource('apps', 'v1', 'deployments')).toMatchObject({ kind: { group: 'apps', kind: 'Deployment' }, namespaced: true });
    expect(table.kind('batch', 'v1', 'Job')).toBeUndefined();
  });
});
