import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';
import { type Connection, type Credential, impersonationHeaders } from './connection.ts';

export interface TransportOptions {
  readonly connection: Connection;
  /** Milliseconds for one request, or for the headers of a stream. */
  readonly timeout: number;
  /** Largest answer in bytes. Streams are not bounded by it. */
  readonly maxResponseBytes: number;
  /** Connections to the server, streams apart. */
  readonly maxConnections: number;
  /** Requests that run or wait for a connection; more are refused at once. */
  readonly maxPending: number;
  /** Streams that are open; more are refused at once. */
  readonly maxStreams: number;
  readonly clock: Clock;
}

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default: the transport's. */
  readonly timeout?: number | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly content: Buffer;
}

/** A transport sends requests over kept connections. Rejects with a {@link ConnectionError} where no whole answer comes. */
export interface Transport {
  send(request: WireRequest): Promise<WireAnswer>;
  /** Answers as soon as the headers are there; only 2xx is a stream, anything else is answered whole. */
  open(request: WireRequest): Promise<{ readonly stream: IncomingMessage } | WireAnswer>;
  close(): void;
}

/** Milliseconds after which an idle connection is closed: before the server (90 s) does so while a request leaves on it. */
const IDLE_CONNECTION = 60_000;
/** Milliseconds between probes of the kernel on a connection where nothing moves. */
const TCP_KEEP_ALIVE = 30_000;

interface Agents {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly requests: HttpAgent | HttpsAgent;
  readonly streams: HttpAgent | HttpsAgent;
}

