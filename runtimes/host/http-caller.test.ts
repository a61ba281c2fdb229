import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callLookup } from './call-lookup.ts';
import { manualClock } from './clock.ts';
import { allowsHost, createHttpCaller, type HttpCall } from './http-caller.ts';

describe('the allow list', () => {
  it.each([
    ['api.example.com', 'https://api.example.com/x', true],
    ['api.example.com', 'https://API.example.com:8443/x', true],
    ['api.example.com', 'https://evil.com/api.example.com', false],
    ['api.example.com', 'https://api.example.com.evil.com/', false],
    ['api.example.com:443', 'https://api.example.com/', true],
    ['api.example.com:443', 'https://api.example.com:8443/', false],
    ['*.example.com', 'https://a.b.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://badexample.com/', false],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/', true],
    ['127.0.0.1:8080', 'http://127.0.0.1/', false],
    ['[::1]:8080', 'http://[::1]:8080/', true],
    ['*.0.0.1', 'http://127.0.0.1/', false],
  ])('%s and %s', (entry, url, allows) => expect(allowsHost(entry, new URL(url))).toBe(allows));
});

describe('a call', () => {
  let server: Server;
  let base = '';
  let seen: { readonly headers: IncomingMessage['headers']; readonly body: string; readonly method: string } | undefined;
  let respond: (response: ServerResponse) => void = (response) => response.end();
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen = { headers: request.headers, body: Buffer.concat(chunks).toString(), method: request.method ?? '' };
        respond(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  const request = (more: Partial<HttpCall> = {}): HttpCall => ({
    method: 'POST',
    url: `${base}/x`,
    headers: {},
    timeout: 5000,
    ...more,
  });
  const call = createHttpCaller({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 100 });

  it('refuses an answer that nests too deeply', async () => {
    respond = (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${'['.repeat(2000)}${']'.repeat(2000)}`);
    const roomy = createHttpCaller({ allowedHosts: ['127.0.0.1'] });
    await expect(roomy(request(), 'k')).rejects.toThrow(/nests too deeply/);
  });

  it('goes where the name leads, and tells no path', async () => {
    const lookup = callLookup((_, __, callback) => callback(null, [{ address: '169.254.169.254', family: 4 }]));
    const named = createHttpCaller({ allowedHosts: ['api.example.com'], lookup });
    const failure = await named(request({ url: 'http://api.example.com/secret/hook' }), 'k').catch((error: Error) => error.message);
    expect(failure).toBe('POST api.example.com: api.example.com leads to 169.254.169.254, which only this machine reaches');
  });

  it('sends JSON under its idempotency key, and reads JSON', async () => {
    respond = (response) => response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"id": 12345678901234567890}');
    const answer = await call(request({ body: { name: 'a' }, headers: { Authorization: 'Bearer t' } }), 'key-1');
    expect(answer).toEqual({ status: 201, body: { id: 12345678901234567890n } });
    expect(seen).toMatchObject({ method: 'POST', body: '{"name":"a"}' });
    expect(seen?.headers).toMatchObject({ 'idempotency-key': 'key-1', 'content-type': 'application/json', authorization: 'Bearer t' });
  });

  it('has no key of its own', async () => {
    respond = (response) => response.end();
    await call(request());
    expect(seen?.headers).not.toHaveProperty('idempotency-key');
  });

  it('takes text for text', async () => {
    respond = (response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end('{"a":1}');
    expect(await call(request({ body: 'plain' }), 'k')).toEqual({ status: 200, body: '{"a":1}' });
    expect(seen?.body).toBe('plain');
  });

  it('follows no redirect', async () => {
    respond = (response) => response.writeHead(302, { Location: 'http://other.example.com/' }).end();
    expect((await call(request(), 'k')).status).toBe(302);
  });

  it('bounds the answer', async () => {
    respond = (response) => response.end('x'.repeat(101));
    await expect(call(request(), 'k')).rejects.toThrow('the answer is larger than 100 bytes');
  });

  it('has a deadline', async () => {
    const clock = manualClock();
    respond = () => clock.advance(1000);
    const slow = createHttpCaller({ allowedHosts: ['127.0.0.1'], clock });
    await expect(slow(request({ timeout: 1000 }), 'k')).rejects.toThrow('no answer within 1000 ms');
  });

  it.each<[string, Partial<HttpCall>, string]>([
    ['another host', { url: 'http://example.com/' }, 'calls to example.com are not allowed'],
    ['another protocol', { url: 'file:///etc/passwd' }, 'calls go to http and https'],
    ['credentials in the URL', { url: 'http://u:p@127.0.0.1/' }, 'must not hold credentials'],
    ['no URL', { url: 'nonsense' }, 'is not a URL'],
    ['a reserved header', { headers: { Host: 'x' } }, "is not a rule's to set"],
    ['a header that splits', { headers: { 'X-A': 'b\r\nC: d' } }, 'Invalid character'],
  ])('refuses %s', async (_, more, message) => {
    await expect(call(request(more), 'k')).rejects.toThrow(message);
    await expect(call(request(more), 'k')).rejects.toMatchObject({ final: true });
  });
});
