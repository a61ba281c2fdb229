import { type Clock, systemClock } from '../host/clock.ts';
import { parseJsonBody, stringifyJson } from '../host/json-body.ts';
import { type ApiError, apiErrorOf, ConnectionError, permissionAdvice } from './api-error.ts';
import type { ApiRequest, ApiResponse, KubernetesClient, WatchEvent, WatchOptions } from './client.ts';
import type { Connection } from './connection.ts';
import { createDiscovery } from './discovery.ts';
import { pause } from './pause.ts';
import { createResourceClient } from './resource-client.ts';
import { askedFor, withQuery } from './resource-path.ts';
import { createTransport, type Transport, type TransportOptions, type WireAnswer, type WireRequest } from './transport.ts';
import { readWarnings } from './warnings.ts';
import { decodeWatchEvent } from './watch-event.ts';
import { watchLines } from './watch-lines.ts';

export interface KubernetesClientOptions {
  readonly connection: Connection;
  /** Milliseconds for one request; default 30 000. */
  readonly timeout?: number;
  /** Largest answer in bytes; default 64 MiB. */
  readonly maxResponseBytes?: number;
  /** Largest event of a watch in bytes; default 16 MiB. */
  readonly maxEventBytes?: number;
  /** Connections to the server, watches apart; default 32. There is no other limit on the rate: the server has its own (429). */
  readonly maxConnections?: number;
  /** Requests that run or wait for a connection; more are refused at once. Default 5000. */
  readonly maxPending?: number;
  /** Watches that are open, each on a connection of its own; more are refused at once. Default 1000. */
  readonly maxWatches?: number;
  /** Hears of what the server warns of: deprecated versions, unknown fields. */
  readonly onWarning?: (text: string, request: ApiRequest) => void;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** Milliseconds of silence after which a watch with bookmarks (about one a minute) counts as dead. */
const IDLE = 80_000;
/** How often and how long (seconds) a request waits for a server that is too busy. */
const BUSY_RETRIES = 5;
const LONGEST_BUSY_WAIT = 10;

/** A client of the API server at a connection. Throws where the connection's URL is none. */
export function createKubernetesClient(options: KubernetesClientOptions): KubernetesClient {
  const { connection, clock = systemClock, random = Math.random, maxEventBytes = 16 * 1024 * 1024 } = options;
  const settings: TransportOptions = {
    connection,
    timeout: options.timeout ?? 30_000,
    maxResponseBytes: options.maxResponseBytes ?? 64 * 1024 * 1024,
    maxConnections: options.maxConnections ?? 32,
    maxPending: options.maxPending ?? 5000,
    maxStreams: options.maxWatches ?? 1000,
    clock,
  };
  const transport: Transport = createTransport(settings);

  /** Sends, and once more with other credentials where the server no longer takes these and there may be others. */
  async function authorized<T extends object>(act: () => Promise<T | WireAnswer>): Promise<T | WireAnswer> {
    const answer = await act();
    if (!('status' in answer) || answer.status !== 401 || !connection.credentials.refresh()) return answer;
    return act();
  }

  function refusal(request: WireRequest, { status, headers, content }: WireAnswer): ApiError {
    let body: unknown;
    try {
      body = parseJsonBody(content);
    } catch {
      body = undefined;
    }
    return apiErrorOf(status, body, headers['retry-after'], adviceFor(status, request));
  }

  function adviceFor(status: number, { method, path }: WireRequest): string | undefined {
    if (status === 401)
      return `${connection.server} does not accept the credentials of ${connection.origin}: they may have expired or been revoked; log in again or renew them`;
    if (status !== 403) return undefined;
    const asked = askedFor(method, path);
    return asked === undefined ? undefined : permissionAdvice(asked);
  }

  function wireRequest(request: ApiRequest): WireRequest {
    const { method = 'GET', path, body, signal, timeout } = request;
    const payload = body === undefined ? undefined : Buffer.from(stringifyJson(body));
    const type = payload === undefined ? {} : { 'Content-Type': request.contentType ?? 'application/json' };
    return { method, path, headers: { ...type, ...request.headers }, payload, signal, timeout };
  }

  async function request(asked: ApiRequest): Promise<ApiResponse> {
    const wire = wireRequest(asked);
    // An eviction is refused by 429 while a disruption budget does not allow it: whoever evicts decides how long to wait.
    const retry = asked.retry ?? !/\/eviction(\?|$)/.test(asked.path);
    for (let attempt = 0; ; attempt++) {
      const answer = (await authorized(() => transport.send(wire))) as WireAnswer;
      const { status, headers, content } = answer;
      if (status >= 200 && status <= 299) {
        const warnings = readWarnings(headers['warning']);
        if (options.onWarning !== undefined) for (const warning of warnings) options.onWarning(warning, asked);
        return { status, body: bodyOf(answer), bytes: content.length, warnings };
      }
      const error = refusal(wire, answer);
      // Who answers 429 has done nothing yet, so the same request can be made again, whatever it is.
      if (status !== 429 || !retry || attempt >= BUSY_RETRIES) throw error;
      const seconds = Math.min(error.retryAfterSeconds ?? 1, LONGEST_BUSY_WAIT);
      await pause(clock, seconds * 1000 * (1 + random() * 0.25), asked.signal);
    }
  }

  async function* watch(path: string, asked: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const { signal, decode = decodeWatchEvent, allowBookmarks = true } = asked;
    const timeoutSeconds = asked.timeoutSeconds ?? 300 + Math.floor(random() * 300);
    const wire: WireRequest = {
      method: 'GET',
      path: withQuery(path, {
        watch: 1,
        allowWatchBookmarks: allowBookmarks ? true : undefined,
        resourceVersion: asked.resourceVersion,
        resourceVersionMatch: asked.resourceVersionMatch,
        sendInitialEvents: asked.sendInitialEvents,
        labelSelector: asked.labelSelector || undefined,
        fieldSelector: asked.fieldSelector || undefined,
        timeoutSeconds,
      }),
      headers: {},
      signal,
    };
    const answer = await authorized(() => transport.open(wire));
    if (!('stream' in answer)) throw refusal(wire, answer);
    asked.onOpen?.();
    const idleTimeout = asked.idleTimeout ?? (allowBookmarks ? IDLE : (timeoutSeconds + 30) * 1000);
    for await (const lines of watchLines(answer.stream, { idleTimeout, maxLineBytes: maxEventBytes, signal, clock }))
      for (const line of lines) yield decode(line);
  }

  return {
    server: connection.server,
    discovery: createDiscovery(request, clock),
    request,
    resource: (type) => createResourceClient(type, { request, watch }),
    close: () => transport.close(),
  };
}

/** JSON where it is that, the text otherwise (`/healthz`, logs of a pod). */
function bodyOf({ headers, content }: WireAnswer): unknown {
  if (content.length === 0) return undefined;
  const type = headers['content-type'];
  if (type !== undefined && !type.includes('json')) return content.toString('utf8');
  try {
    return parseJsonBody(content);
  } catch (error) {
    throw new ConnectionError(`the API server's answer cannot be read: ${(error as Error).message}`);
  }
}
