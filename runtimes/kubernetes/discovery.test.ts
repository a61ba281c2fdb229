import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { ApiError } from './api-error.ts';
import type { ApiRequest, ApiResponse, ResourceType } from './client.ts';
import { createDiscovery, whenServed } from './discovery.ts';

type Answers = Record<string, unknown>;

/** Discovery of a server that answers these bodies by path; null is a 404, an Error is thrown. */
function open(answers: Answers) {
  const clock = manualClock();
  const asked: string[] = [];
  const request = async ({ path }: ApiRequest): Promise<ApiResponse> => {
    asked.push(path);
    const body = answers[path];
    if (body instanceof Error) throw body;
    if (body === undefined || body === null) throw new ApiError(404, 'not found');
    return { status: 200, body, bytes: 0, warnings: [] };
  };
  return { discovery: createDiscovery(request, clock), clock, asked, answers };
}

const resourceList = (...resources: readonly object[]) => ({ kind: 'APIResourceList', resources });
const pods: ResourceType = {
  group: '',
  version: 'v1',
  resource: 'pods',
  kind: 'Pod',
  namespaced: true,
  verbs: ['get', 'list'],
  subresources: ['status', 'binding'],
  shortNames: ['po'],
};
const POD_ITEMS = [
  { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list'], shortNames: ['po'] },
  { name: 'pods/status', kind: 'Pod', namespaced: true, verbs: ['get'] },
  { name: 'pods/binding', kind: 'Binding', namespaced: true, verbs: ['create'] },
];

describe('discovery', () => {
  it('asks for one group when a kind of it is first needed', async () => {
    const { discovery, asked, clock } = open({ '/api/v1': resourceList(...POD_ITEMS) });
    expect(discovery.known('v1', 'Pod')).toBeUndefined();
    expect(await Promise.all([discovery.resourceOf('v1', 'Pod'), discovery.resourceOf('v1', 'Pod')])).toEqual([pods, pods]);
    expect(discovery.known('v1', 'Pod')).toEqual(pods);
    expect(asked).toEqual(['/api/v1']);
    clock.advance(30_000);
    expect(discovery.known('v1', 'Pod')).toBeUndefined();
    await discovery.resourceOf('v1', 'Pod');
    expect(asked).toHaveLength(2);
  });

  it('soon asks again for what was not there', async () => {
    const { discovery, asked, clock, answers } = open({});
    expect(await discovery.resourceOf('example.com/v1', 'App')).toBeNull();
    expect(discovery.known('example.com/v1', 'App')).toBeNull();
    answers['/apis/example.com/v1'] = resourceList({ name: 'apps', kind: 'App', namespaced: true, verbs: [] });
    clock.advance(2000);
    expect(discovery.known('example.com/v1', 'App')).toBeUndefined();
    expect(await discovery.resourceOf('example.com/v1', 'App')).toMatchObject({ resource: 'apps' });
    expect(asked).toHaveLength(2);
  });

  it('forgets a group, or all, when it is told to', async () => {
    const { discovery, asked } = open({
      '/api/v1': resourceList(...POD_ITEMS),
      '/apis/a/v1': resourceList(),
      '/apis/b/v1': resourceList(),
    });
    for (const each of ['v1', 'a/v1', 'b/v1']) await discovery.resourceOf(each, 'X');
    discovery.invalidate('a');
    expect([discovery.known('a/v1', 'X'), discovery.known('b/v1', 'X')]).toEqual([undefined, null]);
    discovery.invalidate();
    expect(discovery.known('b/v1', 'X')).toBeUndefined();
    expect(asked).toHaveLength(3);
  });

  it('does not remember an answer to a question from before it was told to forget', async () => {
    const { discovery } = open({ '/apis/a/v1': resourceList() });
    const asked = discovery.resourceOf('a/v1', 'X');
    discovery.invalidate('a');
    expect(await asked).toBeNull();
    expect(discovery.known('a/v1', 'X')).toBeUndefined();
  });

  it('does not remember failures', async () => {
    const { discovery, answers } = open({ '/api/v1': new ApiError(503, 'away') });
    await expect(discovery.resourceOf('v1', 'Pod')).rejects.toThrow('away');
    answers['/api/v1'] = resourceList(...POD_ITEMS);
    expect(await discovery.resourceOf('v1', 'Pod')).toEqual(pods);
  });

  it('refuses what is no list', async () => {
    const { discovery } = open({ '/api/v1': { kind: 'Pod' } });
    await expect(discovery.resourceOf('v1', 'Pod')).rejects.toThrow('not an APIResourceList');
  });

  it('lists everything by two requests where the server aggregates', async () => {
    const version = (name: string, ...resources: readonly object[]) => ({ version: name, resources });
    const resource = (name: string, kind: string, scope: string) => ({
      resource: name,
      responseKind: { group: '', version: '', kind },
      scope,
      verbs: ['get', 'list'],
      subresources: name === 'pods' ? [{ subresource: 'status' }, { subresource: 'binding' }] : [],
      ...(name === 'pods' ? { shortNames: ['po'] } : {}),
    });
    const list = (...items: readonly object[]) => ({ kind: 'APIGroupDiscoveryList', items });
    const { discovery, asked } = open({
      '/api': list({ metadata: {}, versions: [version('v1', resource('pods', 'Pod', 'Namespaced'))] }),
      '/apis': list({
        metadata: { name: 'example.com' },
        versions: [
          version('v2', resource('apps', 'App', 'Cluster')),
          version('v1', resource('apps', 'App', 'Cluster'), resource('olds', 'Old', 'Cluster')),
        ],
      }),
    });
    const all = await discovery.all();
    expect(all.map(({ group, version: at, resource: name }) => `${group}/${at}/${name}`)).toEqual([
      '/v1/pods',
      'example.com/v2/apps',
      'example.com/v1/olds',
    ]);
    expect(all[0]).toEqual(pods);
    await discovery.all();
    expect(asked).toEqual(['/api', '/apis']);
  });

  it('lists everything group by group where it does not, and bears a group that is away', async () => {
    const { discovery } = open({
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/api/v1': resourceList(...POD_ITEMS),
      '/apis': {
        kind: 'APIGroupList',
        groups: [
          { name: 'example.com', preferredVersion: { version: 'v1' }, versions: [{ version: 'v2' }, { version: 'v1' }] },
          { name: 'metrics.k8s.io', preferredVersion: { version: 'v1beta1' }, versions: [{ version: 'v1beta1' }] },
        ],
      },
      '/apis/example.com/v1': resourceList({ name: 'apps', kind: 'App', namespaced: false, verbs: [] }),
      '/apis/example.com/v2': resourceList({ name: 'apps', kind: 'App', namespaced: false, verbs: [] }),
      '/apis/metrics.k8s.io/v1beta1': new ApiError(503, 'away'),
    });
    const all = await discovery.all();
    expect(all.map(({ group, version, resource }) => `${group}/${version}/${resource}`)).toEqual(['/v1/pods', 'example.com/v1/apps']);
  });
});

describe('a kind that was just defined', () => {
  it('is waited for', async () => {
    const { discovery, clock, answers } = open({});
    const waiting = whenServed(discovery, 'example.com/v1', 'App', { timeout: 10_000, clock });
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1000);
    }
    answers['/apis/example.com/v1'] = resourceList({ name: 'apps', kind: 'App', namespaced: true, verbs: [] });
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    expect(await waiting).toMatchObject({ resource: 'apps' });
  });

  it('is not waited for for ever', async () => {
    const { discovery, clock } = open({});
    const waiting = whenServed(discovery, 'example.com/v1', 'App', { timeout: 3000, clock });
    waiting.catch(() => {});
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1000);
    }
    await expect(waiting).rejects.toThrow('does not serve kind App of example.com/v1 after 3000 ms');
  });
});
