import { type Clock, pause as wait } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';

/** Resolves after a while; rejects when the signal aborts. */
export async function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (!(await wait(clock, milliseconds, signal))) throw new ConnectionError('given up', 'ABORT_ERR');
}
