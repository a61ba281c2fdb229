import type { Clock } from '../host/clock.ts';

/** A signal that aborts after a while, or with another. */
export interface StepDeadline {
  readonly signal: AbortSignal;
  /** Whether the time is up, rather than that the other signal aborted. */
  readonly isPassed: boolean;
  /** To be called when nothing is waited for any more. */
  end(): void;
}

export function stepDeadline(clock: Clock, milliseconds: number, outer: AbortSignal | undefined): StepDeadline {
  const controller = new AbortController();
  let isPassed = false;
  const abort = (): void => controller.abort();
  const timer = clock.after(milliseconds, () => {
    isPassed = true;
    abort();
  });
  if (outer?.aborted) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    get isPassed() {
      return isPassed;
    },
    end() {
      timer.cancel();
      outer?.removeEventListener('abort', abort);
    },
  };
}
