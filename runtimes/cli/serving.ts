import type { Log } from '../host/log.ts';
import type { Metrics } from '../host/metrics.ts';
import { UsageError } from './command.ts';

/** What everything that serves in one process shares. */
export interface ServeEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Something that serves until it is closed. */
export interface Served {
  /** What it does and where, for a person. */
  readonly description: string;
  /** Ends in an orderly way, and resolves when it has. */
  close(): Promise<void>;
}

/** A server that starts. An address that cannot be had is the caller's to mend: {@link UsageError}. */
export function listening<T>(starting: Promise<T>): Promise<T> {
  return starting.catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `cannot listen: ${error.message}`,
      error.code === 'EADDRINUSE' ? 'another process has the port; 0 takes a free one' : undefined,
    );
  });
}

/** The address to reach a server at that listens on `host`, or on all addresses. */
export function hostInUrl(host: string | undefined): string {
  return host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host;
}
