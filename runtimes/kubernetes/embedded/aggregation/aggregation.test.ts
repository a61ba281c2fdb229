import { createServer as createHttpServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority, issueServerCertificate } from '../../../host/certificates.ts';
import { manualClock } from '../../../host/clock.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { typed, untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { PlainPaths } from '../http/plain-paths.ts';
import { StatusError } from '../status-error.ts';
import { aggregation } from './aggregation.ts';
import type { ApiService } from './api-service.ts';

const API_SERVICES = served('apiregistration.k8s.io/v1', 'apiservices', 'APIService', false);
const SERVICES = served('v1', 'services', 'Service');
const SLICES = served('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice');

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const RESOURCES = {
  kind: 'APIResourceList',
  groupVersion: 'metrics.example.com/v1',
  resources: [
    { name: 'pods', singularName: 'pod', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
    { name: 'pods/status', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get'] },
  ],
};

async function cluster(state: { broken?: boolean } = {}) {
  const authority = createAuthority(Date.now());
  const seen: { readonly url: string; readonly method: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const backend = createServer(issueServerCertificate(authority, ['metrics.system.svc'], Date.now()), (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push({ url: request.url!, method: request.method!, headers: request.headers, body });
      if (state.broken) response.writeHead(500).end();
      else response.writeHead(200, { 'content-type': 'application/json', 'x-other': 'yes' }).end(JSON.stringify(RESOURCES));
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    backend.closeAllConnections();
    return new Promise((resolve) => backend.close(() => resolve()));
  });

  const clock = manualClock();
  const registry = memoryRegistry({ resources: [API_SERVICES, SERVICES, SLICES] });
  const parts = aggregation({ registry, view: clusterView(registry, clock.now), clock });
  open.push(() => parts.close());
  const loop = runControlLoop({ registry, clock, controllers: [parts.controller] });
  open.push(() => loop.close());
  const spec = {
    group: 'metrics.example.com',
    version: 'v1',
    service: { namespace: 'system', name: 'metrics', port: 443 },
    caBundle: Buffer.from(authority.cert).toString('base64'),
  };
  await registry.create(API_SERVICES, untyped({ metadata: { name: 'v1.metrics.example.com' }, spec }));
  const expose = async () => {
    await registry.create(SERVICES, untyped({ metadata: { name: 'metrics', namespace: 'system' }, spec: { ports: [{ port: 443 }] } }));
    const port = (backend.address() as AddressInfo).port;
    const metadata = { name: 'metrics-1', namespace: 'system', labels: { 'kubernetes.io/service-name': 'metrics' } };
    await registry.create(SLICES, untyped({ metadata, endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ port }] }));
    await loop.idle();
  };
  const condition = (name = 'v1.metrics.example.com') => typed<ApiService>(registry.get(API_SERVICES, { name })!).status?.conditions?.[0];
  return { clock, registry, parts, loop, seen, state, expose, condition };
}

describe('an APIService', () => {
  it('is available once its server answers, and not when it stops', async () => {
    const { clock, loop, state, expose, condition } = await cluster();
    await loop.idle();
    expect(condition()).toMatchObject({ type: 'Available', status: 'False', reason: 'ServiceNotFound' });
    await expose();
    expect(condition()).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' });
    state.broken = true;
    clock.advance(30_000);
    await loop.idle();
    expect(condition()).toMatchObject({
      status: 'False',
      reason: 'FailedDiscoveryCheck',
      message: expect.stringContaining('bad status: 500'),
    });
  });

  it('without a service is this server', async () => {
    const { registry, loop, condition } = await cluster();
    await registry.create(API_SERVICES, untyped({ metadata: { name: 'v1.apps' }, spec: { group: 'apps', version: 'v1' } }));
    await loop.idle();
    expect(condition('v1.apps')).toMatchObject({ status: 'True', reason: 'Local' });
  });
});

describe('the proxy', () => {
  async function ask(parts: Awaited<ReturnType<typeof cluster>>['parts'], path: string, headers: Record<string, string> = {}, body = '') {
    const requester = { username: 'jane', groups: ['a', 'b'], extra: { 'Scopes/X': ['y'] } };
    const front = createHttpServer((request, response) => {
      parts.proxy({ request, response, path: request.url!.split('?')[0]!, requester }).then(
        (done) => {
          if (!done) response.writeHead(404).end('not for others');
        },
        (error: unknown) => response.writeHead(error instanceof StatusError ? error.code : 500).end(String(error)),
      );
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => front.close(() => resolve())));
    return new Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }>((resolve, reject) => {
      const { port } = front.address() as AddressInfo;
      const request = httpRequest(
        { host: '127.0.0.1', port, path, method: body === '' ? 'GET' : 'POST', headers: { ...headers, connection: 'close' } },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  it('passes requests on, and says who asks instead of how it was proven', async () => {
    const { parts, seen, expose } = await cluster();
    await expose();
    const headers = { authorization: 'Bearer secret', 'x-remote-user': 'root', 'impersonate-user': 'x', 'x-mine': '1' };
    const answer = await ask(parts, '/apis/metrics.example.com/v1/pods?limit=1', headers, '{"a":1}');
    expect([answer.status, answer.headers['x-other']]).toEqual([200, 'yes']);
    expect(JSON.parse(answer.text)).toEqual(RESOURCES);
    const request = seen.at(-1)!;
    expect(request).toMatchObject({
      url: '/apis/metrics.example.com/v1/pods?limit=1',
      method: 'POST',
      body: '{"a":1}',
      headers: {
        host: 'metrics.system.svc',
        'x-remote-user': 'jane',
        'x-remote-group': 'a, b',
        'x-remote-extra-scopes%2fx': 'y',
        'x-mine': '1',
      },
    });
    expect(request.headers).not.toHaveProperty('authorization');
    expect(request.headers).not.toHaveProperty('impersonate-user');
  });

  it('leaves other groups alone', async () => {
    const { parts, expose } = await cluster();
    await expose();
    expect((await ask(parts, '/apis/apps/v1/deployments')).text).toBe('not for others');
  });

  it('says so while there is nobody to answer', async () => {
    const { parts, loop } = await cluster();
    await loop.idle();
    expect((await ask(parts, '/apis/metrics.example.com/v1/pods')).status).toBe(503);
  });
});

describe('discovery', () => {
  const own: PlainPaths = ({ path, accept, headers }) => {
    if (path !== '/apis') return undefined;
    if (accept === '') return { body: { kind: 'APIGroupList', groups: [{ name: 'apps', versions: [] }] } };
    const body = JSON.stringify({ kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'apps' }, versions: [] }] });
    return headers['if-none-match'] === '"own"' ? { code: 304, body: '' } : { headers: { etag: '"own"' }, body };
  };
  const request = (path: string, accept = '', headers = {}) => ({ path, accept, query: new URLSearchParams(), headers });
  const version = { groupVersion: 'metrics.example.com/v1', version: 'v1' };

  it('has the groups of others that are available', async () => {
    const { parts, expose } = await cluster();
    const merged = parts.discovery(own);
    expect(await merged(request('/apis'))).toEqual({ body: { kind: 'APIGroupList', groups: [{ name: 'apps', versions: [] }] } });
    expect(await merged(request('/apis/metrics.example.com'))).toBeUndefined();
    await expose();
    const group = { name: 'metrics.example.com', versions: [version], preferredVersion: version };
    expect(await merged(request('/apis'))).toEqual({ body: { kind: 'APIGroupList', groups: [{ name: 'apps', versions: [] }, group] } });
    expect(await merged(request('/apis/metrics.example.com'))).toEqual({ body: { kind: 'APIGroup', apiVersion: 'v1', ...group } });
  });

  it('has their resources in the aggregated form, or says that they are not known', async () => {
    const { parts, loop, expose } = await cluster();
    const merged = parts.discovery(own);
    await loop.idle();
    const item = async () => {
      const answer = await merged(request('/apis', 'aggregated', { 'if-none-match': '"own"' }));
      const again = await merged(request('/apis', 'aggregated', { 'if-none-match': answer!.headers!['etag']! }));
      expect(again).toMatchObject({ code: 304, body: '' });
      return (JSON.parse(answer!.body as string) as { readonly items: readonly object[] }).items[1];
    };
    expect(await item()).toEqual({ metadata: { name: 'metrics.example.com' }, versions: [{ version: 'v1', freshness: 'Stale' }] });
    await expose();
    const responseKind = { group: 'metrics.example.com', version: 'v1', kind: 'PodMetrics' };
    expect(await item()).toEqual({
      metadata: { name: 'metrics.example.com' },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'pods',
              responseKind,
              scope: 'Namespaced',
              singularResource: 'pod',
              verbs: ['get', 'list'],
              subresources: [{ subresource: 'status', responseKind, verbs: ['get'] }],
            },
          ],
        },
      ],
    });
  });
});
