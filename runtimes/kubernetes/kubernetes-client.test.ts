import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../host/certificates.ts';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { authority, loopbackTls } from '../host/loopback.fixture.ts';
import { until } from '../host/until.fixture.ts';
import { ApiError, ConnectionError, failureText } from './api-error.ts';
import type { KubernetesClient, ResourceType, WatchEvent } from './client.ts';
import { urlConnection } from './connect.ts';
import type { Connection, Credential, Credentials } from './connection.ts';
import { createKubernetesClient, type KubernetesClientOptions } from './kubernetes-client.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  readonly body: string;
}
type Handler = (request: Received, response: ServerResponse) => unknown;

/** What the servers of a test were asked, in order. */
let received: Received[] = [];
const servers: Server[] = [];
const clients: KubernetesClient[] = [];
afterEach(async () => {
  received = [];
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** What the handler returns is answered as JSON; null is a 404, undefined leaves the answer to the handler. */
async function serve(handler: Handler, secure = false): Promise<string> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders: raw } = request;
      const asked = { method, url, headers, raw, body: Buffer.concat(chunks).toString() };
      received.push(asked);
      const answer = handler(asked, response);
      if (answer === undefined) return;
      response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { kind: 'Status', reason: 'NotFound', message: 'not found', code: 404 }));
    });
  };
  const { cert, key } = loopbackTls().current();
  const server = secure ? createTlsServer({ cert, key }, listener) : createServer(listener);
  servers.push(server as Server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(server: string, options: Partial<KubernetesClientOptions> = {}, connection: Partial<Connection> = {}) {
  const clock: ManualClock = manualClock();
  const client = createKubernetesClient({ connection: { ...urlConnection(server), ...connection }, clock, random: () => 0, ...options });
  clients.push(client);
  return { client, clock };
}

const DEPLOYMENTS: ResourceType = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
  verbs: [],
  subresources: [],
};
const NODES: ResourceType = { ...DEPLOYMENTS, group: '', resource: 'nodes', kind: 'Node', namespaced: false };
const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } };
const answerStatus =
  (code: number, status: object = {}, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    void response
      .writeHead(code, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ kind: 'Status', code, ...status }));

