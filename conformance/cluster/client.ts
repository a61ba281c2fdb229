import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import { parseJsonBody, stringifyJson } from '../../runtimes/host/json-body.ts';
import { type Impersonation, impersonationHeaders } from '../../runtimes/kubernetes/connection.ts';
import { readWarnings } from '../../runtimes/kubernetes/warnings.ts';

export interface ApiRequest {
  /** Default GET. */
  readonly method?: string;
  /** `/api/v1/namespaces/x/pods`, without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; a bigint is an integer. */
  readonly body?: unknown;
  /** Default `application/json`; patches have their own types. */
  readonly contentType?: string;
  /** A body that is sent as it is, in place of {@link body}. */
  readonly text?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly impersonate?: Impersonation;
  /** Default 60,000; of a stream, how long it may last. */
  readonly deadlineMs?: number;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed when it is JSON (integers beyond 2^53 are bigint), else the text. */
  readonly body: unknown;
  /** Texts of the `Warning` headers, unquoted, in order. */
  readonly warnings: readonly string[];
  /** `Audit-Id`: the request's name in the audit log. */
  readonly auditId: string | undefined;
  /** By names in lower case; of a header that comes several times, the values joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** An answer that does not end by itself, such as a watch. */
export interface ApiStream {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Lines as they come, without their ends; ends when the server or {@link close} ends it. */
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/** Requests to an API server over kept connections. */
export interface ApiClient {
  request(request: ApiRequest): Promise<ApiResponse>;
  /** As {@link request}, and throws an Error with the server's message on any status above 299. */
  expect(request: ApiRequest): Promise<ApiResponse>;
  /** Answers as soon as the server has sent its headers. */
  stream(request: ApiRequest): Promise<ApiStream>;
  close(): void;
}

export interface ClientOptions {
  /** `https://127.0.0.1:6443`, or with `http:`. */
  readonly url: string;
  /** PEM; for HTTPS. */
  readonly ca?: string | undefined;
  readonly token: string;
  /** Default 16. */
  readonly connections?: number;
}

const REQUEST_DEADLINE_MS = 60_000;

export function createClient(options: ClientOptions): ApiClient {
  const pool = { keepAlive: true, maxSockets: options.connections ?? 16 };
  const agent = options.url.startsWith('http:') ? new HttpAgent(pool) : new HttpsAgent({ ...pool, ca: options.ca });
  const client: ApiClient = {
    request: (request) => send(options, agent, request, true),
    async expect(request) {
      const response = await client.request(request);
      if (response.status > 299) {
        throw new Error(`${request.method ?? 'GET'} ${request.path} answered ${response.status}: ${messageOf(response.body)}`);
      }
      return response;
    },
    stream: (request) => openStream(options, agent, request),
    close: () => agent.destroy(),
  };
  return client;
}

/** `message` of a Status, else the body as text. */
export function messageOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string') return body.message;
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function headersOf(options: ClientOptions, request: ApiRequest, body: string | undefined): string[] {
  const headers: string[] = ['Host', new URL(options.url).host, 'Authorization', `Bearer ${options.token}`];
  headers.push('Accept', request.accept ?? 'application/json');
  for (const [name, value] of Object.entries(request.headers ?? {})) headers.push(name, value);
  if (body !== undefined) {
    headers.push('Content-Type', request.contentType ?? 'application/json', 'Content-Length', String(Buffer.byteLength(body)));
  }
  if (request.impersonate !== undefined) headers.push(...impersonationHeaders(request.impersonate).flat());
  return headers;
}

/** The server may close a kept connection just as a request leaves on it: then the request is sent again, once, on a new one. */
function send(options: ClientOptions, agent: HttpAgent, request: ApiRequest, mayRetry: boolean): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(request.deadlineMs ?? REQUEST_DEADLINE_MS);
    const outgoing = begin(options, agent, request, signal, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const isJson = incoming.headers['content-type']?.includes('json') ?? false;
        resolve({
          status: incoming.statusCode ?? 0,
          body: isJson && bytes.length > 0 ? parseJsonBody(bytes) : bytes.toString('utf8'),
          warnings: readWarnings(incoming.headersDistinct['warning']?.join(', ')),
          auditId: incoming.headersDistinct['audit-id']?.[0],
          headers: Object.fromEntries(Object.entries(incoming.headersDistinct).map(([name, values]) => [name, values?.join(', ')])),
        });
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (mayRetry && outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(send(options, agent, request, false));
      else reject(error);
    });
  });
}

function openStream(options: ClientOptions, agent: HttpAgent, request: ApiRequest): Promise<ApiStream> {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const { deadlineMs = REQUEST_DEADLINE_MS } = request;
    const signal = Number.isFinite(deadlineMs) ? AbortSignal.any([abort.signal, AbortSignal.timeout(deadlineMs)]) : abort.signal;
    const outgoing = begin(options, agent, request, signal, (incoming) => {
      resolve({
        status: incoming.statusCode ?? 0,
        contentType: incoming.headers['content-type'],
        lines: linesOf(incoming, abort.signal),
        close: () => abort.abort(),
      });
    });
    outgoing.on('error', reject);
  });
}

async function* linesOf(incoming: IncomingMessage, closed: AbortSignal): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: incoming, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}

function begin(
  options: ClientOptions,
  agent: HttpAgent,
  request: ApiRequest,
  signal: AbortSignal,
  answered: (incoming: IncomingMessage) => void,
): ClientRequest {
  const url = new URL(request.path, options.url);
  for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, value);
  const body = request.text ?? (request.body === undefined ? undefined : stringifyJson(request.body));
  const outgoing = (url.protocol === 'http:' ? httpRequest : httpsRequest)(
    url,
    { method: request.method ?? 'GET', agent, headers: headersOf(options, request, body), signal },
    answered,
  );
  outgoing.end(body);
  return outgoing;
}