/** Throws where the server's URL is not one of a server. */
export function createTransport(options: TransportOptions): Transport {
  const { connection, clock } = options;
  const server = serverUrl(connection.server);
  const secure = server.protocol === 'https:';
  const base = server.pathname.replace(/\/+$/, '');
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const port = server.port === '' ? (secure ? 443 : 80) : Number(server.port);
  const impersonation = connection.impersonate === undefined ? [] : impersonationHeaders(connection.impersonate);
  let agents: Agents | undefined;
  const all = new Set<Agents>();
  let closed = false;
  let pending = 0;
  let streams = 0;

  /** Connections belong to the certificate they were opened with; those of a former one end when they are idle. */
  function agentsFor({ cert, key }: Credential): Agents {
    if (agents === undefined || agents.cert !== cert || agents.key !== key) {
      if (agents !== undefined && all.size > 8) for (const old of all) if (old !== agents) destroy(old);
      agents = { cert, key, requests: createAgent(options.maxConnections), streams: createAgent(options.maxStreams) };
      all.add(agents);
    }
    return agents;

    function createAgent(maxSockets: number): HttpAgent | HttpsAgent {
      const pool = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE, maxSockets, maxFreeSockets: 256, timeout: IDLE_CONNECTION };
      if (!secure) return new HttpAgent(pool);
      const { ca, serverName, insecure } = connection.tls;
      return new HttpsAgent({
        ...pool,
        minVersion: 'TLSv1.2',
        ...(ca === undefined ? {} : { ca }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        ...(insecure === true ? { rejectUnauthorized: false } : {}),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      });
    }
  }

  function destroy(old: Agents): void {
    old.requests.destroy();
    old.streams.destroy();
    all.delete(old);
  }

  async function start(request: WireRequest, kind: 'requests' | 'streams'): Promise<() => ClientRequest> {
    if (closed) throw new ConnectionError('the connection to the API server is closed');
    const credential = await connection.credentials.current();
    const headers: Record<string, string | string[]> = { Accept: 'application/json', 'User-Agent': 'fairlead', ...request.headers };
    if (credential.authorization !== undefined) headers['Authorization'] = credential.authorization;
    for (const [name, value] of impersonation) {
      const former = headers[name];
      const bytes = Buffer.from(value, 'utf8').toString('latin1');
      headers[name] = former === undefined ? bytes : [...(Array.isArray(former) ? former : [former]), bytes];
    }
    if (request.payload !== undefined) headers['Content-Length'] = String(request.payload.length);
    const agent = agentsFor(credential)[kind];
    const settings = { agent, method: request.method, host, port, path: base + request.path, headers };
    return () => (secure ? httpsRequest(settings) : httpRequest(settings));
  }

  /** Sends once. `deliver` takes over when the headers are there; until `done` is called the deadline and the signal hold. */
  function exchange<T>(
    request: WireRequest,
    create: () => ClientRequest,
    deliver: (response: IncomingMessage, done: (result: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    const { signal, timeout = options.timeout } = request;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(new ConnectionError('given up before it was sent', 'ABORT_ERR'));
        return;
      }
      const outgoing = create();
      let answering = false;
      const settled = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: Error): void => {
        settled();
        reject(error instanceof ConnectionError ? error : describe(error, outgoing.reusedSocket && !answering));
        // Without an error of its own: a socket that already went back to the pool has nobody who would hear it.
        outgoing.destroy();
      };
      const timer = clock.after(timeout, () =>
        fail(new ConnectionError(`no answer within ${timeout} ms from ${connection.server}`, 'ETIMEDOUT')),
      );
      const abort = (): void => fail(new ConnectionError('given up', 'ABORT_ERR'));
      signal?.addEventListener('abort', abort, { once: true });
      outgoing.on('error', fail);
      outgoing.on('response', (response) => {
        answering = true;
        const done = (result: T): void => {
          settled();
          resolve(result);
        };
        deliver(response, done, fail);
      });
      outgoing.end(request.payload);
    });
  }

  function readAll(response: IncomingMessage, done: (answer: WireAnswer) => void, fail: (error: Error) => void): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > options.maxResponseBytes) fail(new ConnectionError(`the answer is larger than ${options.maxResponseBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', fail);
    response.on('end', () => {
      if (response.complete) done({ status: response.statusCode ?? 0, headers: response.headers, content: Buffer.concat(chunks, size) });
      else fail(new ConnectionError('the answer was cut off', 'ECONNRESET'));
    });
  }

  /** `stale`: the connection was kept from before, and broke before anything of an answer came. */
  function describe(error: NodeJS.ErrnoException, stale: boolean): ConnectionError {
    const { code = '' } = error;
    const failure = new ConnectionError(explainConnectionFailure(code, error.message, connection), code, { cause: error });
    if (stale && (code === 'ECONNRESET' || code === 'EPIPE')) Object.assign(failure, { stale: true });
    return failure;
  }

  /** The server may close a kept connection just as a request leaves on it: a request that may be made twice is sent again, once. */
  async function withStaleRetry<T>(request: WireRequest, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (request.method !== 'GET' || !(error instanceof ConnectionError) || !('stale' in error)) throw error;
      return act();
    }
  }

  return {
    async send(request) {
      if (pending >= options.maxPending) throw new ConnectionError('too many requests to the API server are pending', 'EAGAIN');
      pending++;
      try {
        return await withStaleRetry(request, async () => exchange<WireAnswer>(request, await start(request, 'requests'), readAll));
      } finally {
        pending--;
      }
    },
    async open(request) {
      if (streams >= options.maxStreams) throw new ConnectionError('too many streams from the API server are open', 'EAGAIN');
      streams++;
      let opened = false;
      try {
        const answer = await withStaleRetry(request, async () =>
          exchange<{ readonly stream: IncomingMessage } | WireAnswer>(request, await start(request, 'streams'), (response, done, fail) => {
            const { statusCode = 0 } = response;
            if (statusCode < 200 || statusCode > 299) readAll(response, done, fail);
            else done({ stream: response });
          }),
        );
        if ('stream' in answer) {
          opened = true;
          answer.stream.once('close', () => void streams--);
          // What breaks before anybody reads is heard when it is read.
          answer.stream.on('error', () => {});
        }
        return answer;
      } finally {
        if (!opened) streams--;
      }
    },
    close() {
      closed = true;
      for (const each of all) destroy(each);
    },
  };
}

function serverUrl(text: string): URL {
  let server: URL;
  try {
    server = new URL(text);
  } catch {
    throw new ConnectionError(`the server must be a URL such as https://host:6443, found ${JSON.stringify(text)}`);
  }
  if (server.protocol !== 'https:' && server.protocol !== 'http:')
    throw new ConnectionError(`the server must be an http or https URL, found ${server.protocol}//`);
  return server;
}

/** What a failed connection means and what to do about it. `origin` names where the settings come from. */
function explainConnectionFailure(
  code: string,
  message: string,
  { server, origin, tls }: Pick<Connection, 'server' | 'origin' | 'tls'>,
): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${server}: is the API server running, and is the address in ${origin} right?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host of ${server} is not known: is the address in ${origin} right, and does DNS work?`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${server} is not reached (${code}): is the network, a VPN or a firewall between?`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection to ${server} was closed before the answer was whole (${message})`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return (
        `the certificate of ${server} is not trusted (${code}): ` +
        (tls.ca === undefined
          ? `${origin} names no certificate-authority`
          : `it was not issued by the certificate-authority of ${origin}; has the cluster been made anew?`)
      );
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${server} has expired`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${server} is not valid yet: is the clock of this machine right?`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${server} is for another name (${message}): set tls-server-name in ${origin} if that is meant`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${server} does not speak TLS: should the address in ${origin} begin with http://?`;
    case 'HPE_INVALID_CONSTANT':
      return `${server} does not answer in HTTP: should the address in ${origin} begin with https://?`;
    default:
      if (/handshake|alert|certificate required|bad certificate/i.test(message))
        return `${server} refused the TLS handshake (${message}): is the client certificate of ${origin} still valid?`;
      return `${server} is not reached: ${message}`;
  }
}