/** What is asked, the request line, and the type and body that are sent. */
type Verb = readonly [string, (client: KubernetesClient) => Promise<unknown>, string, string?, unknown?];
const VERBS: readonly Verb[] = [
  ['get', (c) => c.resource(DEPLOYMENTS).get({ namespace: 'shop', name: 'web' }), 'GET /apis/apps/v1/namespaces/shop/deployments/web'],
  ['get of a cluster-scoped object', (c) => c.resource(NODES).get({ name: 'n/1' }), 'GET /api/v1/nodes/n%2F1'],
  [
    'get of a subresource',
    (c) => c.resource(DEPLOYMENTS).get({ namespace: 'shop', name: 'web' }, { subresource: 'scale' }),
    'GET /apis/apps/v1/namespaces/shop/deployments/web/scale',
  ],
  [
    'list',
    (c) =>
      c
        .resource(DEPLOYMENTS)
        .list({ namespace: 'shop', labelSelector: 'a in (b)', fieldSelector: 'metadata.name=x', resourceVersion: '5' }),
    'GET /apis/apps/v1/namespaces/shop/deployments?limit=500&labelSelector=a+in+%28b%29&fieldSelector=metadata.name%3Dx&resourceVersion=5',
  ],
  ['list of everything at once', (c) => c.resource(DEPLOYMENTS).list({ limit: 0 }), 'GET /apis/apps/v1/deployments'],
  [
    'create',
    (c) => c.resource(DEPLOYMENTS).create(web, { fieldManager: 'm', dryRun: true, fieldValidation: 'Strict' }),
    'POST /apis/apps/v1/namespaces/shop/deployments?fieldManager=m&fieldValidation=Strict&dryRun=All',
    'application/json',
    web,
  ],
  ['update', (c) => c.resource(DEPLOYMENTS).update(web), 'PUT /apis/apps/v1/namespaces/shop/deployments/web', 'application/json', web],
  [
    'update of the status',
    (c) => c.resource(DEPLOYMENTS).update(web, { subresource: 'status' }),
    'PUT /apis/apps/v1/namespaces/shop/deployments/web/status',
    'application/json',
    web,
  ],
  [
    'JSON patch',
    (c) => c.resource(DEPLOYMENTS).patch({ namespace: 'shop', name: 'web' }, 'json', [{ op: 'remove', path: '/a' }]),
    'PATCH /apis/apps/v1/namespaces/shop/deployments/web',
    'application/json-patch+json',
    [{ op: 'remove', path: '/a' }],
  ],
  [
    'merge patch',
    (c) => c.resource(DEPLOYMENTS).patch({ namespace: 'shop', name: 'web' }, 'merge', { a: null }),
    'PATCH /apis/apps/v1/namespaces/shop/deployments/web',
    'application/merge-patch+json',
    { a: null },
  ],
  [
    'strategic merge patch',
    (c) => c.resource(DEPLOYMENTS).patch({ namespace: 'shop', name: 'web' }, 'strategic', {}),
    'PATCH /apis/apps/v1/namespaces/shop/deployments/web',
    'application/strategic-merge-patch+json',
    {},
  ],
  [
    'server-side apply',
    (c) => c.resource(DEPLOYMENTS).apply(web, { fieldManager: 'fairlead/app', force: true }),
    'PATCH /apis/apps/v1/namespaces/shop/deployments/web?fieldManager=fairlead%2Fapp&force=true',
    'application/apply-patch+yaml',
    web,
  ],
  [
    'delete',
    (c) =>
      c
        .resource(DEPLOYMENTS)
        .delete(
          { namespace: 'shop', name: 'web' },
          { preconditions: { uid: 'u' }, propagationPolicy: 'Foreground', gracePeriodSeconds: 0, dryRun: true },
        ),
    'DELETE /apis/apps/v1/namespaces/shop/deployments/web',
    'application/json',
    {
      apiVersion: 'meta.k8s.io/v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 0,
      dryRun: ['All'],
    },
  ],
  [
    'delete of a collection',
    (c) => c.resource(DEPLOYMENTS).deleteCollection({ namespace: 'shop', labelSelector: 'a=b' }),
    'DELETE /apis/apps/v1/namespaces/shop/deployments?labelSelector=a%3Db',
    'application/json',
    { apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions' },
  ],
  [
    'a subresource that takes requests',
    (c) => c.resource(DEPLOYMENTS).post({ namespace: 'shop', name: 'web' }, 'eviction', { kind: 'Eviction' }),
    'POST /apis/apps/v1/namespaces/shop/deployments/web/eviction',
    'application/json',
    { kind: 'Eviction' },
  ],
];

describe('verbs', () => {
  for (const [name, act, line, type, body] of VERBS) {
    it(name, async () => {
      const { client } = open(await serve(() => ({})));
      await act(client);
      const [asked] = received;
      expect(`${asked!.method} ${asked!.url}`).toBe(line);
      expect(asked!.headers['content-type']).toBe(type);
      expect(asked!.body === '' ? undefined : JSON.parse(asked!.body)).toEqual(body);
    });
  }

  it('answer null for what is not there', async () => {
    const { client } = open(await serve(() => null));
    expect(await client.resource(DEPLOYMENTS).get({ namespace: 'shop', name: 'web' })).toBeNull();
    expect(await client.resource(DEPLOYMENTS).delete({ namespace: 'shop', name: 'web' })).toBeNull();
  });

  it('refuse names that would lead to another path', () => {
    const { client } = open('http://127.0.0.1:1');
    expect(() => client.resource(DEPLOYMENTS).update({ metadata: { name: 'web' } })).toThrow('needs a namespace');
    expect(() => client.resource(DEPLOYMENTS).update({ metadata: { namespace: 'shop' } })).toThrow('a name is needed');
    expect(() => client.resource(DEPLOYMENTS).create({ metadata: { name: 'web' } })).toThrow('needs a namespace');
  });

  it('keep integers beyond 2^53, both ways', async () => {
    let sent = '';
    const { client } = open(
      await serve(({ body }, response) => {
        sent = body;
        response.end('{"metadata":{},"spec":{"big":9007199254740993}}');
      }),
    );
    const answer = await client.resource(NODES).update({ metadata: { name: 'n' }, spec: { big: 9007199254740993n } });
    expect(answer['spec']).toEqual({ big: 9007199254740993n });
    expect(sent).toContain('"big":9007199254740993');
  });
});

describe('lists', () => {
  it('are read page by page, and named as a GET would', async () => {
    const urls: string[] = [];
    const { client } = open(
      await serve(({ url }) => {
        urls.push(url);
        return url.includes('continue')
          ? { items: [{ metadata: { name: 'b' } }], metadata: { resourceVersion: '7' } }
          : { items: [{ metadata: { name: 'a' } }], metadata: { resourceVersion: '7', continue: 'more' } };
      }),
    );
    expect(await client.resource(DEPLOYMENTS).list({ resourceVersion: '5', resourceVersionMatch: 'NotOlderThan' })).toEqual({
      items: [
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } },
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'b' } },
      ],
      resourceVersion: '7',
    });
    expect(urls[1]).toBe('/apis/apps/v1/deployments?limit=500&continue=more');
  });

  it('are read in one piece when a page has expired', async () => {
    const urls: string[] = [];
    const { client } = open(
      await serve(({ url }, response) => {
        urls.push(url);
        if (url.includes('continue')) return answerStatus(410, { reason: 'Expired' })({} as Received, response);
        return { items: [{ metadata: {} }], metadata: { resourceVersion: '7', ...(url.includes('limit') ? { continue: 'more' } : {}) } };
      }),
    );
    expect((await client.resource(DEPLOYMENTS).list()).items).toHaveLength(1);
    expect(urls.map((url) => url.replace('/apis/apps/v1/deployments', ''))).toEqual(['?limit=500', '?limit=500&continue=more', '']);
  });

  it('may be empty, and have a limit', async () => {
    const { client } = open(await serve(({ url }) => ({ items: url.includes('nodes') ? null : [{}, {}, {}], metadata: {} })));
    expect((await client.resource(NODES).list()).items).toEqual([]);
    await expect(client.resource(DEPLOYMENTS).list({ maxObjects: 2 })).rejects.toThrow('there are more than 2 objects of kind Deployment');
  });
});

