import { readFile } from 'node:fs/promises';
import { type Clock, systemClock } from './clock.ts';
import { type FolderEvents, watchFolder } from './folder-watch.ts';
import { type Log, silentLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import { certificateExpiry, type TlsIdentity, type TlsSource, tlsSource } from './tls.ts';

export interface TlsFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM of the authorities whose clients are let in; without it clients need no certificate. */
  readonly clientCaFile?: string;
  readonly settle?: number;
  readonly poll?: number;
  readonly clock?: Clock;
  readonly events?: FolderEvents;
  readonly log?: Log;
  readonly metrics?: Metrics;
}

export interface WatchedTls extends TlsSource {
  /** Looks for changes now. */
  check(): Promise<void>;
}

/**
 * An identity from files, read again whenever they change, as cert-manager and the kubelet change them. Rejects when the
 * first reading fails; later a bad one keeps the old identity and says so in the log and in `fairlead_tls_reloads_total`.
 */
export async function tlsFromFiles(options: TlsFilesOptions): Promise<WatchedTls> {
  const { certFile, keyFile, clientCaFile, clock = systemClock, log = silentLog, settle, poll, events } = options;
  const paths = clientCaFile === undefined ? [certFile, keyFile] : [certFile, keyFile, clientCaFile];
  const reloads = options.metrics?.counter({
    name: 'fairlead_tls_reloads_total',
    help: 'Attempts to read changed certificate files.',
    labels: ['result'],
  });

  async function read(): Promise<TlsIdentity> {
    const [cert, key, clientCa] = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    return { cert: cert!, key: key!, ...(clientCa === undefined ? {} : { clientCa }) };
  }

  // Watching begins before the first reading, so that no change can fall between the two.
  let first: Promise<TlsSource & { replace(identity: TlsIdentity): void }> | undefined;
  const watch = await watchFolder({
    paths,
    clock,
    settle,
    poll,
    events,
    async onChange() {
      const source = await first?.catch(() => undefined);
      if (source === undefined) return;
      try {
        const next = await read();
        source.replace(next);
        reloads?.of('success').add();
        log('info', 'certificate reloaded', { file: certFile, expires: new Date(certificateExpiry(next)).toISOString() });
      } catch (error) {
        reloads?.of('failure').add();
        log('error', 'certificate not reloaded; the former one stays in use', { file: certFile, error: (error as Error).message });
      }
    },
  });
  first = read().then(tlsSource);
  const source = await first.catch((error: unknown) => {
    watch.close();
    throw error;
  });
  const { current, subscribe, close } = source;
  return {
    current,
    subscribe,
    check: watch.check,
    close() {
      watch.close();
      close();
    },
  };
}
