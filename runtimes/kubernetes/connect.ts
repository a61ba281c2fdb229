import { systemClock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { type Connection, fixedCredentials, type Impersonation } from './connection.ts';
import { inClusterConnection, inClusterServer } from './in-cluster.ts';
import { connectionOf, kubeconfigFiles, readKubeconfig } from './kubeconfig.ts';
import { createKubernetesClient, type KubernetesClientOptions } from './kubernetes-client.ts';

/** Which API server is meant. */
export interface ConnectOptions extends Omit<KubernetesClientOptions, 'connection'> {
  /** URL of a server that asks for no credentials, such as `kubectl proxy` on this machine. */
  readonly server?: string | undefined;
  /** A kubeconfig by name. */
  readonly kubeconfig?: string | undefined;
  /** A context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
  /** Asks as somebody else. */
  readonly impersonate?: Impersonation | undefined;
  /** Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: the process's. */
  readonly cwd?: string;
}

/** A server that asks for no credentials. */
export function urlConnection(server: string): Connection {
  return { server, tls: {}, credentials: fixedCredentials({}), origin: `the URL ${server}` };
}

/**
 * Finds out how an API server is reached: by the URL or kubeconfig that is named, else by kubectl's kubeconfig, else as a pod
 * does. Undefined where there is none of these. Rejects with an Error that says what to do where one is there and cannot be used.
 */
export async function findConnection(options: ConnectOptions = {}): Promise<Connection | undefined> {
  const { server, kubeconfig, context, environment = process.env, cwd = process.cwd(), clock = systemClock } = options;
  const found = await find();
  if (found === undefined || options.impersonate === undefined) return found;
  return { ...found, impersonate: options.impersonate };

  async function find(): Promise<Connection | undefined> {
    if (server !== undefined) return urlConnection(server);
    const files = kubeconfigFiles({ file: kubeconfig, environment, cwd });
    if (files.length > 0) return connectionOf(await readKubeconfig(files), context, clock);
    const inside = inClusterServer(environment);
    if (inside === undefined || context !== undefined) return undefined;
    return inClusterConnection(inside, clock);
  }
}

/** A client of the API server that is meant. Rejects with an Error that says what to do where there is none. Does not ask the server yet. */
export async function connect(options: ConnectOptions = {}): Promise<KubernetesClient> {
  const connection = await findConnection(options);
  if (connection === undefined) {
    const { KUBECONFIG } = options.environment ?? process.env;
    throw new ConnectionError(
      KUBECONFIG
        ? `none of the files that KUBECONFIG names exists: ${KUBECONFIG}`
        : 'there is no cluster to connect to: set KUBECONFIG, make ~/.kube/config, or run in a pod',
    );
  }
  return createKubernetesClient({ ...options, connection });
}
