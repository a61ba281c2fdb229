import { readFile } from 'node:fs/promises';
import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';
import type { Connection } from './connection.ts';
import { fileCredentials } from './credential-files.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The URL at which a pod reaches its API server, by what the kubelet gives it; undefined outside of a cluster. */
export function inClusterServer(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * How a pod reaches its API server, as its service account. `folder` is where the kubelet mounts it. Rejects where the
 * account is not mounted.
 */
export async function inClusterConnection(server: string, clock: Clock, folder: string = SERVICE_ACCOUNT): Promise<Connection> {
  const read = (name: string): Promise<string> =>
    readFile(`${folder}/${name}`, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new ConnectionError(
        `this runs in a pod, but the service account is not mounted (${folder}/${name}: ${error.code}): ` +
          'set automountServiceAccountToken, or name a kubeconfig',
        error.code,
      );
    });
  const [ca, namespace] = await Promise.all([read('ca.crt'), read('namespace').catch(() => '')]);
  return {
    server,
    tls: { ca },
    credentials: fileCredentials({ tokenFile: `${folder}/token` }, clock),
    ...(namespace.trim() === '' ? {} : { namespace: namespace.trim() }),
    origin: 'the service account of this pod',
  };
}
