import { Agent } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority, issueClientCertificate, issueServerCertificate } from './certificates.ts';
import { manualClock } from './clock.ts';
import type { Exchange, RefusalReason, Route } from './http-exchange.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './http-server.ts';
import { authority, call, loopbackTls, rawConnection } from './loopback.fixture.ts';

const ca = authority.cert;
const servers: HttpServer[] = [];
const agents: Agent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close({ grace: 0 })));
});

const keepAlive = (options: ConstructorParameters<typeof Agent>[0] = {}): Agent => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  agents.push(agent);
  return agent;
};

async function start(options: Partial<HttpServerOptions> & { readonly handle?: (exchange: Exchange) => undefined | Promise<void> } = {}) {
  const refusals: [number, RefusalReason][] = [];
  const { handle = (exchange) => void exchange.respond(200, 'application/json', exchange.body), ...rest } = options;
  const server = await startHttpServer({
    tls: loopbackTls(),
    host: '127.0.0.1',
    routes: new Map<string, Route>([
      ['/echo', { method: 'POST', contentType: 'application/json', handle: (exchange) => handle(exchange) as undefined }],
      ['/ok', { method: 'GET', handle: (exchange) => void exchange.respond(200, 'text/plain', 'ok') }],
    ]),
    onRefused: (status, reason) => refusals.push([status, reason]),
    ...rest,
  });
  servers.push(server);
  return { server, port: server.port, refusals };
}

