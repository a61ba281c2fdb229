/** For tests: an API server of one resource that can be told to misbehave. What it holds is the truth that a cache is compared with. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../engine/object/json.ts';
import type { ResourceType } from './client.ts';

export const PODS: ResourceType = {
  group: '',
  version: 'v1',
  resource: 'pods',
  kind: 'Pod',
  namespaced: true,
  verbs: ['get', 'list', 'watch'],
  subresources: [],
};

export interface ModelRequest {
  readonly kind: 'list' | 'watch';
  readonly query: URLSearchParams;
}

/** Answers in the place of the model; false lets the model answer. */
export type Fault = (request: ModelRequest, response: ServerResponse) => boolean;

interface Event {
  readonly type: string;
  readonly object: JsonObject;
  readonly version: number;
}

interface OpenWatch {
  readonly response: ServerResponse;
  /** Sends nothing more, as a connection that broke without a word. */
  silent: boolean;
}

export interface ModelApi {
  readonly url: string;
  /** By `namespace/name`. */
  readonly objects: ReadonlyMap<string, JsonObject>;
  /** `list …` and `watch …` with the parameters that matter, in the order of arrival. */
  readonly requests: readonly string[];
  readonly openWatches: number;
  put(name: string, fields?: JsonObject): JsonObject;
  remove(name: string): void;
  /** Used for the next requests, each once. */
  readonly faults: Fault[];
  /** Forgets history: watches from before now are told that their version has expired. */
  compact(): void;
  /** Sends to all open watches that are not silent, as it is. */
  send(text: string | Buffer): void;
  bookmark(): void;
  /** Ends all open watches as a server does after their time. */
  end(): void;
  /** Breaks their connections. */
  cut(): void;
  /** Leaves them open, and sends nothing more on them. */
  silence(): void;
  /** Sends nothing to anybody of changes from now on, until `false`. */
  mute(muted: boolean): void;
  close(): Promise<void>;
}

export interface ModelApiOptions {
  /** Whether it does streaming lists; default true. */
  readonly streams?: boolean;
  readonly firstVersion?: number;
}

export const status = (code: number, reason: string, message: string, more: JsonObject = {}): JsonObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
  ...more,
});

/** Answers with a Status. */
export function refuse(
  code: number,
  reason: string,
  message = reason,
  headers: Readonly<Record<string, string>> = {},
  more: JsonObject = {},
): Fault {
  return (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(status(code, reason, message, more)));
    return true;
  };
}

export const eventLine = (type: string, object: JsonObject): string => `${JSON.stringify({ type, object })}\n`;

