import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../engine/object/json.ts';
import type { NetworkNeeds } from '../../../engine/rules/network/program.ts';
import { type ManualClock, manualClock } from '../../host/clock.ts';
import { until } from '../../host/until.fixture.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { urlConnection } from '../../kubernetes/connect.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../../kubernetes/embedded/server.ts';
import { createKubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { clusterNetworkFacts } from './cluster-network-facts.ts';

const SIGNAL = new AbortController().signal;
const none: NetworkNeeds = { objects: [], queries: [] };

describe('facts of a cluster', () => {
  let server: EmbeddedServer;
  let client: KubernetesClient;
  let clock: ManualClock;
  let source: ReturnType<typeof clusterNetworkFacts>;
  beforeAll(async () => {
    server = await startEmbeddedServer();
    client = createKubernetesClient({ connection: urlConnection(server.url) });
  });
  afterAll(async () => {
    client.close();
    await server.close();
  });
  beforeEach(() => {
    clock = manualClock();
    source = clusterNetworkFacts({ client, nodeName: 'n1', clock });
  });
  afterEach(() => source.close());

  const resource = async (kind: string) => client.resource((await client.discovery.resourceOf('v1', kind))!);
  const write = async (kind: string, name: string, fields: JsonObject, namespace?: string): Promise<void> => {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...((fields['metadata'] ?? {}) as JsonObject) };
    const api = await resource(kind);
    await api.delete({ name, namespace }).catch(() => undefined);
    await api.create({ apiVersion: 'v1', kind, ...fields, metadata });
  };
  const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', name });
  const labels = (objects: readonly JsonObject[] | undefined) => objects?.map((each) => (each['metadata'] as JsonObject)['name']);

  it('knows nothing that was not asked for', () => {
    expect(source.facts.nodeName).toBe('n1');
    expect(source.facts.object(node('n1'))).toBeUndefined();
    expect(source.facts.objects({ apiVersion: 'v1', kind: 'Node', labelSelector: '' })).toBeUndefined();
  });

  it('asks the kubelet for the devices of a pod, by the id that it knows the pod by', async () => {
    const asked: unknown[] = [];
    source.close();
    source = clusterNetworkFacts({
      client,
      nodeName: 'n1',
      clock,
      podDevices: async (pod) => {
        asked.push(pod);
        return { 'example.com/nic': ['1'] };
      },
    });
    const spec = { containers: [{ name: 'a', image: 'b' }] };
    await write('Pod', 'plain', { spec }, 'default');
    await write('Pod', 'mirror', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'hash' } }, spec }, 'default');
    const of = (name: string) => ({ apiVersion: 'node.fairlead.dev/v1', kind: 'PodResources', namespace: 'default', name });
    const pod = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name });
    expect(source.facts.object(of('plain'))).toBeUndefined();
    await source.learn({ ...none, objects: [pod('plain'), pod('mirror')] }, SIGNAL);
    await source.learn({ ...none, objects: [of('plain'), of('mirror'), of('unknown')] }, SIGNAL);
    const uid = ((source.facts.object(pod('plain')) as JsonObject)['metadata'] as JsonObject)['uid'];
    expect(asked).toEqual([
      { namespace: 'default', name: 'plain', uid },
      { namespace: 'default', name: 'mirror', uid: 'hash' },
      { namespace: 'default', name: 'unknown', uid: '' },
    ]);
    expect(source.facts.object(of('plain'))).toMatchObject({ metadata: { name: 'plain' }, resources: { 'example.com/nic': ['1'] } });
    // Another attempt of the pod may find others.
    clock.advance(1000);
    expect(source.facts.object(of('plain'))).toBeUndefined();
  });

  it('follows objects by label, in the order of their names, and tells of changes', async () => {
    for (const name of ['b', 'a', 'c']) await write('Node', name, { metadata: { labels: { zone: name === 'c' ? 'y' : 'x' } } });
    const query = { apiVersion: 'v1', kind: 'Node', labelSelector: 'zone=x' };
    let changes = 0;
    source.onChange(() => changes++);
    await source.learn({ ...none, queries: [query] }, SIGNAL);
    expect(labels(source.facts.objects(query))).toEqual(['a', 'b']);
    expect(source.facts.objects(query)).toBe(source.facts.objects(query));
    expect(changes).toBe(0);
    await write('Node', 'd', { metadata: { labels: { zone: 'x' } } });
    await until(() => changes > 0);
    expect(labels(source.facts.objects(query))).toEqual(['a', 'b', 'd']);
  });

  it('follows an object by name, also one that comes later', async () => {
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'net' };
    await source.learn({ ...none, objects: [reference] }, SIGNAL);
    expect(source.facts.object(reference)).toBeNull();
    await write('ConfigMap', 'net', { data: { a: '1' } }, 'default');
    await until(() => source.facts.object(reference) !== null);
    expect((source.facts.object(reference) as JsonObject)['data']).toEqual({ a: '1' });
    await write('ConfigMap', 'other', {}, 'default');
    expect((source.facts.object(reference) as JsonObject)['metadata']).toMatchObject({ name: 'net' });
  });

  it('asks for a pod when it is attached, and again later', async () => {
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web' };
    const pod = (value: string) =>
      write('Pod', 'web', { metadata: { annotations: { a: value } }, spec: { containers: [{ name: 'a', image: 'b' }] } }, 'default');
    await source.learn({ ...none, objects: [reference] }, SIGNAL);
    expect(source.facts.object(reference)).toBeNull();
    await pod('1');
    clock.advance(1001);
    expect(source.facts.object(reference)).toBeUndefined();
    await source.learn({ ...none, objects: [reference] }, SIGNAL);
    expect((source.facts.object(reference) as JsonObject)['metadata']).toMatchObject({ annotations: { a: '1' } });
  });

  it('knows that a kind is not there, for a while', async () => {
    const reference = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'x' };
    const query = { apiVersion: 'example.com/v1', kind: 'Thing', labelSelector: '' };
    await source.learn({ objects: [reference], queries: [query] }, SIGNAL);
    expect(source.facts.object(reference)).toBeNull();
    expect(source.facts.objects(query)).toEqual([]);
    clock.advance(10_001);
    expect(source.facts.objects(query)).toBeUndefined();
  });

  it.each([
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' },
    { apiVersion: 'v1', kind: 'Node', name: '' },
  ])('has none that cannot be: %j', async (reference) => {
    await source.learn({ ...none, objects: [reference] }, SIGNAL);
    expect(source.facts.object(reference)).toBeNull();
  });

  it('says when the cluster does not answer in time, and what it said', async () => {
    const away = createKubernetesClient({ connection: urlConnection('http://127.0.0.1:1') });
    // The kinds are known; it is the watch that fails.
    const half = { ...away, discovery: client.discovery, resource: away.resource.bind(away) } as KubernetesClient;
    const lost = clusterNetworkFacts({ client: half, nodeName: 'n1', clock });
    const learning = lost.learn({ ...none, queries: [{ apiVersion: 'v1', kind: 'Node', labelSelector: '' }] }, SIGNAL);
    const failed = expect(learning).rejects.toThrow(/Node objects: cannot watch nodes: nothing listens at/);
    // Two wait: who asked, and the watch for its next attempt.
    await until(() => clock.pending() === 2);
    clock.advance(10_000);
    await failed;
    lost.close();
    away.close();
  });

  it('gives up with the invocation', async () => {
    const gone = new AbortController();
    gone.abort();
    const learning = source.learn({ ...none, objects: [node('zzz')] }, gone.signal);
    await expect(learning).rejects.toThrow('the time was up');
  });
});
