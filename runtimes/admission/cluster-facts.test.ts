import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { createKubernetesClient, type KubernetesClientOptions } from '../kubernetes/kubernetes-client.ts';
import { clusterFacts } from './cluster-facts.ts';

type Handler = (
  request: { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string },
  response: ServerResponse,
) => unknown;

let server: Server;
let handler: Handler;
let requests: string[];
const clients: KubernetesClient[] = [];
const never = new AbortController().signal;

const DISCOVERY: Readonly<Record<string, unknown>> = {
  '/api/v1': {
    resources: [
      { name: 'namespaces', kind: 'Namespace', namespaced: false },
      { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
      { name: 'pods', kind: 'Pod', namespaced: true },
      { name: 'pods/status', kind: 'Pod', namespaced: true },
    ],
  },
};

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const url = request.url!;
      requests.push(`${request.method} ${url}`);
      const answer = DISCOVERY[url] ?? handler({ url, headers: request.headers, body }, response);
      if (answer === undefined) return;
      const status = answer === null ? 404 : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { kind: 'Status', message: 'not found' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(options: Partial<KubernetesClientOptions> = {}) {
  const clock = manualClock();
  const connection = urlConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = createKubernetesClient({ connection, clock, ...options });
  clients.push(client);
  return { facts: clusterFacts(client, { ttl: 1000, clock }), client, clock };
}

describe('facts of a live cluster', () => {
  it('are fetched once, known for a while, then fetched again', async () => {
    const namespace = { metadata: { name: 'shop', labels: { team: 'a' } } };
    handler = ({ url }) => (url === '/api/v1/namespaces/shop' ? namespace : null);
    const { facts, clock } = await open();
    expect(facts.known.namespace('shop')).toBeUndefined();
    expect(await Promise.all([facts.namespace('shop', never), facts.namespace('shop', never)])).toEqual([namespace, namespace]);
    expect(facts.known.namespace('shop')).toEqual(namespace);
    expect(await facts.namespace('gone', never)).toBeNull();
    expect(facts.known.namespace('gone')).toBeNull();
    expect(requests).toEqual(['GET /api/v1', 'GET /api/v1/namespaces/shop', 'GET /api/v1/namespaces/gone']);
    clock.advance(1000);
    expect(facts.known.namespace('shop')).toBeUndefined();
  });

  it('name objects and kinds as URLs need them', async () => {
    handler = ({ url }) =>
      url === '/apis/example.com/v1' ? { resources: [{ name: 'limits', kind: 'Limit', namespaced: false }] } : { url };
    const { facts } = await open();
    const object = (apiVersion: string, kind: string, namespace: string | undefined, name: string) =>
      facts.object({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }, never);
    expect(await object('v1', 'ConfigMap', 'a/b', 'c d')).toEqual({ url: '/api/v1/namespaces/a%2Fb/configmaps/c%20d' });
    expect(await object('example.com/v1', 'Limit', 'ignored', 'x')).toEqual({ url: '/apis/example.com/v1/limits/x' });
    expect(facts.known.scope!('example.com/v1', 'Limit')).toBe('Cluster');
    expect(facts.known.scope!('v1', 'Pod')).toBe('Namespaced');
    expect(facts.known.serves!('v1', 'Pod')).toBe(true);
    expect(facts.known.serves!('v1', 'Nothing')).toBe(false);
    expect(facts.known.serves!('other.io/v1', 'Thing')).toBeUndefined();
    expect(await object('v1', 'Nothing', 'a', 'b')).toBeNull();
    handler = () => null;
    expect(await object('gone.io/v1', 'Thing', 'a', 'b')).toBeNull();
    expect(facts.known.serves!('gone.io/v1', 'Thing')).toBe(false);
  });

  it('are lists page by page, with a selector', async () => {
    handler = ({ url }) => {
      const { searchParams } = new URL(url, 'http://x');
      expect(searchParams.get('labelSelector')).toBe('a in (b, c)');
      return searchParams.get('continue') === null
        ? { items: [{ metadata: { name: 'one' } }], metadata: { continue: 'next+page' } }
        : { items: [{ metadata: { name: searchParams.get('continue') } }], metadata: {} };
    };
    const { facts } = await open();
    const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', labelSelector: 'a in (b, c)' };
    expect(await facts.list(query, never)).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'next+page' } },
    ]);
    expect(facts.known.list(query)).toHaveLength(2);
    expect(requests[1]).toMatch(/^GET \/api\/v1\/namespaces\/shop\/configmaps\?limit=500&labelSelector=a\+in/);
  });

  it('are answers of SubjectAccessReviews', async () => {
    let asked: unknown;
    handler = ({ body }) => {
      asked = JSON.parse(body);
      return { status: { allowed: false, reason: 'no rule', evaluationError: 'role gone' } };
    };
    const { facts } = await open();
    const user = { username: 'ann', groups: ['g'], extra: { scopes: ['s'] } };
    const attributes = {
      user,
      verb: 'get',
      group: 'apps',
      resource: 'deployments',
      subresource: 'scale',
      namespace: 'shop',
      name: 'web',
      labelSelector: 'a=b',
    };
    expect(await facts.authorize(attributes, never)).toEqual({ allowed: false, reason: 'no rule', error: 'role gone' });
    expect(asked).toEqual({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'ann',
        groups: ['g'],
        extra: { scopes: ['s'] },
        resourceAttributes: {
          namespace: 'shop',
          verb: 'get',
          group: 'apps',
          resource: 'deployments',
          subresource: 'scale',
          name: 'web',
          labelSelector: { rawSelector: 'a=b' },
        },
      },
    });
    expect(facts.known.authorize(attributes)?.allowed).toBe(false);
    expect(facts.known.authorize({ ...attributes, user: { ...user, username: 'bob' } })).toBeUndefined();
    handler = ({ body }) => {
      asked = JSON.parse(body);
      return { status: { allowed: true } };
    };
    expect(await facts.authorize({ user, verb: 'get', path: '/healthz' }, never)).toEqual({ allowed: true, reason: '' });
    expect(asked).toMatchObject({ spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } } });
  });
});

