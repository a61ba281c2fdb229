import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';

/** Resolves after a while; rejects when the signal aborts. */
export function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(new ConnectionError('given up', 'ABORT_ERR'));
    };
    const timer = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
