import { createServer, type Socket } from 'node:net';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { boundLog, type Log, silentLog } from '../host/log.ts';
import { QUESTION } from './ask-daemon.ts';
import { faultAnswer } from './fault-answer.ts';
import { listenAt } from './listening-socket.ts';
import { BufferRoom, receiveInvocation } from './receive-invocation.ts';
import { type Answer, type Invocation, WITHIN } from './wire.ts';

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
  /** From the connection to the last byte of the invocation, whether it is refused by then or not. */
  readonly readTimeout: number;
  /** From the answer's first byte until the executable has taken the last. */
  readonly writeTimeout: number;
}

const DEFAULT_INVOCATION_LIMITS: InvocationLimits = {
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

/** Listens, and resolves when it does. Throws `FileError` where another daemon listens, or the path can't be had. */
export async function startInvocationServer(options: InvocationServerOptions): Promise<InvocationServer> {
  const { path, handle, clock = systemClock, onRefused = () => {} } = options;
  const limits: InvocationLimits = { ...DEFAULT_INVOCATION_LIMITS, ...options.limits };
  const log = boundLog(options.log ?? silentLog, { clock });
  const sockets = new Set<Socket>();
  /** Starts of invocations that wait, in the order in which they came. */
  const queue: (() => void)[] = [];
  let running = 0;
  let idle: (() => void) | undefined;

  const room = new BufferRoom(limits.maxBufferedBytes);

  const settled = (): void => {
    if (running === 0 && queue.length === 0 && sockets.size === 0) idle?.();
  };

  function onConnection(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      settled();
    });
    receiveInvocation(socket, { limits, clock, log, room, onRefused, onInvocation: take });
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
    queue.push(() => {
      if (verb === 'DEL' || clock.elapsed() - since <= limits.maxWait) {
        start(invocation, answer);
        return;
      }
      onRefused('wait');
      answer(failure(FAULT_CODES.tryAgainLater, 'the daemon has too much to do', 'the invocation waited too long for its turn'));
      next();
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
    if (running < limits.maxRunning) queue.shift()?.();
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
  const listening = await listenAt(server, path);
  server.on('error', (error) => log('error', 'server error', { error: error.message }));

  let closing: Promise<void> | undefined;
  return {
    running: () => running,
    queued: () => queue.length,
    isReachable: () => listening.isThere(),
    close({ grace = 30_000 } = {}) {
      closing ??= (async () => {
        listening.remove();
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
