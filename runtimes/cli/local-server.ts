import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentTls } from '../host/certificates.ts';
import { type Log, silentLog } from '../host/log.ts';
import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from '../kubernetes/embedded/server.ts';

/**
 * An embedded API server with a certificate of its own that is gone when it closes. Even on this machine: without TLS and a token, any
 * program and any page in a browser could read and write what it holds.
 */
export async function startLocalServer(options: Omit<EmbeddedServerOptions, 'tls' | 'ca'> = {}): Promise<EmbeddedServer> {
  const { host = '127.0.0.1', log = silentLog } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-api-server-'));
  const close = (tls?: { close(): void }): void => {
    tls?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const tls = await certificate(folder, host, log).catch((error: unknown) => {
    close();
    throw error;
  });
  try {
    const server = await startEmbeddedServer({ ...options, tls, ca: tls.caBundle });
    return {
      ...server,
      async close() {
        await server.close();
        close(tls);
      },
    };
  } catch (error) {
    close(tls);
    throw error;
  }
}

const certificate = (folder: string, host: string, log: Log) =>
  developmentTls({ folder, hosts: [...new Set([host, 'localhost', '127.0.0.1', '::1'])], log });
