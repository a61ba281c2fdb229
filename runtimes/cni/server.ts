import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import { type Clock, systemClock, type Timer } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { describeFolderFailure } from '../host/folder-lock.ts';
import { boundLog, type Log, silentLog } from '../host/log.ts';
import { FileError } from '../host/text-files.ts';
import { QUESTION } from './daemon-status.ts';
import { faultAnswer } from './fault-answer.ts';
import { type Answer, formatAnswer, type Invocation, MAX_INVOCATION_BYTES, parseInvocation, WITHIN, WireError } from './wire.ts';

/*
 * Takes invocations of the executable over a Unix socket. An invocation that was begun is ended, whether somebody still waits for it or not:
 * an ADD whose runtime went away is completed like any other, because the DEL that the runtime owes it finds then what it undoes, and the
 * garbage collection what nobody wants; half of one would be found by neither.
 */

/** Every input has a size limit, every wait a deadline, every queue a bound. Times in milliseconds, sizes in bytes. */
export interface InvocationLimits {
  /** Invocations that are worked on at once. STATUS does not count: it must not wait behind what is slow. */
  readonly maxRunning: number;
  /** Invocations that wait for their turn; beyond it they are told to try again. */
  readonly maxQueued: number;
  /** How long one may wait for its turn: afterwards the executable has given up. A DEL is done all the same. */
  readonly maxWait: number;
  readonly maxConnections: number;
  /** Bytes of invocations that are being received or wait, over all connections. */
  readonly maxBufferedBytes: number;
  /** From the connection to the last byte of the invocation. */
  readonly readTimeout: number;
  /** From the answer's first byte until the executable has taken the last. */
  readonly writeTimeout: number;
}

export const DEFAULT_INVOCATION_LIMITS: InvocationLimits = {
  maxRunning: 64,
  maxQueued: 1024,
  maxWait: 110_000,
  maxConnections: 2048,
  maxBufferedBytes: 64 * 1024 * 1024,
  readTimeout: 10_000,
  writeTimeout: 10_000,
};

export interface InvocationServerOptions {
  /** Of the socket. Its folder is made where it is missing, for its owner only; a socket that a daemon left is replaced. */
  readonly path: string;
  /** Does what is asked. What it throws is a bug, and is answered with code 999. */
  readonly handle: (invocation: Invocation) => Promise<Answer>;
  readonly limits?: Partial<InvocationLimits>;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Told of each invocation that was not given to `handle`. */
  readonly onRefused?: (reason: 'queue' | 'wait' | 'memory' | 'malformed' | 'timeout') => void;
}

export interface InvocationServer {
  /** Invocations that are worked on, and that wait. */
  running(): number;
  queued(): number;
  /** Whether the socket is where it was made, so that it can be found. */
  isReachable(): boolean;
  /**
   * Accepts no more, ends what it has, and removes the socket. What is not done after `grace` milliseconds (default 30 000) is no longer
   * waited for. Safe to call twice.
   */
  close(options?: { readonly grace?: number }): Promise<void>;
}

interface Waiting {
  readonly start: () => void;
  readonly since: number;
}

