import type { Clock } from '../host/clock.ts';

export interface RewriteWatchOptions {
  readonly clock: Clock;
  /** Rewrites of one object within {@link window} that are too many; default 10. */
  readonly limit?: number;
  /** Milliseconds; default one minute. */
  readonly window?: number;
  /** Milliseconds an object is left alone after the first excess, doubled with each further one; default one minute. */
  readonly pause?: number;
  /** Objects remembered; default 10 000. */
  readonly maxObjects?: number;
}

export interface RewriteVerdict {
  /** Rewrites within the window, this one included. */
  readonly count: number;
  /** Milliseconds to leave the object alone; 0 while all is well. */
  readonly pause: number;
}

/**
 * Finds objects that are written again and again: two writers that each want it their way, a webhook that changes what is applied,
 * or a rule whose template never gives the same twice.
 */
export interface RewriteWatch {
  /** An object that existed was changed by us. */
  rewrote(object: string): RewriteVerdict;
  /** Whether one more rewrite of the object is one too many. */
  isAtLimit(object: string): boolean;
  /** Keeps why an object is left alone, in words for a person. */
  explain(object: string, reason: string): void;
  /** How long the object is still to be left alone, in milliseconds, and why; undefined where it may be written. */
  pauseOf(object: string): { readonly milliseconds: number; readonly reason: string } | undefined;
  forget(object: string): void;
}

interface History {
  times: number[];
  until: number;
  excesses: number;
  reason: string;
}

const LONGEST_PAUSE = 30 * 60_000;

export function createRewriteWatch(options: RewriteWatchOptions): RewriteWatch {
  const { clock, limit = 10, window = 60_000, pause = 60_000, maxObjects = 10_000 } = options;
  const histories = new Map<string, History>();
  return {
    rewrote(object) {
      const now = clock.elapsed();
      let history = histories.get(object);
      if (history === undefined) {
        if (histories.size >= maxObjects) histories.delete(histories.keys().next().value!);
        history = { times: [], until: 0, excesses: 0, reason: '' };
        histories.set(object, history);
      }
      history.times = history.times.filter((time) => now - time < window);
      // A pause that was survived quietly for as long as it was is forgiven.
      if (history.times.length === 0 && now > history.until + window) history.excesses = 0;
      history.times.push(now);
      const count = history.times.length;
      if (count < limit) return { count, pause: 0 };
      const length = Math.min(pause * 2 ** history.excesses, LONGEST_PAUSE);
      history.excesses++;
      history.until = now + length;
      return { count, pause: length };
    },
    isAtLimit(object) {
      const now = clock.elapsed();
      const times = histories.get(object)?.times ?? [];
      return times.filter((time) => now - time < window).length + 1 >= limit;
    },
    explain(object, reason) {
      const history = histories.get(object);
      if (history !== undefined) history.reason = reason;
    },
    pauseOf(object) {
      const history = histories.get(object);
      if (history === undefined || history.until <= clock.elapsed()) return undefined;
      return { milliseconds: history.until - clock.elapsed(), reason: history.reason };
    },
    forget: (object) => void histories.delete(object),
  };
}
