import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { exceedsDepth, type Json } from '../../engine/object/json.ts';
import { callLookup } from './call-lookup.ts';
import { type Clock, systemClock } from './clock.ts';
import { readAnswer } from './http-answer.ts';
import { parseJsonBody, stringifyJson } from './json-body.ts';

/** A request to the outside world. */
export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface HttpCallAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

/** Makes one request to the outside world, under a key that tells a repetition from a new one, if there is one. Rejects with a {@link CallError}. */
export type HttpCaller = (request: HttpCall, idempotencyKey?: string, signal?: AbortSignal) => Promise<HttpCallAnswer>;

/** A call that was not made, or whose answer did not come. The message never holds headers or bodies. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Trying again will not help: the request itself or the configuration must change. */
  readonly final: boolean;
  constructor(message: string, final: boolean) {
    super(message);
    this.final = final;
  }
}

export interface HttpCallerOptions {
  /**
   * Hosts that rules may call: `api.example.com`, `*.example.com` (any name below), `127.0.0.1:8080` (that port only). A rule is
   * not trusted: without an entry, nothing is called.
   */
  readonly allowedHosts: readonly string[];
  /** Largest answer in bytes; default 1 MiB, as it is kept in a Secret. */
  readonly maxResponseBytes?: number;
  /** Largest request in bytes; default 1 MiB. */
  readonly maxRequestBytes?: number;
  /** Milliseconds that no rule may exceed; default one minute. */
  readonly maxTimeout?: number;
  /** Finds addresses of names. Default: {@link callLookup}. */
  readonly lookup?: LookupFunction;
  readonly clock?: Clock;
  /** What would allow calls to a host, to complete a message; default `start the controller with --allow-call <host>`. */
  readonly remedy?: (host: string) => string;
}

const MIB = 1024 * 1024;
/** Set by us, or able to change where a request ends. */
const RESERVED_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'idempotency-key',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);

/** Redirects are not followed: where they lead was not allowed by anybody. */
export function createHttpCaller(options: HttpCallerOptions): HttpCaller {
  const {
    allowedHosts,
    maxResponseBytes = MIB,
    maxRequestBytes = MIB,
    maxTimeout = 60_000,
    clock = systemClock,
    lookup = callLookup(),
    remedy = (host) => `start the controller with --allow-call ${host}`,
  } = options;
  return (request, idempotencyKey, signal) => {
    let url: URL;
    try {
      url = new URL(request.url);
    } catch {
      return Promise.reject(new CallError(`${JSON.stringify(request.url.slice(0, 200))} is not a URL`, true));
    }
    const objection = objectionTo(url, request, allowedHosts, remedy);
    if (objection !== undefined) return Promise.reject(new CallError(objection, true));
    const isText = typeof request.body === 'string';
    const payload = request.body === undefined ? undefined : Buffer.from(isText ? (request.body as string) : stringifyJson(request.body));
    if (payload !== undefined && payload.length > maxRequestBytes) {
      return Promise.reject(
        new CallError(`the request to ${url.host} has ${payload.length} bytes, at most ${maxRequestBytes} are sent`, true),
      );
    }
    const headers: Record<string, string | number> = { Accept: 'application/json', 'User-Agent': 'fairlead', ...request.headers };
    if (idempotencyKey !== undefined) headers['Idempotency-Key'] = idempotencyKey;
    if (payload !== undefined) {
      if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) {
        headers['Content-Type'] = isText ? 'text/plain; charset=utf-8' : 'application/json';
      }
      headers['Content-Length'] = payload.length;
    }
    return send(url, request.method, headers, payload, {
      timeout: Math.min(request.timeout, maxTimeout),
      maxResponseBytes,
      clock,
      signal,
      lookup,
    });
  };
}

function objectionTo(url: URL, request: HttpCall, allowed: readonly string[], remedy: (host: string) => string): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `calls go to http and https, not to ${url.protocol}//`;
  if (url.username !== '' || url.password !== '') return 'a URL must not hold credentials; send an Authorization header';
  if (!allowed.some((host) => allowsHost(host, url))) {
    return `calls to ${url.host} are not allowed: ${remedy(url.host)}`;
  }
  for (const name of Object.keys(request.headers)) {
    if (RESERVED_HEADERS.has(name.toLowerCase())) return `the header ${name} is not a rule's to set`;
  }
  return undefined;
}

/** Whether an entry of the allow list lets a URL through. */
export function allowsHost(entry: string, url: URL): boolean {
  const port = /:(\d+)$/.exec(entry.replace(/^\[[^\]]*\]/, ''))?.[1];
  const host = (port === undefined ? entry : entry.slice(0, -port.length - 1)).toLowerCase();
  const effective = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (port !== undefined && port !== effective) return false;
  if (host.startsWith('*.'))
    return isIP(url.hostname) === 0 && url.hostname.endsWith(host.slice(1)) && url.hostname.length > host.length - 1;
  return url.hostname === host;
}

interface SendOptions {
  readonly timeout: number;
  readonly maxResponseBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly lookup: LookupFunction;
}

function send(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string | number>>,
  payload: Buffer | undefined,
  { timeout, maxResponseBytes, clock, signal, lookup }: SendOptions,
): Promise<HttpCallAnswer> {
  // Of many services the path is the secret.
  const place = `${method} ${url.host}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CallError(`${place}: given up`, false));
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    };
    const fail = (why: string, final = false): void => {
      settle();
      request?.destroy();
      reject(new CallError(`${place}: ${why}`, final));
    };
    const timer = clock.after(timeout, () => fail(`no answer within ${timeout} ms`));
    const abort = (): void => fail('given up');
    signal?.addEventListener('abort', abort, { once: true });
    let request: ClientRequest | undefined;
    try {
      request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method, headers, lookup });
    } catch (error) {
      return fail((error as Error).message, true);
    }
    request.on('error', (error) => fail(error.message));
    request.on('response', (response: IncomingMessage) => {
      readAnswer(response, maxResponseBytes).then(
        (content) => {
          const body = readBody(content, response.headers['content-type']);
          // It is kept, compared and read by expressions, all of which walk into it.
          if (exceedsDepth(body as Json)) return fail('the answer nests too deeply');
          settle();
          resolve({ status: response.statusCode ?? 0, body });
        },
        (error: Error) => fail(error.message),
      );
    });
    request.end(payload);
  });
}

function readBody(content: Buffer, type: string | undefined): unknown {
  const text = content.toString('utf8');
  const isJson = type === undefined ? /^\s*[[{"\d]/.test(text) : /[/+]json\b/i.test(type);
  if (!isJson || text.trim() === '') return text;
  try {
    return parseJsonBody(content);
  } catch {
    return text;
  }
}
