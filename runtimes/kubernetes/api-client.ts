import { readFile } from 'node:fs/promises';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, systemClock } from '../host/clock.ts';
import { parseJsonBody } from '../host/json-body.ts';

export interface ApiClientOptions {
  /** `https://host:port`, or `http://` for a proxy on this machine such as `kubectl proxy`. */
  readonly server: string;
  /** File with a bearer token; read again every minute, because kubelets replace it. */
  readonly tokenFile?: string;
  /** File with the authorities that the server's certificate must come from. */
  readonly caFile?: string;
  /** Name that the server's certificate must have, where it differs from the URL's host. */
  readonly serverName?: string;
  /** Milliseconds for one request; default 10 000. */
  readonly timeout?: number;
  /** Largest answer in bytes; default 64 MiB. */
  readonly maxResponseBytes?: number;
  /** Connections to the server; default 16. */
  readonly maxConnections?: number;
  /** Requests that run or wait for a connection; more are refused at once. Default 1000. */
  readonly maxPending?: number;
  readonly clock?: Clock;
}

/** An answer with a 2xx status. */
export interface ApiResponse {
  readonly body: unknown;
  /** Of the body as it came. */
  readonly bytes: number;
}

/** Asks an API server. Rejects with an {@link ApiError} where the server says no, and with an Error where it is not reached. */
export interface ApiClient {
  get(path: string, signal?: AbortSignal): Promise<ApiResponse>;
  post(path: string, body: unknown, signal?: AbortSignal): Promise<ApiResponse>;
  close(): void;
}

/** The API server's refusal. The message is its own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TOKEN_AGE = 60_000;

/** Rejects when the CA file cannot be read. */
export async function createApiClient(options: ApiClientOptions): Promise<ApiClient> {
  const {
    tokenFile,
    caFile,
    serverName,
    timeout = 10_000,
    maxResponseBytes = 64 * 1024 * 1024,
    maxConnections = 16,
    maxPending = 1000,
  } = options;
  const clock = options.clock ?? systemClock;
  const server = new URL(options.server);
  const secure = server.protocol === 'https:';
  if (!secure && server.protocol !== 'http:') throw new Error(`the server must be an http or https URL, found ${server.protocol}//`);
  const base = server.pathname.replace(/\/$/, '');
  const pool = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections, timeout: 60_000 };
  const agent = secure
    ? new HttpsAgent({
        ...pool,
        minVersion: 'TLSv1.2',
        ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }),
        ...(serverName === undefined ? {} : { servername: serverName }),
      })
    : new HttpAgent(pool);
  let pending = 0;
  let token: { readonly text: Promise<string>; readonly readAt: number } | undefined;

  function bearer(): Promise<string> | undefined {
    if (tokenFile === undefined) return undefined;
    const now = clock.elapsed();
    if (token === undefined || now - token.readAt > TOKEN_AGE) {
      token = { text: readFile(tokenFile, 'utf8').then((text) => text.trim()), readAt: now };
      token.text.catch(() => {
        token = undefined;
      });
    }
    return token.text;
  }

  async function send(method: 'GET' | 'POST', path: string, body: unknown, signal: AbortSignal | undefined): Promise<ApiResponse> {
    if (pending >= maxPending) throw new Error('too many requests to the API server are pending');
    pending++;
    try {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const auth = await bearer();
      const request: RequestOptions = {
        agent,
        method,
        host: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port === '' ? (secure ? 443 : 80) : server.port,
        path: base + path,
        headers: {
          Accept: 'application/json',
          'User-Agent': 'fairlead',
          ...(auth === undefined ? {} : { Authorization: `Bearer ${auth}` }),
          ...(payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': payload.length }),
        },
      };
      const { status, content } = await exchange(request, payload, signal);
      if (status < 200 || status > 299) throw new ApiError(status, statusMessage(content) ?? `the API server answered ${status}`);
      return { body: parseJsonBody(content), bytes: content.length };
    } finally {
      pending--;
    }
  }

  function exchange(
    options: RequestOptions,
    payload: Buffer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly status: number; readonly content: Buffer }> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new Error('given up before it was sent'));
        return;
      }
      const request: ClientRequest = (secure ? httpsRequest : httpRequest)(options);
      const settled = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: Error): void => {
        settled();
        reject(error);
        // Without an error of its own: a socket that already went back to the pool has nobody who would hear it.
        request.destroy();
      };
      const timer = clock.after(timeout, () => fail(new Error(`no answer within ${timeout} ms`)));
      const abort = (): void => fail(new Error('given up'));
      signal?.addEventListener('abort', abort, { once: true });
      request.on('error', fail);
      request.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxResponseBytes) fail(new Error(`the answer is larger than ${maxResponseBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          if (!response.complete) {
            fail(new Error('the answer was cut off'));
            return;
          }
          settled();
          resolve({ status: response.statusCode ?? 0, content: Buffer.concat(chunks, size) });
        });
      });
      request.end(payload);
    });
  }

  return {
    get: (path, signal) => send('GET', path, undefined, signal),
    post: (path, body, signal) => send('POST', path, body, signal),
    close: () => agent.destroy(),
  };
}

/** The message of a `Status` object, bounded. */
function statusMessage(content: Buffer): string | undefined {
  try {
    const status = JSON.parse(content.toString('utf8')) as { readonly message?: unknown } | null;
    return typeof status?.message === 'string' ? status.message.slice(0, 512) : undefined;
  } catch {
    return undefined;
  }
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How a pod reaches its API server, by what the kubelet gives it; undefined outside of a cluster. */
export function inClusterOptions(environment: Readonly<Record<string, string | undefined>>): ApiClientOptions | undefined {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { server, tokenFile: `${SERVICE_ACCOUNT}/token`, caFile: `${SERVICE_ACCOUNT}/ca.crt` };
}
