import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallError, unaryCall } from './unary-call.ts';

/** A message with what it begins with. */
function framed(text: string, { flag = 0, length = text.length } = {}): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt8(flag);
  frame.writeUInt32BE(length, 1);
  return Buffer.concat([frame, Buffer.from(text)]);
}

describe('one call of a server', () => {
  let folder: string;
  let socket: string;
  let server: Http2Server;
  let answer: (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, body: Buffer) => void;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flf-grpc-'));
    socket = join(folder, 'kubelet.sock');
    server = createServer();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => answer(stream, headers, Buffer.concat(chunks)));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const call = (signal = new AbortController().signal, at = socket) =>
    unaryCall({ socket: at, method: '/v1.S/M', message: Buffer.from('ask'), timeout: 1000, maxAnswer: 100, signal });
  const failureOf = async (act: Promise<unknown>): Promise<unknown> => {
    try {
      return String(await act);
    } catch (error) {
      return error instanceof CallError ? `${error.code}: ${error.message}` : error;
    }
  };
  const answered = (body: Buffer, status: Readonly<Record<string, string>> = { 'grpc-status': '0' }) => {
    answer = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(status));
      // In pieces, as they come over a network.
      stream.write(body.subarray(0, 3));
      stream.end(body.subarray(3));
    };
  };

  it('asks as gRPC does, and gives the answer', async () => {
    const asked: unknown[] = [];
    answered(framed('hello'));
    const plain = answer;
    answer = (stream, headers, body) => {
      asked.push(headers[':method'], headers[':path'], headers['content-type'], headers['te'], headers['grpc-timeout'], body);
      plain(stream, headers, body);
    };
    expect(String(await call())).toBe('hello');
    expect(asked).toEqual(['POST', '/v1.S/M', 'application/grpc', 'trailers', '1000m', framed('ask')]);
  });

  it.each([
    ['an empty answer', framed(''), { 'grpc-status': '0' }, ''],
    ['a refusal', Buffer.alloc(0), { 'grpc-status': '8', 'grpc-message': 'too%20many' }, '8: too many'],
    ['a refusal whose words are badly encoded', Buffer.alloc(0), { 'grpc-status': '2', 'grpc-message': '100%' }, '2: 100%'],
    ['no status', framed('hello'), {}, '13: HTTP status 200 and none of gRPC'],
    ['half a message', framed('hello', { length: 9 }), { 'grpc-status': '0' }, '13: the answer is not one whole message'],
    ['more than a message', framed('hello', { length: 2 }), { 'grpc-status': '0' }, '13: the answer is not one whole message'],
    ['what is compressed', framed('hello', { flag: 1 }), { 'grpc-status': '0' }, '13: the answer is not one whole message'],
    ['too much', framed('x'.repeat(200)), { 'grpc-status': '0' }, '8: the answer has more than 100 bytes'],
  ])('takes %s for what it is', async (_what, body, status, expected) => {
    answered(body, status);
    expect(await failureOf(call())).toBe(expected);
  });

  it('knows a refusal that comes without an answer', async () => {
    answer = (stream) => stream.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'unknown service' }, { endStream: true });
    expect(await failureOf(call())).toBe('12: unknown service');
  });

  it('is given up when the time is up', async () => {
    const limit = new AbortController();
    answer = () => limit.abort();
    expect(await failureOf(call(limit.signal))).toBe(`4: ${socket} did not answer in time`);
    expect(await failureOf(call(limit.signal))).toBe(`4: ${socket} did not answer in time`);
  });

  it('says who is not there', async () => {
    expect(await failureOf(call(undefined, join(folder, 'nobody')))).toMatch(/^-1: connect ENOENT .*nobody/);
    writeFileSync(join(folder, 'file'), '');
    expect(await failureOf(call(undefined, join(folder, 'file')))).toMatch(/^-1: connect ECONNREFUSED .*file/);
  });
});
