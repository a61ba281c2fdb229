import { describe, expect, it } from 'vitest';
import { createTypeTable } from '../../engine/object/type-table.ts';
import { manualClock } from '../host/clock.ts';
import { ApiError } from './api-error.ts';
import type { ApiRequest, KubernetesClient } from './client.ts';
import { clusterTypes, documentedTypes } from './cluster-types.ts';
import { createDiscovery } from './discovery.ts';

const schema = (group: string, version: string, kind: string) => ({
  components: {
    schemas: {
      [`com.example.${version}.${kind}`]: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
        'x-kubernetes-group-version-kind': [{ group, version, kind }],
      },
    },
  },
});
const resources = (name: string, kind: string) => ({
  resources: [
    { name, kind, namespaced: true, verbs: ['get'] },
    { name: `${name}/status`, kind, namespaced: true, verbs: ['get'] },
  ],
});

function open(answers: Record<string, unknown>) {
  const clock = manualClock();
  const asked: string[] = [];
  const request = async ({ path }: ApiRequest) => {
    asked.push(path);
    const body = answers[path];
    if (body instanceof Error) throw body;
    if (body === undefined) throw new ApiError(404, `nothing at ${path}`);
    return { status: 200, body, bytes: 0, warnings: [] };
  };
  const client = { server: 'https://x', request, discovery: createDiscovery(request, clock) } as unknown as KubernetesClient;
  return { client, clock, asked, answers };
}

const server = {
  '/version': { gitVersion: 'v1.37.2' },
  '/openapi/v3': JSON.stringify({
    paths: {
      '.well-known/openid-configuration': { serverRelativeURL: '/openapi/v3/well-known' },
      api: { serverRelativeURL: '/openapi/v3/api' },
      'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=A' },
      'apis/example.com/v1': { serverRelativeURL: '/openapi/v3/apis/example.com/v1?hash=B' },
      'apis/away.io/v1beta1': { serverRelativeURL: '/openapi/v3/apis/away.io/v1beta1' },
    },
  }),
  '/openapi/v3/api/v1?hash=A': schema('', 'v1', 'Thing'),
  '/openapi/v3/apis/example.com/v1?hash=B': schema('example.com', 'v1', 'App'),
  '/openapi/v3/apis/away.io/v1beta1': new ApiError(503, 'away'),
  '/api': { versions: ['v1'] },
  '/api/v1': resources('things', 'Thing'),
  '/apis': { groups: [{ name: 'example.com', preferredVersion: { version: 'v1' }, versions: [{ version: 'v1' }] }] },
  '/apis/example.com/v1': resources('apps', 'App'),
};

describe('types of a live cluster', () => {
  it('are those of its documents, and bear a group that is away', async () => {
    const { client } = open(server);
    const table = createTypeTable(await clusterTypes(client));
    expect(table.kubernetes).toBe('v1.37.2');
    expect(table.kind('example.com', 'v1', 'App')?.fields.has('spec')).toBe(true);
    expect(table.kind('', 'v1', 'Thing')).toBeDefined();
    expect(table.resource('example.com', 'v1', 'apps/status')).toMatchObject({ kind: { kind: 'App' }, namespaced: true });
  });

  it('are asked for group by group', async () => {
    const { client, asked } = open(server);
    const table = createTypeTable(await clusterTypes(client, { wanted: (group) => group === 'example.com' }));
    expect(table.kind('', 'v1', 'Thing')).toBeUndefined();
    expect(table.resource('', 'v1', 'things')).toBeUndefined();
    expect(asked.filter((path) => path.startsWith('/openapi/v3/'))).toEqual(['/openapi/v3/apis/example.com/v1?hash=B']);
  });

  it('are waited for while a server starts, but not for ever', async () => {
    const { client, clock, answers } = open({ ...server, '/openapi/v3': { paths: null } });
    const step = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(250);
    };
    const waiting = clusterTypes(client, { clock });
    await step();
    answers['/openapi/v3'] = server['/openapi/v3'];
    await step();
    expect(Object.keys((await waiting).kinds)).toEqual(['v1/Thing', 'example.com/v1/App']);

    answers['/openapi/v3'] = { paths: null };
    const vain = clusterTypes(client, { clock });
    vain.catch(() => {});
    for (let i = 0; i < 42; i++) await step();
    await expect(vain).rejects.toThrow('https://x publishes no OpenAPI v3 of the core group');
  });
});

it.each(['__proto__', 'constructor'])('a server that names a version %s changes no other object', (version) => {
  const type = { group: '', version, resource: version, kind: 'Thing', namespaced: true, verbs: [], shortNames: [], subresources: [] };
  const { resources } = documentedTypes([], [type]);
  expect(Object.keys(resources)).toEqual([version]);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.hasOwn(Object, version)).toBe(false);
});
