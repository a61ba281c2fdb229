import { IncomingMessage, type ServerResponse } from 'node:http';

/** One request with its whole body, to be answered exactly once. */
export interface Exchange {
  readonly body: Buffer;
  /** What follows `?` in the URL, or the empty string. */
  readonly query: string;
  /** `Clock.elapsed` when the headers had arrived. */
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

/** What the receivers of one server share. */
export interface ReceiverHost {
  readonly routes: ReadonlyMap<string, Route>;
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  /** Bytes of bodies held at the moment. */
  bufferedBytes: number;
  elapsed(): number;
  /** Whether the connection of a request is to end with its answer. */
  mustClose(request: IncomingMessage): boolean;
  refused(status: number, reason: RefusalReason): void;
  handlerFailed(error: unknown): void;
}

/** A GET needs no body; clients that send a small one are borne with. */
const MAX_GET_BODY = 4096;
const EMPTY = Buffer.alloc(0);

type Refusal = readonly [status: number, reason: RefusalReason, text: string];

/** The server's class of requests: the receiver rides on its request, so that the listeners are the same functions for all. */
export class ReceivedRequest extends IncomingMessage {
  receiver: Receiver | undefined;
}

/** Receives one request: checks its head, gathers its body within the limits, hands it to its route, sends the answer. */
export class Receiver implements Exchange {
  body: Buffer = EMPTY;
  query = '';
  readonly startedAt: number;
  readonly #host: ReceiverHost;
  readonly #request: ReceivedRequest;
  readonly #response: ServerResponse;
  #route: Route | undefined;
  #maxBytes = 0;
  #size = 0;
  #chunks: Buffer[] | undefined;
  #state: 'receiving' | 'received' | 'refused' = 'receiving';

  constructor(host: ReceiverHost, request: ReceivedRequest, response: ServerResponse) {
    this.startedAt = host.elapsed();
    this.#host = host;
    this.#request = request;
    this.#response = response;
  }

  /** Begins; everything else follows from the request's events. */
  start(): void {
    const request = this.#request;
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    this.#route = this.#host.routes.get(mark === -1 ? url : url.slice(0, mark));
    if (mark !== -1) this.query = url.slice(mark + 1);
    const refusal = this.#checkHead();
    if (refusal !== undefined) {
      this.#refuse(...refusal);
      return;
    }
    request.receiver = this;
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
  }

  /** What the head of a request already shows to be wrong. */
  #checkHead(): Refusal | undefined {
    const route = this.#route;
    if (route === undefined) return [404, 'path', 'there is nothing at this path'];
    const { method, headers } = this.#request;
    if (method !== route.method && !(route.method === 'GET' && method === 'HEAD'))
      return [405, 'method', `this path answers ${route.method} only`];
    if (route.contentType !== undefined && !isMediaType(headers['content-type'], route.contentType)) {
      return [415, 'content-type', `the Content-Type must be ${route.contentType}`];
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') return [415, 'content-encoding', 'the body must not be encoded'];
    this.#maxBytes = route.method === 'GET' ? MAX_GET_BODY : this.#host.maxBodyBytes;
    const declared = headers['content-length'];
    return declared !== undefined && Number(declared) > this.#maxBytes ? this.#tooLarge() : undefined;
  }

  #tooLarge(): Refusal {
    return [413, 'too-large', `the body must be at most ${this.#maxBytes} bytes`];
  }

  /** Answers a request whose body is not wanted. What remains of it is not waited for: the connection ends. */
  #refuse(status: number, reason: RefusalReason, text: string): void {
    this.#state = 'refused';
    this.#chunks = undefined;
    this.body = EMPTY;
    const { refused, mustClose } = this.#host;
    refused(status, reason);
    const request = this.#request;
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(text) + 1)];
    if (reason === 'method' && this.#route !== undefined) headers.push('Allow', this.#route.method);
    if (!request.complete || mustClose(request)) headers.push('Connection', 'close');
    response.writeHead(status, headers);
    response.end(`${text}\n`);
    request.resume();
  }

  onData(chunk: Buffer): void {
    if (this.#state === 'refused') return;
    this.#size += chunk.length;
    this.#host.bufferedBytes += chunk.length;
    if (this.#size > this.#maxBytes) this.#refuse(...this.#tooLarge());
    else if (this.#host.bufferedBytes > this.#host.maxBufferedBytes) this.#refuse(503, 'overloaded', 'too many bodies are being read');
    // Most bodies come in one piece.
    else if (this.body === EMPTY) this.body = chunk;
    else if (this.#chunks === undefined) this.#chunks = [this.body, chunk];
    else this.#chunks.push(chunk);
  }

  onEnd(): void {
    if (this.#state === 'refused') return;
    this.#state = 'received';
    if (this.#chunks !== undefined) {
      this.body = Buffer.concat(this.#chunks, this.#size);
      this.#chunks = undefined;
    }
    try {
      const pending = this.#route!.handle(this);
      if (pending !== undefined) pending.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Emitted once per request, whether it was read to its end, refused or broken off. */
  onClose(): void {
    this.#host.bufferedBytes -= this.#size;
    if (this.#state === 'receiving') this.#host.refused(400, 'truncated');
  }

  #failed(error: unknown): void {
    this.#host.handlerFailed(error);
    this.#host.refused(500, 'handler');
    this.respond(500, 'text/plain; charset=utf-8', 'internal error\n');
  }

  respond(status: number, contentType: string, body: Buffer | string): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const headers = ['Content-Type', contentType, 'Content-Length', String(length)];
    if (this.#host.mustClose(this.#request)) headers.push('Connection', 'close');
    response.writeHead(status, headers);
    response.end(body);
  }

  onAbort(callback: () => void): void {
    const response = this.#response;
    response.once('close', () => {
      if (!response.writableFinished) callback();
    });
  }
}

function onData(this: ReceivedRequest, chunk: Buffer): void {
  this.receiver?.onData(chunk);
}

function onEnd(this: ReceivedRequest): void {
  this.receiver?.onEnd();
}

function onClose(this: ReceivedRequest): void {
  this.receiver?.onClose();
}

function isMediaType(header: string | undefined, expected: string): boolean {
  if (header === expected) return true;
  if (header === undefined) return false;
  const semicolon = header.indexOf(';');
  return (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase() === expected;
}