/** Listens, and resolves when it does. Throws {@link FileError} where another daemon listens, or the path can't be had. */
export async function startInvocationServer(options: InvocationServerOptions): Promise<InvocationServer> {
  const { path, handle, clock = systemClock, onRefused = () => {} } = options;
  const limits: InvocationLimits = { ...DEFAULT_INVOCATION_LIMITS, ...options.limits };
  const log = boundLog(options.log ?? silentLog, { clock });
  const sockets = new Set<Socket>();
  const queue: Waiting[] = [];
  let running = 0;
  let buffered = 0;
  let idle: (() => void) | undefined;

  const settled = (): void => {
    if (running === 0 && queue.length === 0 && sockets.size === 0) idle?.();
  };

  function onConnection(socket: Socket): void {
    sockets.add(socket);
    const chunks: Buffer[] = [];
    let length = 0;
    let timer: Timer = clock.after(limits.readTimeout, () => {
      onRefused('timeout');
      log('warn', 'invocation did not arrive in time', { bytes: length });
      socket.destroy();
    });
    const forget = (): void => {
      timer.cancel();
      buffered -= length;
      length = 0;
      chunks.length = 0;
    };
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      forget();
      settled();
    });
    const answer = (text: Answer): void => {
      forget();
      socket.end(formatAnswer(text));
      // Whoever does not take it is not waited for.
      timer = clock.after(limits.writeTimeout, () => socket.destroy());
    };
    let refused: Answer | undefined;
    socket.on('data', (chunk: Buffer) => {
      // What is refused is read to its end all the same: the executable does not listen before.
      if (refused !== undefined) return;
      length += chunk.length;
      buffered += chunk.length;
      if (length > MAX_INVOCATION_BYTES) {
        onRefused('malformed');
        refused = failure(FAULT_CODES.decodingFailure, `the invocation has more than ${MAX_INVOCATION_BYTES} bytes`);
      } else if (buffered > limits.maxBufferedBytes) {
        onRefused('memory');
        refused = failure(FAULT_CODES.tryAgainLater, 'the daemon has too much to do', 'too many bytes of invocations wait');
      } else chunks.push(chunk);
      if (refused !== undefined) forget();
    });
    socket.on('end', () => {
      timer.cancel();
      if (refused !== undefined) {
        answer(refused);
        return;
      }
      const bytes = Buffer.concat(chunks);
      chunks.length = 0;
      let invocation: Invocation;
      try {
        invocation = parseInvocation(bytes);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        onRefused('malformed');
        log('warn', 'something that is no invocation came over the socket', { reason: error.message });
        answer(failure(FAULT_CODES.ioFailure, error.message));
        return;
      }
      take(invocation, answer);
    });
  }

  function take(invocation: Invocation, answer: (answer: Answer) => void): void {
    const verb = invocation.environment.get('CNI_COMMAND') ?? '';
    // A daemon that has too much to do is the one that is asked how it is.
    if (verb === 'STATUS' || invocation.environment.get(QUESTION) === 'status') {
      void work(invocation).then(answer);
      return;
    }
    if (running < limits.maxRunning || invocation.environment.has(WITHIN)) {
      start(invocation, answer);
      return;
    }
    if (queue.length >= limits.maxQueued) {
      onRefused('queue');
      log('warn', 'too many invocations wait', { waiting: queue.length });
      answer(failure(FAULT_CODES.tryAgainLater, 'the daemon has too much to do', `${queue.length} invocations wait`));
      return;
    }
    const since = clock.elapsed();
    queue.push({
      since,
      start() {
        if (verb !== 'DEL' && clock.elapsed() - since > limits.maxWait) {
          onRefused('wait');
          answer(failure(FAULT_CODES.tryAgainLater, 'the daemon has too much to do', 'the invocation waited too long for its turn'));
          next();
        } else start(invocation, answer);
      },
    });
  }

  function start(invocation: Invocation, answer: (answer: Answer) => void): void {
    running++;
    void work(invocation).then((result) => {
      running--;
      answer(result);
      next();
    });
  }

  function next(): void {
    if (running < limits.maxRunning) queue.shift()?.start();
    settled();
  }

  async function work(invocation: Invocation): Promise<Answer> {
    try {
      return await handle(invocation);
    } catch (error) {
      log('error', 'invocation failed by a bug', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      return failure(FAULT_CODES.internal, errorMessage(error));
    }
  }

  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.maxConnections = limits.maxConnections;
  const inode = await listen(server, path);
  server.on('error', (error) => log('error', 'server error', { error: error.message }));

  let closing: Promise<void> | undefined;
  return {
    running: () => running,
    queued: () => queue.length,
    isReachable: () => inodeOf(path) === inode,
    close({ grace = 30_000 } = {}) {
      closing ??= (async () => {
        // Another daemon may have taken the path over.
        if (inodeOf(path) === inode) rmSync(path, { force: true });
        const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
        const done = new Promise<void>((resolve) => {
          idle = resolve;
          settled();
        });
        const late = new Promise<void>((resolve) => {
          const timer = clock.after(grace, () => {
            log('warn', 'invocations did not end in time', { running, waiting: queue.length });
            queue.length = 0;
            resolve();
          });
          void done.then(() => timer.cancel());
        });
        await Promise.race([done, late]);
        for (const socket of sockets) socket.destroy();
        await closed;
      })();
      return closing;
    },
  };
}

const failure = (code: number, msg: string, details?: string): Answer => faultAnswer(fault(code, msg, details));

/**
 * Binds beside the path and renames into place, so that the socket is never seen with other permissions, and a left one is replaced at once.
 * Answers what tells the socket from another at the same path.
 */
async function listen(server: Server, path: string): Promise<string> {
  // The kernel's limit for the path of a socket is 107 bytes, and it cuts off what is longer.
  const temporary = `${path}.${process.pid}`;
  if (Buffer.byteLength(temporary) > 107)
    throw new FileError(path, `is too long for a socket by ${Buffer.byteLength(temporary) - 107} bytes`);
  if (await answers(path)) throw new FileError(path, 'another daemon listens there: end that one, or choose another socket');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileError(dirname(path), describeFolderFailure(error));
  }
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isSocket()) throw new FileError(path, 'is there, and is no socket');
    rmSync(temporary, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: temporary, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
    return inodeOf(path)!;
  } catch (error) {
    server.close();
    if (error instanceof FileError) throw error;
    throw new FileError(path, errorMessage(error));
  }
}

function inodeOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}

/** Whether somebody accepts connections at a path. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A socket whose queue is full belongs to somebody, too.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EAGAIN'));
  });
}
