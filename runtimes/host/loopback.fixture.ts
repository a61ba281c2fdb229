/** For tests: a client of servers on this machine, over real sockets. */
import { request as httpRequest } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { createAuthority, issueServerCertificate } from './certificates.ts';
import { tlsSource } from './tls.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export interface Call {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** PEM of the authority; without it plain HTTP is spoken. */
  readonly ca?: string;
  readonly agent?: Agent;
  readonly cert?: string;
  readonly key?: string;
}

/** One request, its whole answer. Rejects where the connection fails. */
export function call({ body, ca, headers = {}, ...options }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    const json = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const settings = { host: '127.0.0.1', ...options, method, headers: { ...json, ...headers } };
    const request = ca === undefined ? httpRequest(settings) : httpsRequest({ ...settings, ca });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.end(body);
  });
}

/** A TLS connection to write what one likes into; `received` is everything the server sent until it closed. */
export async function rawConnection(port: number, ca: string): Promise<{ readonly socket: TLSSocket; readonly received: Promise<string> }> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const received = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(text));
    // A server that destroys a connection may do so before everything was written.
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return { socket, received };
}

const NOW = Date.now();
/** One authority for all tests of a process: making keys takes time. */
export const authority = createAuthority(NOW);
const pair = issueServerCertificate(authority, ['localhost', '127.0.0.1', '::1'], NOW);

/** A fresh source of a server identity that {@link authority} signed. */
export function loopbackTls(clientCa?: string): ReturnType<typeof tlsSource> {
  return tlsSource({ ...pair, ...(clientCa === undefined ? {} : { clientCa }) });
}
