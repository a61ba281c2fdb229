import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentTls } from '../host/certificates.ts';
import { type Log, silentLog } from '../host/log.ts';
import { type EmbeddedCluster, type EmbeddedClusterOptions, startEmbeddedCluster } from '../kubernetes/embedded/cluster.ts';
import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from '../kubernetes/embedded/server.ts';

type WithoutTls<Options> = Omit<Options, 'tls' | 'ca'>;

/**
 * An embedded API server with a certificate of its own that is gone when it closes. Even on this machine: without TLS and a token, any
 * program and any page in a browser could read and write what it holds. Nothing happens in it by itself.
 */
export const startLocalServer = (options: WithoutTls<EmbeddedServerOptions> = {}): Promise<EmbeddedServer> =>
  withCertificate(options, startEmbeddedServer);

/** The same with everything around it that makes a cluster. */
export const startLocalCluster = (options: WithoutTls<EmbeddedClusterOptions> = {}): Promise<EmbeddedCluster> =>
  withCertificate(options, startEmbeddedCluster);

async function withCertificate<Options extends EmbeddedServerOptions, Server extends EmbeddedServer>(
  options: Options,
  start: (options: Options) => Promise<Server>,
): Promise<Server> {
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
    const server = await start({ ...options, tls, ca: tls.caBundle });
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
