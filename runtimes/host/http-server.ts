import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, systemClock } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import { secureContextOptions, type TlsIdentity, type TlsSource } from './tls.ts';

/** Every input has a size limit, every wait a deadline, every queue a bound. Times in milliseconds, sizes in bytes. */
export interface HttpLimits {
  /** Largest body. An AdmissionReview of an UPDATE holds two objects of up to 3 MiB each and an envelope. */
  readonly maxBodyBytes: number;
  /** Bodies held at once over all connections; beyond it requests are answered 503. */
  readonly maxBufferedBytes: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  readonly handshakeTimeout: number;
  /** From the first byte of a request to the last of its headers. */
  readonly headersTimeout: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeout: number;
  /** How often the two above are looked at. */
  readonly timeoutCheckInterval: number;
  /** How long an idle connection is kept. Longer than Go clients keep theirs (90 s), so that the client closes first. */
  readonly keepAliveTimeout: number;
  /** A connection in which nothing moves is destroyed after this. */
  readonly inactivityTimeout: number;
  /** After this a connection is closed with its next response, so that clients meet new certificates and new servers. */
  readonly maxConnectionAge: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxBodyBytes: 10 * 1024 * 1024,
  maxBufferedBytes: 256 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 1000,
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  timeoutCheckInterval: 1_000,
  keepAliveTimeout: 95_000,
  inactivityTimeout: 120_000,
  maxConnectionAge: 300_000,
};

/** One request with its whole body, to be answered exactly once. */
export interface Exchange {
  readonly body: Buffer;
  /** What follows `?` in the URL, or the empty string. */
  readonly query: string;
  /** {@link Clock.elapsed} when the headers had arrived. */
  readonly startedAt: number;
  respond(status: number, contentType: string, body: Buffer | string): void;
  /** Calls back when the client goes away before it is answered. */
  onAbort(callback: () => void): void;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Media type that a request must have; parameters such as `charset` are ignored. */
  readonly contentType?: string;
  /** A throw or rejection becomes status 500. */
  readonly handle: (exchange: Exchange) => undefined | Promise<void>;
}

export interface HttpServerOptions {
  /** Without it the server speaks plain HTTP. */
  readonly tls?: TlsSource;
  /** Address to listen on; default all. */
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** By exact path. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly limits?: Partial<HttpLimits>;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Called for each request that no route's handler saw or that failed in it, with the status it was answered. */
  readonly onRefused?: (status: number, reason: RefusalReason) => void;
}

export type RefusalReason =
  | 'path'
  | 'method'
  | 'content-type'
  | 'content-encoding'
  | 'too-large'
  | 'overloaded'
  | 'truncated'
  | 'malformed'
  | 'timeout'
  | 'handler'
  | 'tls'
  | 'connections';

export interface CloseOptions {
  /** Milliseconds to go on accepting, closing each connection with its response, while load balancers learn of the end. Default 0. */
  readonly delay?: number;
  /** Milliseconds that requests in flight have to finish; then their connections are destroyed. Default 30 000. */
  readonly grace?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Open connections. */
  connections(): number;
  isDraining(): boolean;
  /** Stops accepting, lets requests in flight finish, closes every connection. Safe to call twice. */
  close(options?: CloseOptions): Promise<void>;
}

