import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { until } from '../host/until.fixture.ts';
import type { KubernetesClient } from './client.ts';
import { urlConnection } from './connect.ts';
import { createInformer, type InformerOptions } from './create-informer.ts';
import type { Informer } from './informer.ts';
import { createKubernetesClient } from './kubernetes-client.ts';
import { type ModelApi, type ModelApiOptions, PODS, refuse, startModelApi } from './model-api.fixture.ts';

let api: ModelApi;
let client: KubernetesClient;
let clock: ManualClock;
let informers: Informer[];

async function start(options: ModelApiOptions = {}): Promise<void> {
  api = await startModelApi(options);
  clock = manualClock();
  client = createKubernetesClient({ connection: urlConnection(api.url), clock, random: () => 0 });
}
beforeEach(() => {
  informers = [];
});
afterEach(async () => {
  for (const informer of informers) informer.close();
  client.close();
  await api.close();
});

function follow(options: Partial<InformerOptions> = {}): { readonly informer: Informer; readonly heard: string[] } {
  const informer = createInformer({ client, type: PODS, clock, random: () => 0, ...options });
  informers.push(informer);
  const heard: string[] = [];
  informer.subscribe(({ type, key, initial, finalStateUnknown }) =>
    heard.push(`${type} ${key}${initial ? ' initially' : ''}${finalStateUnknown ? ' unseen' : ''}`),
  );
  return { informer, heard };
}

const content = (informer: Informer): Map<string, unknown> =>
  new Map([...informer.store.list()].map((object) => [(object['metadata'] as { name: string }).name, object]));
const truth = (): Map<string, unknown> =>
  new Map([...api.objects.values()].map((object) => [(object['metadata'] as { name: string }).name, object]));

describe('an informer', () => {
  it('lists by a stream and follows it, by one request', async () => {
    await start();
    api.put('a');
    const { informer, heard } = follow();
    expect(informer.synced).toBe(false);
    await informer.whenSynced();
    expect(informer.failure()).toBeUndefined();
    api.put('b');
    api.put('a', { spec: { x: 1 } });
    api.remove('b');
    await until(() => heard.length === 4);
    expect(heard).toEqual(['added shop/a initially', 'added shop/b', 'modified shop/a', 'deleted shop/b']);
    expect(content(informer)).toEqual(truth());
    expect(api.requests).toEqual(['watch sendInitialEvents=true']);
  });

  it('lists where the server does no streams', async () => {
    await start({ streams: false });
    api.put('a');
    const { informer, heard } = follow();
    await informer.whenSynced();
    api.put('b');
    await until(() => heard.length === 2);
    expect(api.requests).toEqual(['watch sendInitialEvents=true', 'list resourceVersion=0 limit=500', 'watch resourceVersion=2']);
    expect(content(informer)).toEqual(truth());
  });

  it('goes on after the end of a watch from the last version, which may be a bookmark', async () => {
    await start();
    const { informer, heard } = follow();
    await informer.whenSynced();
    api.put('a');
    api.mute(true);
    api.put('other');
    api.mute(false);
    api.remove('other');
    await until(() => heard.length === 1);
    api.bookmark();
    await until(() => informer.store.resourceVersion === '4');
    api.end();
    await until(() => api.requests.length === 2);
    expect(api.requests[1]).toBe('watch resourceVersion=4');
  });

  it('tells late subscribers what is there', async () => {
    await start();
    api.put('a');
    const { informer } = follow();
    await informer.whenSynced();
    const heard: string[] = [];
    const stop = informer.subscribe(({ type, key, initial }) => heard.push(`${type} ${key} ${initial}`));
    expect(heard).toEqual(['added shop/a true']);
    stop();
    api.put('b');
    await until(() => informer.store.size === 2);
    expect(heard).toHaveLength(1);
  });

  it('does not let one handler keep changes from another', async () => {
    await start();
    const logged: string[] = [];
    const { informer, heard } = follow({ log: (_, message) => logged.push(message) });
    informer.subscribe(() => {
      throw new Error('bug');
    });
    informers.push(informer);
    const late: string[] = [];
    informer.subscribe(({ key }) => late.push(key));
    await informer.whenSynced();
    api.put('a');
    await until(() => late.length === 1);
    expect(heard).toEqual(['added shop/a']);
    expect(logged).toEqual(['a handler of changes failed']);
  });

  it('keeps what the projection leaves, from lists and from watches', async () => {
    await start({ streams: false });
    api.put('a', { spec: { nodeName: 'n', secret: 's' } });
    const { informer, heard } = follow({
      project: ({ metadata, spec }) => ({ metadata: metadata!, node: (spec as { nodeName: string }).nodeName }),
    });
    await informer.whenSynced();
    api.put('b', { spec: { nodeName: 'm' } });
    await until(() => heard.length === 2);
    expect([...informer.store.list()].map(({ metadata: _, ...rest }) => rest)).toEqual([{ node: 'n' }, { node: 'm' }]);
  });

  it('lets the projection see all, unless less is asked for', async () => {
    await start();
    api.put('a', { spec: { x: 1, y: 2 }, metadata: { name: 'a', uid: 'u', managedFields: [{}] } });
    const seen: string[] = [];
    const note = (object: JsonObject): JsonObject => {
      seen.push(JSON.stringify(object));
      return object;
    };
    await follow({ project: note }).informer.whenSynced();
    await follow({ project: note, fields: { spec: { x: true } } }).informer.whenSynced();
    expect(seen).toEqual([
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u","managedFields":[{}]},"spec":{"x":1,"y":2}}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"spec":{"x":1}}',
    ]);
  });

  it('leaves managedFields out where nothing else is asked for', async () => {
    await start();
    api.put('a', { metadata: { name: 'a', namespace: 'shop', resourceVersion: '2', managedFields: [{}] } });
    const { informer } = follow();
    await informer.whenSynced();
    expect(informer.store.get('shop/a')).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'shop', resourceVersion: '2' },
    });
  });

  it('says why nothing comes, and that something comes again', async () => {
    await start();
    api.faults.push(refuse(403, 'Forbidden', 'pods is forbidden'), refuse(403, 'Forbidden', 'pods is forbidden'));
    const { informer } = follow({ namespace: undefined });
    await until(() => informer.failure() !== undefined);
    expect(informer.failure()).toBe(
      'cannot list pods: pods is forbidden (verb list on pods is missing: allow it by a ClusterRole and ClusterRoleBinding with the rule ' +
        '{apiGroups: [""], resources: ["pods"], verbs: ["list"]})',
    );
    expect(informer.synced).toBe(false);
    clock.advance(800);
    await informer.whenSynced();
    expect(informer.failure()).toBeUndefined();
  });

  it('can be waited for no longer', async () => {
    await start();
    api.faults.push(refuse(503, 'ServiceUnavailable'));
    const { informer } = follow();
    const stop = new AbortController();
    const waiting = informer.whenSynced(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow('given up');
    const other = informer.whenSynced();
    informer.close();
    await expect(other).rejects.toThrow('closed');
    await expect(informer.whenSynced()).rejects.toThrow('given up');
    await until(() => clock.pending() === 0);
  });

  it('leaves no connection open when it is closed', async () => {
    await start();
    const { informer } = follow();
    await informer.whenSynced();
    expect(api.openWatches).toBe(1);
    informer.close();
    await until(() => api.openWatches === 0);
    expect(clock.pending()).toBe(0);
  });
});
