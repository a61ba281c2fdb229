import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { createConnection } from 'node:net';

/** A call that a gRPC server refused, or that did not come to its end. `code` is one of gRPC; -1: there was no server. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface UnaryCall {
  /** Path of the server's Unix socket. */
  readonly socket: string;
  /** `/package.Service/Method`. */
  readonly method: string;
  /** The request, encoded. */
  readonly message: Buffer;
  /** Milliseconds that the server is told it has; it is given up when `signal` aborts. */
  readonly timeout: number;
  /** Bytes of an answer; with more it is given up. */
  readonly maxAnswer: number;
  readonly signal: AbortSignal;
}

/** What a message begins with: whether it is compressed, and its length. gRPC: doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message". */
const PREFIX = 5;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = -1;

/** One call of a gRPC server, with one request and one answer: the encoded answer. Throws {@link CallError}. */
export function unaryCall({ socket, method, message, timeout, maxAnswer, signal }: UnaryCall): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
    const fail = (code: number, words: string): void => end(() => reject(new CallError(code, words)));
    const giveUp = (): void => fail(DEADLINE_EXCEEDED, `${socket} did not answer in time`);
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', giveUp);
      session.destroy();
      settle();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    session.on('error', (error) => fail(UNAVAILABLE, error.message));
    if (signal.aborted) {
      giveUp();
      return;
    }
    // Before, a stream would be told of a failure in words of its own.
    session.on('connect', () => {
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: method,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        'grpc-timeout': `${timeout}m`,
      });
      receive(stream, maxAnswer, fail, (answer) => end(() => resolve(answer)));
      const prefix = Buffer.alloc(PREFIX);
      prefix.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([prefix, message]));
    });
  });
}

function receive(
  stream: ClientHttp2Stream,
  maxAnswer: number,
  fail: (code: number, words: string) => void,
  succeed: (answer: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let status: IncomingHttpHeaders = {};
  const note = (headers: IncomingHttpHeaders): void => {
    status = { ...status, ...headers };
  };
  // A failure without an answer comes in the headers.
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxAnswer + PREFIX) fail(RESOURCE_EXHAUSTED, `the answer has more than ${maxAnswer} bytes`);
    else chunks.push(chunk);
  });
  stream.on('error', (error) => fail(INTERNAL, error.message));
  stream.on('end', () => {
    const code = Number(status['grpc-status'] ?? Number.NaN);
    const body = Buffer.concat(chunks);
    if (Number.isNaN(code)) fail(INTERNAL, `HTTP status ${String(status[':status'] ?? '')} and none of gRPC`);
    else if (code !== 0) fail(code, wordsOf(status['grpc-message']));
    else if (body.length < PREFIX || body[0] !== 0 || body.length !== PREFIX + body.readUInt32BE(1))
      fail(INTERNAL, 'the answer is not one whole message');
    else succeed(body.subarray(PREFIX));
  });
}

/** Percent-encoded, as the protocol has it. */
function wordsOf(message: string | string[] | undefined): string {
  const text = typeof message === 'string' ? message : '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
