import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsSource } from '../../../host/tls.ts';
import { secureContextOptions } from '../../../host/tls.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it plain HTTP is spoken. */
  readonly tls?: TlsSource;
  /** Answers; a request whose promise is rejected is cut off. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface Listener {
  readonly port: number;
  /** Stops at once: watches are ended, what is open is closed. */
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 4096;
/** Milliseconds for the headers of a request, and for a TLS handshake. */
const HEADERS_DEADLINE = 10_000;
/** Longer than Go clients keep idle connections, so that they close first. */
const KEEP_ALIVE = 95_000;

/** Listens, and resolves when it does; rejects where the address cannot be had. */
export async function listen({ host, port, tls, handle }: ListenerOptions): Promise<Listener> {
  const settings = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_DEADLINE,
    // A watch is one request that lasts; bodies have a deadline of their own.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE,
    noDelay: true,
  };
  const secure =
    tls === undefined
      ? undefined
      : createTlsServer({
          ...settings,
          ...secureContextOptions(tls.current()),
          handshakeTimeout: HEADERS_DEADLINE,
          // Who shows a certificate is known by it, who does not by a token.
          requestCert: tls.current().clientCa !== undefined,
          rejectUnauthorized: false,
        });
  const server = secure ?? createServer(settings);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // A client that goes away in the middle is no reason for more.
    response.on('error', () => {});
    handle(request, response).catch(() => response.destroy());
  });
  server.on('clientError', (_error: Error, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  secure?.on('tlsClientError', (_error: Error, socket: Socket) => void socket.destroy());
  const unsubscribe = tls?.subscribe((identity) => secure?.setSecureContext(secureContextOptions(identity)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      closing ??= new Promise<void>((resolve) => {
        unsubscribe?.();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      return closing;
    },
  };
}
