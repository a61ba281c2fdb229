import { createServer, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, systemClock } from './clock.ts';
import { ReceivedRequest, Receiver, type ReceiverHost, type RefusalReason, type Route } from './http-exchange.ts';
import { type Log, type LogFields, silentLog } from './log.ts';
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

const DEFAULT_HTTP_LIMITS: HttpLimits = {
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

interface Connection {
  /** By the clock's elapsed time. */
  readonly end: number;
  used: boolean;
}

/** Listens, and resolves when it does; rejects where the address cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { tls, routes, clock = systemClock, log = silentLog, onRefused = () => {} } = options;
  const limits: HttpLimits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const connections = new Map<Socket, Connection>();
  const handshaking = new Set<Socket>();
  let draining = false;
  let accepted = 0;

  const settings: ServerOptions<typeof ReceivedRequest> = {
    IncomingMessage: ReceivedRequest,
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
    connections.set(socket, { end: clock.elapsed() + limits.maxConnectionAge - spread, used: false });
    socket.on('close', () => connections.delete(socket));
  });
  // In the middle of a handshake a connection is known to nobody else.
  secure?.on('connection', (socket: Socket) => {
    handshaking.add(socket);
    socket.on('close', () => handshaking.delete(socket));
  });

  const host: ReceiverHost = {
    routes,
    maxBodyBytes: limits.maxBodyBytes,
    maxBufferedBytes: limits.maxBufferedBytes,
    bufferedBytes: 0,
    elapsed: clock.elapsed,
    mustClose({ socket }) {
      const connection = connections.get(socket);
      return draining || (connection !== undefined && clock.elapsed() >= connection.end);
    },
    refused: onRefused,
    handlerFailed: (error) => log('error', 'request handler failed', describeBug(error)),
  };

  function onRequest(request: ReceivedRequest, response: ServerResponse): void {
    const connection = connections.get(request.socket);
    if (connection !== undefined) connection.used = true;
    new Receiver(host, request, response).start();
  }

  server.on('request', onRequest);
  server.on('checkContinue', (request: ReceivedRequest, response: ServerResponse) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared <= limits.maxBodyBytes) response.writeContinue();
    onRequest(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const { code = '' } = error;
    // Everything else is a broken connection, counted by the request it broke, or a failed handshake, counted below.
    if ((!code.startsWith('HPE_') || code === 'HPE_INVALID_EOF_STATE') && code !== 'ERR_HTTP_REQUEST_TIMEOUT') {
      socket.destroy();
      return;
    }
    const status = CLIENT_ERROR_STATUS.get(code) ?? '400 Bad Request';
    onRefused(Number(status.slice(0, 3)), code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timeout' : 'malformed');
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
    else socket.destroy();
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
        const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
        // Node counts a connection that was never used as busy; it gets a moment to bring the request it was made for.
        const unused = clock.after(Math.min(UNUSED_GRACE, grace), () => {
          for (const [socket, { used }] of connections) if (!used) socket.destroy();
        });
        const force = clock.after(grace, () => {
          log('warn', 'requests did not finish in time; their connections are destroyed', { connections: connections.size });
          server.closeAllConnections();
          for (const socket of handshaking) socket.destroy();
        });
        await closed;
        unused.cancel();
        force.cancel();
      })();
      return closing;
    },
  };
}

const UNUSED_GRACE = 1_000;

const CLIENT_ERROR_STATUS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Content Too Large'],
]);

/** What a bug is and where it happened. Not its message, which may quote what it stumbled over: a cluster's objects. */
function describeBug(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return {
    error: error.name,
    stack: frames
      .slice(0, 5)
      .map((line) => line.trim())
      .join('; '),
  };
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