export async function startModelApi(options: ModelApiOptions = {}): Promise<ModelApi> {
  const { streams = true, firstVersion = 1 } = options;
  let version = firstVersion;
  let uids = 0;
  let compacted = 0;
  let muted = false;
  let log: Event[] = [];
  const objects = new Map<string, JsonObject>();
  const requests: string[] = [];
  const faults: Fault[] = [];
  const watches = new Set<OpenWatch>();

  const server: Server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams: query } = new URL(request.url!, 'http://x');
    if (pathname !== '/api/v1/pods')
      return void response.writeHead(404).end(JSON.stringify(status(404, 'NotFound', 'the server could not find it')));
    const kind = query.get('watch') === '1' ? 'watch' : 'list';
    const shown = ['resourceVersion', 'limit', 'sendInitialEvents'].flatMap((name) =>
      query.has(name) ? [`${name}=${query.get(name)}`] : [],
    );
    requests.push([kind, ...shown, ...(query.has('continue') ? ['continue'] : [])].join(' '));
    const fault = faults.shift();
    if (fault?.({ kind, query }, response) === true) return;
    if (kind === 'list') list(query, response);
    else watch(query, response);
  });

  function answer(response: ServerResponse, code: number, body: JsonObject): ServerResponse {
    response.writeHead(code, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(body));
  }

  function list(query: URLSearchParams, response: ServerResponse): ServerResponse {
    const wanted = query.get('resourceVersion') ?? '';
    if (wanted !== '' && Number(wanted) > version) return answer(response, 504, tooLarge());
    // As the real server: a list at a version that may be old comes in one piece from memory.
    const limit = wanted === '0' ? 0 : Number(query.get('limit') ?? 0);
    const token = query.get('continue');
    let from = 0;
    let at = version;
    if (token !== null) {
      const [snapshot, offset] = token.split('.').map(Number);
      if (snapshot! < compacted) return answer(response, 410, status(410, 'Expired', 'The provided continue parameter is too old'));
      from = offset!;
      at = snapshot!;
    }
    const all = [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    const items = limit > 0 ? all.slice(from, from + limit) : all;
    const rest = all.length - from - items.length;
    return answer(response, 200, {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(at), ...(rest > 0 ? { continue: `${at}.${from + items.length}` } : {}) },
      items: items.map(({ kind: _, apiVersion: __, ...item }) => item),
    });
  }

  function tooLarge(): JsonObject {
    return status(504, 'Timeout', 'Too large resource version', {
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large' }] },
    });
  }

  function watch(query: URLSearchParams, response: ServerResponse): ServerResponse {
    const wanted = query.get('resourceVersion') ?? '';
    const streaming = query.get('sendInitialEvents') === 'true';
    if (streaming && !streams)
      return answer(
        response,
        422,
        status(422, 'Invalid', 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'),
      );
    if (wanted !== '' && Number(wanted) > version) return answer(response, 504, tooLarge());
    response.writeHead(200, { 'content-type': 'application/json;stream=watch' });
    response.flushHeaders();
    const open: OpenWatch = { response, silent: false };
    if (streaming) {
      for (const object of objects.values()) response.write(eventLine('ADDED', object));
      response.write(bookmarkLine(true));
    } else if (Number(wanted) < compacted) {
      return response.end(eventLine('ERROR', status(410, 'Expired', `too old resource version: ${wanted}`)));
    } else {
      for (const { type, object, version: at } of log) if (at > Number(wanted)) response.write(eventLine(type, object));
    }
    watches.add(open);
    return response.on('close', () => watches.delete(open));
  }

  function bookmarkLine(initial: boolean): string {
    return eventLine('BOOKMARK', {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(version), ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
    });
  }

  function send(text: string | Buffer): void {
    for (const { response, silent } of watches) if (!silent && !response.writableEnded) response.write(text);
  }

  function happen(type: string, object: JsonObject): void {
    log.push({ type, object, version });
    if (!muted) send(eventLine(type, object));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    faults,
    get openWatches() {
      return watches.size;
    },
    put(name, fields = {}) {
      const key = `shop/${name}`;
      const former = objects.get(key);
      version++;
      const { uid } = (former?.['metadata'] ?? { uid: `uid-${++uids}` }) as JsonObject;
      const metadata = { name, namespace: 'shop', uid: uid!, resourceVersion: String(version), labels: { app: name.slice(0, 1) } };
      const object = { kind: 'Pod', apiVersion: 'v1', metadata, ...fields };
      objects.set(key, object);
      happen(former === undefined ? 'ADDED' : 'MODIFIED', object);
      return object;
    },
    remove(name) {
      const key = `shop/${name}`;
      const former = objects.get(key)!;
      version++;
      objects.delete(key);
      happen('DELETED', { ...former, metadata: { ...(former['metadata'] as JsonObject), resourceVersion: String(version) } });
    },
    compact() {
      // As etcd: what happens at the same time as the compaction is still to be had.
      version++;
      compacted = version;
      log = [];
    },
    send,
    bookmark: () => send(bookmarkLine(false)),
    end() {
      for (const { response, silent } of watches) if (!silent) response.end();
    },
    cut() {
      for (const { response } of watches) response.destroy();
    },
    silence() {
      for (const open of watches) open.silent = true;
    },
    mute(value) {
      muted = value;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
