import { performance } from 'node:perf_hooks';

/** A wait that can be given up. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument, so that nothing in the runtimes reads a global clock and no test sleeps. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. Durations and deadlines use this one. */
  elapsed(): number;
  /** Calls back once after `milliseconds`. A pending timer does not keep the process alive. */
  after(milliseconds: number, callback: () => void): Timer;
}

/** Node's timers wrap beyond 2^31 - 1 ms; longer waits are made of several. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

function after(milliseconds: number, callback: () => void): Timer {
  let handle: NodeJS.Timeout;
  const arm = (rest: number): void => {
    const step = Math.min(rest, LONGEST_TIMEOUT);
    handle = setTimeout(() => (rest > step ? arm(rest - step) : callback()), step);
    handle.unref();
  };
  arm(Math.max(0, milliseconds));
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after,
};

/** Waits until work has ended, but not longer than this; rejects where the work does by then. */
export async function waitAtMost(clock: Clock, milliseconds: number, work: Promise<unknown>): Promise<void> {
  let end = (): void => {};
  const late = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = clock.after(milliseconds, end);
  try {
    await Promise.race([work, late]);
  } finally {
    timer.cancel();
  }
}

/** Waits, and answers true; answers false at once when the signal aborts. */
export function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const abort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve(true);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A clock that stands still until it is told to advance. For tests. */
export interface ManualClock extends Clock {
  /** Moves the time and runs what came due, in order. */
  advance(milliseconds: number): void;
  /** How many timers wait. */
  pending(): number;
}

/** A {@link ManualClock} that starts at `start` milliseconds since the epoch. */
export function manualClock(start = 0): ManualClock {
  let time = start;
  const waiting = new Set<{ readonly due: number; readonly callback: () => void }>();
  return {
    now: () => time,
    elapsed: () => time,
    after(milliseconds, callback) {
      const timer = { due: time + Math.max(0, milliseconds), callback };
      waiting.add(timer);
      return { cancel: () => void waiting.delete(timer) };
    },
    advance(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        let next: { readonly due: number; readonly callback: () => void } | undefined;
        for (const timer of waiting) if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
        if (next === undefined) break;
        waiting.delete(next);
        time = Math.max(time, next.due);
        next.callback();
      }
      time = end;
    },
    pending: () => waiting.size,
  };
}
