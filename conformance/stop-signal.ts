import { setMaxListeners } from 'node:events';

/** Aborts when this process is told to end. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  // Each node of a suite listens.
  setMaxListeners(0, stop.signal);
  return stop.signal;
}