describe('what the API server does not answer', () => {
  it.each([
    [
      'a refusal',
      (_: unknown, response: ServerResponse) => void response.writeHead(403).end('{"message":"forbidden: no RBAC"}'),
      'forbidden: no RBAC',
    ],
    [
      'a refusal without words',
      (_: unknown, response: ServerResponse) => void response.writeHead(500).end('<html>'),
      'the API server answered 500',
    ],
    ['no JSON', (_: unknown, response: ServerResponse) => void response.writeHead(200).end('{'), 'not valid JSON'],
    [
      'an answer cut off',
      (_: unknown, response: ServerResponse) =>
        void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
      'aborted',
    ],
    [
      'too large an answer',
      (_: unknown, response: ServerResponse) => void response.writeHead(200).end('x'.repeat(3000)),
      'larger than 2000 bytes',
    ],
    ['something else', () => [1], 'not an object'],
  ])('is an error, and is not remembered: %s', async (_, answer, message) => {
    handler = answer as Handler;
    const { facts } = await open({ maxResponseBytes: 2000 });
    await expect(facts.namespace('shop', never)).rejects.toThrow(message);
    expect(facts.known.namespace('shop')).toBeUndefined();
    handler = () => ({ metadata: {} });
    expect(await facts.namespace('shop', never)).toEqual({ metadata: {} });
  });

  it('has a deadline, and callers may give up before', async () => {
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    handler = () => {
      arrive();
      return undefined;
    };
    const { facts, clock } = await open({ timeout: 5000 });
    const controller = new AbortController();
    const patient = facts.namespace('shop', never);
    const hasty = facts.namespace('shop', controller.signal);
    await arrived;
    controller.abort();
    await expect(hasty).rejects.toThrow('given up');
    clock.advance(5000);
    await expect(patient).rejects.toThrow('no answer within 5000 ms');
    expect(clock.pending()).toBe(0);
    await expect(facts.namespace('other', AbortSignal.abort())).rejects.toThrow('given up');
  });

  it('is not asked without bound', async () => {
    const { facts } = await open({ maxPending: 2 });
    handler = () => ({ resources: [] });
    const all = await Promise.allSettled(
      ['a/v1', 'b/v1', 'c/v1'].map((apiVersion) => facts.object({ apiVersion, kind: 'X', name: 'x' }, never)),
    );
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