/** Listens, and resolves when it does; rejects where the address cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { tls, routes, clock = systemClock, log = silentLog, onRefused = () => {} } = options;
  const limits: HttpLimits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const connections = new Map<Socket, number>();
  let buffered = 0;
  let draining = false;
  let accepted = 0;

  const settings: ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    connectionsCheckingInterval: limits.timeoutCheckInterval,
    keepAliveTimeout: limits.keepAliveTimeout,
    noDelay: true,
  };

  const secure =
    tls === undefined
      ? undefined
      : createTlsServer({
          ...settings,
          ...secureContextOptions(tls.current()),
          handshakeTimeout: limits.handshakeTimeout,
          requestCert: tls.current().clientCa !== undefined,
          rejectUnauthorized: tls.current().clientCa !== undefined,
        });
  const server = secure ?? createServer(settings);
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.inactivityTimeout;

  server.on(secure === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // Spread over a tenth of the age, so that connections of one moment do not all end in one moment.
    const spread = ((accepted++ % 16) / 160) * limits.maxConnectionAge;
    connections.set(socket, clock.elapsed() + limits.maxConnectionAge - spread);
    socket.on('close', () => connections.delete(socket));
  });

  function mustClose(socket: Socket): boolean {
    if (draining) return true;
    const end = connections.get(socket);
    return end !== undefined && clock.elapsed() >= end;
  }

  function send(response: ServerResponse, socket: Socket, status: number, contentType: string, body: Buffer | string): void {
    if (response.headersSent || response.destroyed) return;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const headers = ['Content-Type', contentType, 'Content-Length', String(length), 'X-Content-Type-Options', 'nosniff'];
    if (mustClose(socket)) headers.push('Connection', 'close');
    response.writeHead(status, headers);
    response.end(body);
  }

  /** Answers a request whose body is not wanted; the connection cannot be used again, so it ends. */
  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    reason: RefusalReason,
    text: string,
    route?: Route,
  ): void {
    onRefused(status, reason);
    if (response.headersSent || response.destroyed) return;
    const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(text) + 1)];
    if (reason === 'method' && route !== undefined) headers.push('Allow', route.method);
    // What remains of the body is neither read nor waited for.
    if (!request.complete || mustClose(request.socket)) headers.push('Connection', 'close');
    response.writeHead(status, headers);
    response.end(`${text}\n`);
    request.resume();
  }

  function run(route: Route, exchange: Exchange, response: ServerResponse, socket: Socket): void {
    const failed = (error: unknown): void => {
      log('error', 'request handler failed', { error: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown' });
      onRefused(500, 'handler');
      send(response, socket, 500, 'text/plain; charset=utf-8', 'internal error\n');
    };
    try {
      const pending = route.handle(exchange);
      if (pending !== undefined) pending.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const startedAt = clock.elapsed();
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const route = routes.get(mark === -1 ? url : url.slice(0, mark));
    const refusal = refusalOf(request, route, limits.maxBodyBytes);
    if (route === undefined || refusal !== undefined) {
      const [status, reason, text] = refusal ?? NOTHING_HERE;
      refuse(request, response, status, reason, text, route);
      return;
    }
    const maxBytes = maxBodyOf(route, limits.maxBodyBytes);

    const { socket } = request;
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let size = 0;
    let refused = false;
    request.on('data', (chunk: Buffer) => {
      if (refused) return;
      size += chunk.length;
      buffered += chunk.length;
      if (size > maxBytes || buffered > limits.maxBufferedBytes) {
        refused = true;
        more = first = undefined;
        if (size > maxBytes) refuse(request, response, 413, 'too-large', `the body must be at most ${maxBytes} bytes`);
        else refuse(request, response, 503, 'overloaded', 'too many bodies are being read');
      } else if (first === undefined) first = chunk;
      else if (more === undefined) more = [first, chunk];
      else more.push(chunk);
    });
    let ended = false;
    request.on('end', () => {
      ended = true;
      if (refused) return;
      const body = more !== undefined ? Buffer.concat(more, size) : (first ?? EMPTY);
      more = first = undefined;
      const exchange: Exchange = {
        body,
        query: mark === -1 ? '' : url.slice(mark + 1),
        startedAt,
        respond: (status, contentType, text) => send(response, socket, status, contentType, text),
        onAbort: (callback) => void response.once('close', () => void (response.writableFinished || callback())),
      };
      run(route, exchange, response, socket);
    });
    // Emitted once per request, whether it was read to its end, refused or broken off.
    request.on('close', () => {
      buffered -= size;
      if (!ended && !refused) onRefused(400, 'truncated');
    });
  }

  server.on('request', onRequest);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared <= limits.maxBodyBytes) response.writeContinue();
    onRequest(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = CLIENT_ERROR_STATUS.get(error.code ?? '') ?? '400 Bad Request';
    onRefused(Number(status.slice(0, 3)), error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timeout' : 'malformed');
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  });
  server.on('drop', () => onRefused(0, 'connections'));
  secure?.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    onRefused(0, 'tls');
    log('debug', 'TLS handshake failed', { error: error.code ?? error.message });
    socket.destroy();
  });

  const unsubscribe = tls?.subscribe((identity: TlsIdentity) => secure?.setSecureContext(secureContextOptions(identity)));

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port ?? 0, host: options.host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log('error', 'server error', { error: error.message }));

  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections.size,
    isDraining: () => draining,
    close({ delay = 0, grace = 30_000 } = {}) {
      draining = true;
      closing ??= (async () => {
        if (delay > 0) await new Promise<void>((resolve) => void clock.after(delay, resolve));
        unsubscribe?.();
        const force = clock.after(grace, () => {
          log('warn', 'requests did not finish in time; their connections are destroyed', { connections: connections.size });
          server.closeAllConnections();
        });
        // Sockets in the middle of a TLS handshake have no request to finish.
        await new Promise<void>((resolve) => void server.close(() => resolve()));
        force.cancel();
      })();
      return closing;
    },
  };
}