describe('refusals', () => {
  it('say what the server says, and more where it is known', async () => {
    const status = {
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict',
      details: {
        name: 'web',
        group: 'apps',
        kind: 'deployments',
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "x"', field: '.spec' }],
      },
    };
    const { client } = open(await serve(answerStatus(409, status)));
    const error = (await client
      .resource(DEPLOYMENTS)
      .update(web)
      .catch((caught: unknown) => caught)) as ApiError;
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, reason: 'Conflict', message: 'Apply failed with 1 conflict', details: status.details });
    expect(error.hasCause('FieldManagerConflict')).toBe(true);
  });

  it.each<readonly [string, (client: KubernetesClient) => Promise<unknown>, string]>([
    [
      'list',
      (c) => c.resource(DEPLOYMENTS).list(),
      'verb list on deployments.apps is missing: allow it by a ClusterRole and ClusterRoleBinding with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}',
    ],
    [
      'get',
      (c) => c.resource(DEPLOYMENTS).get({ namespace: 'shop', name: 'web' }),
      'verb get on deployments.apps is missing: allow it by a Role and RoleBinding in namespace shop with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"]}',
    ],
    [
      'a subresource',
      (c) => c.resource(DEPLOYMENTS).update(web, { subresource: 'status' }),
      'verb update on deployments.apps/status is missing: allow it by a Role and RoleBinding in namespace shop with the rule {apiGroups: ["apps"], resources: ["deployments/status"], verbs: ["update"]}',
    ],
    [
      'all of a collection',
      (c) => c.resource(NODES).deleteCollection({}),
      'verb deletecollection on nodes is missing: allow it by a ClusterRole and ClusterRoleBinding with the rule {apiGroups: [""], resources: ["nodes"], verbs: ["deletecollection"]}',
    ],
  ])('name the permission that is missing: %s', async (_, act, advice) => {
    const { client } = open(await serve(answerStatus(403, { reason: 'Forbidden', message: 'forbidden' })));
    const error = await act(client).catch((caught: unknown) => caught);
    expect(failureText(error)).toBe(`forbidden (${advice})`);
  });

  it('say that credentials are no longer good', async () => {
    const { client } = open(await serve(answerStatus(401, { message: 'Unauthorized' })), {}, { origin: 'context dev of /k' });
    const error = await client.request({ path: '/version' }).catch((caught: unknown) => caught);
    expect(failureText(error)).toMatch(
      /^Unauthorized \(http:\/\/127\.0\.0\.1:\d+ does not accept the credentials of context dev of \/k: they may have expired or been revoked/,
    );
  });

  it('are made of whatever a proxy answers', async () => {
    const { client } = open(await serve((_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>')));
    await expect(client.request({ path: '/x' })).rejects.toMatchObject({ status: 502, message: 'the API server answered 502', reason: '' });
  });
});

describe('a server that is too busy', () => {
  /** Here the clock goes on while a request is under way, and a busy machine may let it go far. */
  const patient = { timeout: Number.MAX_SAFE_INTEGER };

  it('is asked again after the time it names, whatever is asked', async () => {
    const handler: Handler = (request, response) =>
      received.length <= 2 ? answerStatus(429, {}, { 'retry-after': '3' })(request, response) : {};
    const { client, clock } = open(await serve(handler), patient);
    const times: number[] = [];
    const made = client.resource(DEPLOYMENTS).create(web);
    await until(() => {
      if (received.length > times.length) times.push(clock.elapsed());
      else if (clock.pending() > 0) clock.advance(100);
      return times.length === 3;
    });
    expect(await made).toEqual({});
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(3000);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(3000);
  });

  it('is not asked for ever', async () => {
    const { client, clock } = open(await serve(answerStatus(429, { message: 'busy' })), patient);
    const error = client.request({ path: '/x' }).catch((caught: unknown) => caught as ApiError);
    let settled = false;
    void error.then(() => {
      settled = true;
    });
    await until(() => {
      clock.advance(100);
      return settled;
    });
    expect(await error).toMatchObject({ status: 429, message: 'busy' });
    expect(received).toHaveLength(6);
  });

  it('is not asked again for an eviction, or where that is not wanted', async () => {
    const { client } = open(await serve(answerStatus(429)));
    await expect(client.resource(DEPLOYMENTS).post({ namespace: 'a', name: 'b' }, 'eviction', {})).rejects.toMatchObject({ status: 429 });
    await expect(client.request({ path: '/x', retry: false })).rejects.toMatchObject({ status: 429 });
    expect(received).toHaveLength(2);
  });

  it('lets the one who asks give up', async () => {
    const { client, clock } = open(await serve(answerStatus(429)));
    const stop = new AbortController();
    const asked = client.request({ path: '/x', signal: stop.signal });
    asked.catch(() => {});
    await until(() => clock.pending() === 1);
    stop.abort();
    await expect(asked).rejects.toThrow('given up');
    expect(clock.pending()).toBe(0);
  });
});

describe('who asks', () => {
  const changing = (credentials: readonly Credential[]): Credentials & { refreshed: number } => {
    const self = {
      refreshed: 0,
      current: () => Promise.resolve(credentials[Math.min(self.refreshed, credentials.length - 1)]!),
      refresh: () => ++self.refreshed < credentials.length,
    };
    return self;
  };

  it('is shown by a token, which is renewed once when the server refuses it', async () => {
    const seen: (string | undefined)[] = [];
    const handler: Handler = (request, response) => {
      seen.push(request.headers.authorization);
      return request.headers.authorization === 'Bearer new' ? {} : answerStatus(401)(request, response);
    };
    const url = await serve(handler);
    const { client } = open(url, {}, { credentials: changing([{ authorization: 'Bearer old' }, { authorization: 'Bearer new' }]) });
    await client.request({ path: '/x' });
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
    const other = open(
      url,
      {},
      { credentials: changing([{ authorization: 'Bearer a' }, { authorization: 'Bearer b' }, { authorization: 'Bearer new' }]) },
    );
    await expect(other.client.request({ path: '/x' })).rejects.toMatchObject({ status: 401 });
    expect(seen.slice(2)).toEqual(['Bearer a', 'Bearer b']);
  });

  it('may be somebody else', async () => {
    const impersonate = { user: 'müller', uid: 'u', groups: ['a', 'b'], extra: { 'example.com/scope': ['x'] } };
    const { client } = open(await serve(() => ({})), {}, { impersonate });
    await client.request({ path: '/x' });
    const { raw } = received[0]!;
    const pairs = raw.flatMap((name, i) =>
      i % 2 === 0 && name.startsWith('Impersonate') ? [`${name}: ${Buffer.from(raw[i + 1]!, 'latin1')}`] : [],
    );
    expect(pairs).toEqual([
      'Impersonate-User: müller',
      'Impersonate-Uid: u',
      'Impersonate-Group: a',
      'Impersonate-Group: b',
      'Impersonate-Extra-example.com%2Fscope: x',
    ]);
  });
});

describe('a connection that fails says what to do', () => {
  const failing = async (server: string, connection: Partial<Connection> = {}): Promise<ConnectionError> => {
    const { client } = open(server, {}, { origin: 'context dev of /k', ...connection });
    return (await client.request({ path: '/version' }).catch((caught: unknown) => caught)) as ConnectionError;
  };

  it.each<readonly [string, () => Promise<ConnectionError>, RegExp]>([
    [
      'nothing listens',
      () => failing('http://127.0.0.1:1'),
      /^nothing listens at http:\/\/127\.0\.0\.1:1: is the API server running, and is the address in context dev of \/k right\?$/,
    ],
    ['no such host', () => failing('https://nowhere.invalid'), /^the host of https:\/\/nowhere\.invalid is not known/],
    [
      'an unknown authority',
      async () => failing(await serve(() => ({}), true), { tls: { ca: createAuthority(Date.now()).cert } }),
      /is not trusted .*not issued by the certificate-authority of context dev/,
    ],
    [
      'no authority',
      async () => failing(await serve(() => ({}), true)),
      /is not trusted .*context dev of \/k names no certificate-authority/,
    ],
    [
      'another name',
      async () => failing(await serve(() => ({}), true), { tls: { ca: authority.cert, serverName: 'other.example' } }),
      /is for another name .*set tls-server-name in context dev/,
    ],
    [
      'TLS where there is none',
      async () => failing((await serve(() => ({}))).replace('http:', 'https:')),
      /does not speak TLS: should the address in context dev of \/k begin with http:/,
    ],
    [
      'no TLS where there is some',
      async () => failing((await serve(() => ({}), true)).replace('https:', 'http:')),
      /closed before the answer was whole|does not answer in HTTP/,
    ],
    [
      'an answer cut off',
      async () =>
        failing(await serve((_, response) => void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()))),
      /closed before the answer was whole/,
    ],
    [
      'no JSON',
      async () => failing(await serve((_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{'))),
      /cannot be read: the body is not valid JSON/,
    ],
  ])('%s', async (_, act, message) => {
    const error = await act();
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(message);
  });

  it.each(['ftp://x', 'x', ''])('and so does a server called %j', (server) => {
    expect(() => createKubernetesClient({ connection: urlConnection(server) })).toThrow('must be a');
  });

  it('believes an authority it was given, another name that is meant, or anybody', async () => {
    const url = await serve(() => ({ ok: true }), true);
    const ask = (connection: Partial<Connection>) => open(url, {}, connection).client.request({ path: '/x' });
    expect((await ask({ tls: { ca: authority.cert } })).body).toEqual({ ok: true });
    expect((await ask({ tls: { ca: authority.cert, serverName: 'localhost' } })).body).toEqual({ ok: true });
    expect((await ask({ tls: { insecure: true } })).body).toEqual({ ok: true });
  });
});

describe('requests', () => {
  it('have a deadline', async () => {
    const { client, clock } = open(await serve(() => undefined), { timeout: 5000 });
    const answer = client.request({ path: '/x' });
    answer.catch(() => {});
    await until(() => received.length === 1);
    clock.advance(5000);
    await expect(answer).rejects.toThrow('no answer within 5000 ms');
  });

  it('are bounded in number, and answers in size', async () => {
    const { client } = open(await serve((_, response) => void response.end('x'.repeat(3000))), { maxPending: 1, maxResponseBytes: 2000 });
    const [first, second] = await Promise.allSettled([client.request({ path: '/a' }), client.request({ path: '/b' })]);
    expect((first as PromiseRejectedResult).reason.message).toBe('the answer is larger than 2000 bytes');
    expect((second as PromiseRejectedResult).reason.message).toBe('too many requests to the API server are pending');
  });

  it('bring the server’s warnings along', async () => {
    const heard: string[] = [];
    const { client } = open(
      await serve((_, response) => {
        const text = Buffer.from('299 - "unknown field \\"ä\\"", 299 - "second"', 'utf8').toString('latin1');
        response.writeHead(200, { warning: text }).end('{}');
      }),
      { onWarning: (text, { path }) => heard.push(`${path}: ${text}`) },
    );
    expect((await client.request({ path: '/x' })).warnings).toEqual(['unknown field "ä"', 'second']);
    expect(heard).toEqual(['/x: unknown field "ä"', '/x: second']);
  });

  it('answer text where it is no JSON', async () => {
    const { client } = open(await serve((_, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')));
    expect((await client.request({ path: '/readyz' })).body).toBe('ok');
  });

  it('are refused once the client is closed', async () => {
    const { client } = open('http://127.0.0.1:1');
    client.close();
    await expect(client.request({ path: '/x' })).rejects.toThrow('is closed');
  });
});

describe('a watch', () => {
  const line = (type: string, name: string): string => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;

  it('gives its events in order, and ends with the server', async () => {
    let url = '';
    const { client } = open(
      await serve((request, response) => {
        url = request.url;
        response.write(line('ADDED', 'a'));
        response.end(`${line('MODIFIED', 'b')}{"type":"ADDED","obj`);
      }),
    );
    const events: WatchEvent[] = [];
    for await (const event of client.resource(DEPLOYMENTS).watch({ namespace: 'shop', resourceVersion: '5', labelSelector: 'a=b' }))
      events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED']);
    expect(url).toBe(
      '/apis/apps/v1/namespaces/shop/deployments?watch=1&allowWatchBookmarks=true&resourceVersion=5&labelSelector=a%3Db&timeoutSeconds=300',
    );
  });

  it('is closed by leaving the loop', async () => {
    let closed = false;
    const { client, clock } = open(
      await serve((_, response) => {
        response.on('close', () => {
          closed = true;
        });
        response.write(line('ADDED', 'a'));
      }),
    );
    for await (const _ of client.resource(DEPLOYMENTS).watch()) break;
    await until(() => closed);
    expect(clock.pending()).toBe(0);
  });

  it('is given up by its signal, also before it is open', async () => {
    const { client } = open(await serve((_, response) => void response.write(line('ADDED', 'a'))));
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of client.resource(DEPLOYMENTS).watch({ signal: stop.signal })) stop.abort();
    };
    await expect(read()).rejects.toThrow('given up');
    await expect(read()).rejects.toThrow('given up before it was sent');
  });

  it('is refused as any request', async () => {
    const { client } = open(await serve(answerStatus(403, { message: 'no' })));
    const read = async (): Promise<void> => {
      for await (const _ of client.resource(DEPLOYMENTS).watch());
    };
    await expect(read()).rejects.toMatchObject({ status: 403, advice: expect.stringContaining('verb watch on deployments.apps') });
  });

  it('counts as dead when nothing comes', async () => {
    const { client, clock } = open(await serve((_, response) => void response.write(line('ADDED', 'a'))));
    let seen = 0;
    const read = (async () => {
      for await (const _ of client.resource(DEPLOYMENTS).watch({ idleTimeout: 70_000 })) seen++;
    })();
    read.catch(() => {});
    await until(() => seen === 1);
    clock.advance(69_999);
    await new Promise((resolve) => setTimeout(resolve, 5));
    clock.advance(70_001);
    await expect(read).rejects.toMatchObject({ code: 'FAIRLEAD_SILENT' });
  });

  it('does not read ahead of its reader', async () => {
    let written = 0;
    const big = line('ADDED', 'x'.repeat(60_000));
    const { client } = open(
      await serve((_, response) => {
        const fill = (): void => {
          while (written < 2000 && response.write(big)) written++;
          if (written < 2000) response.once('drain', fill);
        };
        fill();
      }),
    );
    for await (const _ of client.resource(DEPLOYMENTS).watch()) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      break;
    }
    // 2000 events are 120 MB; what is between is what sockets hold.
    expect(written).toBeLessThan(1000);
  });

  it('is bounded in number', async () => {
    const { client } = open(await serve((_, response) => void response.write(line('ADDED', 'a'))), { maxWatches: 1 });
    const first = client.resource(DEPLOYMENTS).watch()[Symbol.asyncIterator]();
    await first.next();
    await expect(client.resource(DEPLOYMENTS).watch()[Symbol.asyncIterator]().next()).rejects.toThrow('too many streams');
    await first.return?.();
  });
});