describe('requests', () => {
  it('are answered with their body, whole, in one piece or many', async () => {
    const { port } = await start();
    expect(await call({ port, ca, path: '/echo?x=1', body: '{"a":"é"}' })).toMatchObject({ status: 200, text: '{"a":"é"}' });
    const large = `"${'x'.repeat(3_000_000)}"`;
    expect((await call({ port, ca, path: '/echo', body: large })).text).toBe(large);
    expect((await call({ port, ca, path: '/ok' })).text).toBe('ok');
    expect((await call({ port, ca, path: '/ok', method: 'HEAD' })).text).toBe('');
  });

  it.each([
    ['an unknown path', { path: '/nothing', body: '{}' }, 404, 'path'],
    ['a wrong method', { path: '/echo', method: 'GET' }, 405, 'method'],
    ['a wrong content type', { path: '/echo', body: '{}', headers: { 'content-type': 'application/yaml' } }, 415, 'content-type'],
    ['no content type', { path: '/echo', body: '{}', headers: { 'content-type': '' } }, 415, 'content-type'],
    ['an encoded body', { path: '/echo', body: '{}', headers: { 'content-encoding': 'gzip' } }, 415, 'content-encoding'],
    ['a GET with a large body', { path: '/ok', method: 'GET', body: 'x'.repeat(5000) }, 413, 'too-large'],
  ] as const)('are refused for %s', async (_, request, status, reason) => {
    const { port, refusals } = await start();
    const answer = await call({ port, ca, ...request });
    expect(answer.status).toBe(status);
    if (status === 405) expect(answer.headers['allow']).toBe('POST');
    expect(refusals).toEqual([[status, reason]]);
  });

  it('may name a charset', async () => {
    const { port } = await start();
    expect(
      (await call({ port, ca, path: '/echo', body: '{}', headers: { 'content-type': 'Application/JSON; charset=utf-8' } })).status,
    ).toBe(200);
  });

  it('become status 500 where the handler throws or rejects, without its reason', async () => {
    const lines: string[] = [];
    const log = (_: string, message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    for (const handle of [
      () => {
        throw new RangeError('secret');
      },
      () => Promise.reject(new RangeError('secret')),
    ]) {
      const { port, refusals } = await start({ handle, log });
      expect(await call({ port, ca, path: '/echo', body: '{}' })).toMatchObject({ status: 500, text: 'internal error\n' });
      expect(refusals).toEqual([[500, 'handler']]);
    }
    for (const line of lines) expect(line).toMatch(/^request handler failed \{"error":"RangeError","stack":"at .*http-server\.test\.ts/);
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('secret');
  });
});

describe('limits', () => {
  it('refuse a body that is declared too large before it is sent', async () => {
    const { port, refusals } = await start({ limits: { maxBodyBytes: 1000 } });
    const { socket, received } = await rawConnection(port, ca);
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n');
    expect(await received).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close/);
    expect(refusals).toEqual([[413, 'too-large']]);
  });

  it('refuse one that grows too large, and one that asks first', async () => {
    const { port } = await start({ limits: { maxBodyBytes: 1000 } });
    const chunked = await rawConnection(port, ca);
    chunked.socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 3; i++) chunked.socket.write(`190\r\n${'x'.repeat(400)}\r\n`);
    expect(await chunked.received).toMatch(/^HTTP\/1\.1 413 /);
    const asking = await rawConnection(port, ca);
    asking.socket.write(
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n',
    );
    expect(await asking.received).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('let one that asks first go on', async () => {
    const { port } = await start();
    const { socket, received } = await rawConnection(port, ca);
    socket.write(
      'POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
    );
    socket.once('data', () => socket.write('{}'));
    expect(await received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [\s\S]*\{\}$/);
  });

  it('bound the bodies of all connections together, and count them down again', async () => {
    const { port, refusals } = await start({ limits: { maxBufferedBytes: 1500 } });
    const first = await rawConnection(port, ca);
    const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1200\r\n\r\n';
    first.socket.write(head + 'x'.repeat(1000));
    // The second arrives after the first: one event loop reads both.
    await call({ port, ca, path: '/ok' });
    expect((await call({ port, ca, path: '/echo', body: 'y'.repeat(1200) })).status).toBe(503);
    first.socket.destroy();
    await first.received;
    while (refusals.length < 2) await call({ port, ca, path: '/ok' });
    expect(refusals).toEqual([
      [503, 'overloaded'],
      [400, 'truncated'],
    ]);
    expect((await call({ port, ca, path: '/echo', body: 'y'.repeat(1200) })).status).toBe(200);
  });

  it('cut off slow headers, slow bodies and oversized headers', async () => {
    const { port, refusals } = await start({
      limits: { headersTimeout: 30, requestTimeout: 60, timeoutCheckInterval: 10, maxHeaderBytes: 2000 },
    });
    const headers = await rawConnection(port, ca);
    headers.socket.write('POST /echo HTTP/1.1\r\nHost:');
    const body = await rawConnection(port, ca);
    body.socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{');
    const large = await rawConnection(port, ca);
    large.socket.write(`GET /ok HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(3000)}\r\n\r\n`);
    expect(await headers.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(await body.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(await large.received).toMatch(/^HTTP\/1\.1 431 /);
    expect(refusals).toContainEqual([408, 'timeout']);
    expect(refusals).toContainEqual([431, 'malformed']);
  });

  it.each([
    'GET / HTTP/9.9\r\n\r\n',
    'nonsense\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ])('refuse what is not HTTP: %j', async (text) => {
    const { port } = await start();
    const { socket, received } = await rawConnection(port, ca);
    socket.write(text);
    expect(await received).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('cut off a handshake that does not come', async () => {
    const { port, refusals } = await start({ limits: { handshakeTimeout: 30 } });
    const socket = connectPlain(port, '127.0.0.1');
    await new Promise((resolve) => socket.on('close', resolve));
    expect(refusals).toEqual([[0, 'tls']]);
  });

  it('bound the connections', async () => {
    const { port, refusals } = await start({ limits: { maxConnections: 1 } });
    const first = await rawConnection(port, ca);
    await expect(call({ port, ca, path: '/ok' })).rejects.toThrow();
    expect(refusals).toEqual([[0, 'connections']]);
    first.socket.destroy();
  });

  it('end a connection that has grown old with its next answer', async () => {
    const clock = manualClock();
    const { port } = await start({ clock, limits: { maxConnectionAge: 1000 } });
    const agent = keepAlive();
    expect((await call({ port, ca, agent, path: '/ok' })).headers['connection']).toBe('keep-alive');
    clock.advance(1000);
    expect((await call({ port, ca, agent, path: '/ok' })).headers['connection']).toBe('close');
    expect((await call({ port, ca, agent, path: '/ok' })).headers['connection']).toBe('keep-alive');
  });
});

describe('TLS', () => {
  it('lets in clients with a certificate only, where authorities of clients are given', async () => {
    const clients = createAuthority(Date.now());
    const { port } = await start({ tls: loopbackTls(clients.cert) });
    await expect(call({ port, ca, path: '/ok' })).rejects.toThrow();
    const stranger = issueClientCertificate(createAuthority(Date.now()), 'kube-apiserver', Date.now());
    await expect(call({ port, ca, path: '/ok', ...stranger })).rejects.toThrow();
    const known = issueClientCertificate(clients, 'kube-apiserver', Date.now());
    expect((await call({ port, ca, path: '/ok', ...known })).status).toBe(200);
  });

  it('does not speak anything older than TLS 1.2', async () => {
    const { port } = await start();
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca,
      servername: 'localhost',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await expect(
      new Promise((resolve, reject) => {
        socket.on('secureConnect', resolve);
        socket.on('error', reject);
      }),
    ).rejects.toThrow();
  });

  it('shows a new certificate to new connections, while those that live go on: under load no request fails', async () => {
    const tls = loopbackTls();
    const { port } = await start({ tls });
    const renewed = issueServerCertificate(authority, ['localhost', '127.0.0.1'], Date.now());
    const living = Array.from({ length: 4 }, () => keepAlive());
    let sent = 0;
    let changes = 0;
    await Promise.all(
      living.map(async (agent) => {
        for (let i = 0; i < 100; i++) {
          const answer = await call({ port, ca, agent, path: '/echo', body: '{}' });
          expect(answer).toMatchObject({ status: 200, text: '{}' });
          if (++sent % 80 === 0) tls.replace(changes++ % 2 === 0 ? renewed : loopbackTls().current());
          // New connections come all the while.
          if (i % 25 === 0) expect((await call({ port, ca, path: '/ok', agent: keepAlive() })).status).toBe(200);
        }
      }),
    );
    expect(changes).toBe(5);
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost' });
    const peer = await new Promise<DetailedPeerCertificate>((resolve) =>
      socket.on('secureConnect', () => resolve((socket as TLSSocket).getPeerCertificate(true))),
    );
    socket.destroy();
    expect(`${peer.raw.toString('base64').slice(0, 60)}`).toBe(renewed.cert.replaceAll('\n', '').slice(27, 87));
  });
});

describe('closing', () => {
  it('finishes what is in flight, tells clients to go, and accepts nothing more', async () => {
    let release = (): void => {};
    const arrived = new Promise<void>((started) => {
      release = started;
    });
    let answer = (): void => {};
    const { server, port } = await start({
      handle: (exchange) => {
        answer = () => exchange.respond(200, 'application/json', '"done"');
        release();
        return undefined;
      },
    });
    const inFlight = call({ port, ca, agent: keepAlive(), path: '/echo', body: '{}' });
    const idle = keepAlive();
    await call({ port, ca, agent: idle, path: '/ok' });
    await arrived;
    const closed = server.close();
    expect(server.isDraining()).toBe(true);
    await expect(call({ port, ca, path: '/ok' })).rejects.toThrow();
    answer();
    expect(await inFlight).toMatchObject({ status: 200, text: '"done"', headers: { connection: 'close' } });
    await closed;
  });

  it('goes on accepting for a delay, closing each connection with its answer', async () => {
    const clock = manualClock();
    const { server, port } = await start({ clock });
    const closed = server.close({ delay: 1000 });
    expect((await call({ port, ca, agent: keepAlive(), path: '/ok' })).headers['connection']).toBe('close');
    clock.advance(1000);
    await closed;
    await expect(call({ port, ca, path: '/ok' })).rejects.toThrow('ECONNREFUSED');
  });

  it('does not wait longer than the grace for requests, handshakes and connections that were never used', async () => {
    const clock = manualClock();
    const { server, port } = await start({ clock, handle: () => undefined });
    const stuck = call({ port, ca, path: '/echo', body: '{}' });
    const unused = await rawConnection(port, ca);
    const handshake = connectPlain(port, '127.0.0.1');
    await new Promise((resolve) => handshake.on('connect', resolve));
    await call({ port, ca, path: '/ok' });
    const closed = server.close({ grace: 5000 });
    clock.advance(1000);
    await unused.received;
    clock.advance(4000);
    await expect(stuck).rejects.toThrow();
    await closed;
  });

  it('tells a handler when its client has gone', async () => {
    let gone = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      gone = resolve;
    });
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { port } = await start({
      handle: (exchange) => {
        exchange.onAbort(gone);
        arrive();
        return undefined;
      },
    });
    const { socket } = await rawConnection(port, ca);
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
    await arrived;
    socket.destroy();
    await aborted;
  });
});