const EMPTY = Buffer.alloc(0);

/** A GET needs no body; clients that send a small one are borne with. */
const MAX_GET_BODY = 4096;

const CLIENT_ERROR_STATUS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Content Too Large'],
]);

type Refusal = readonly [status: number, reason: RefusalReason, text: string];

const NOTHING_HERE: Refusal = [404, 'path', 'there is nothing at this path'];

function maxBodyOf(route: Route, maxBodyBytes: number): number {
  return route.method === 'GET' ? MAX_GET_BODY : maxBodyBytes;
}

/** What the head of a request already shows to be wrong. */
function refusalOf(request: IncomingMessage, route: Route | undefined, maxBodyBytes: number): Refusal | undefined {
  if (route === undefined) return NOTHING_HERE;
  const { method, headers } = request;
  if (method !== route.method && !(route.method === 'GET' && method === 'HEAD'))
    return [405, 'method', `this path answers ${route.method} only`];
  if (route.contentType !== undefined && !isMediaType(headers['content-type'], route.contentType)) {
    return [415, 'content-type', `the Content-Type must be ${route.contentType}`];
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return [415, 'content-encoding', 'the body must not be encoded'];
  const maxBytes = maxBodyOf(route, maxBodyBytes);
  const declared = headers['content-length'];
  if (declared !== undefined && Number(declared) > maxBytes) return [413, 'too-large', `the body must be at most ${maxBytes} bytes`];
  return undefined;
}

function isMediaType(header: string | undefined, expected: string): boolean {
  if (header === expected) return true;
  if (header === undefined) return false;
  const semicolon = header.indexOf(';');
  return (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase() === expected;
}

/** Adds the metrics that every server has: its refusals and its connections. */
export function httpServerMetrics(metrics: Metrics): {
  readonly onRefused: (status: number, reason: RefusalReason) => void;
  watch(server: HttpServer): void;
} {
  const refused = metrics.counter({
    name: 'fairlead_http_refused_total',
    help: 'Requests and connections that were refused before a handler answered them.',
    labels: ['status', 'reason'],
    maxSeries: 100,
  });
  const connections = metrics.gauge({ name: 'fairlead_http_connections', help: 'Open connections.' });
  return {
    onRefused: (status, reason) => refused.of(String(status), reason).add(),
    watch: (server) => metrics.beforeText(() => connections.set(server.connections())),
  };
}
