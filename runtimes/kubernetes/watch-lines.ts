import type { IncomingMessage } from 'node:http';
import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';

/** `code` of the {@link ConnectionError} that ends a stream on which nothing came for too long. */
export const SILENT_STREAM = 'FAIRLEAD_SILENT';
/** `code` of the {@link ConnectionError} for bytes that are no event. */
export const BAD_STREAM_DATA = 'FAIRLEAD_BAD_DATA';

const NEWLINE = 0x0a;

/** Cuts a stream of bytes at newlines. Lines are views into the chunks where they can be: use them before the next {@link push}. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #partial = 0;

  /** `maxBytes`: of one line. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk, without their newlines and without empty ones. Throws a {@link ConnectionError} for a line that is too long. */
  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const tail = chunk.subarray(from, end);
      this.#check(this.#partial + tail.length);
      if (this.#partial === 0) {
        if (tail.length > 0) lines.push(tail);
      } else {
        this.#parts.push(tail);
        lines.push(Buffer.concat(this.#parts, this.#partial + tail.length));
        this.#parts = [];
        this.#partial = 0;
      }
      from = end + 1;
    }
    if (from < chunk.length) {
      const rest = from === 0 ? chunk : chunk.subarray(from);
      this.#partial += rest.length;
      this.#check(this.#partial);
      this.#parts.push(rest);
    }
    return lines;
  }

  #check(bytes: number): void {
    if (bytes > this.#maxBytes) throw new ConnectionError(`the watch sent an event of more than ${this.#maxBytes} bytes`, BAD_STREAM_DATA);
  }
}

export interface WatchLinesOptions {
  /** Milliseconds without a byte after which the stream counts as dead. */
  readonly idleTimeout: number;
  readonly maxLineBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
}

/**
 * The lines of a watch, as many at once as a chunk brought. The next chunk is only read when it is asked for, so a slow reader
 * slows the server. Ends where the server ends the stream (an incomplete last line is dropped: its event comes again); throws
 * a {@link ConnectionError} where it breaks, is silent for too long, or is given up by the signal. Leaving the loop closes it.
 */
export async function* watchLines(stream: IncomingMessage, options: WatchLinesOptions): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { idleTimeout, signal, clock } = options;
  const splitter = new LineSplitter(options.maxLineBytes);
  let heardAt = clock.elapsed();
  const arm = (milliseconds: number) =>
    clock.after(milliseconds, () => {
      const rest = heardAt + idleTimeout - clock.elapsed();
      if (rest > 0) timer = arm(rest);
      else stream.destroy(new ConnectionError(`nothing came on the watch for ${idleTimeout} ms`, SILENT_STREAM));
    });
  let timer = arm(idleTimeout);
  const abort = (): void => void stream.destroy(new ConnectionError('given up', 'ABORT_ERR'));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      heardAt = clock.elapsed();
      const lines = splitter.push(chunk);
      if (lines.length > 0) yield lines;
      // The reader may have taken its time; that is no silence of the server.
      heardAt = clock.elapsed();
    }
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new ConnectionError(`the watch broke off: ${message}`, code, { cause: error });
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', abort);
    stream.destroy();
  }
}
