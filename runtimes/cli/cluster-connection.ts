import { ApiError, ConnectionError } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { type ConnectOptions, connect } from '../kubernetes/connect.ts';
import { type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';

/** The cluster that `--kubeconfig`, `--context` and `--kube-api` mean; by default kubectl's, or the one of the pod this runs in. */
export function connectOptions(args: ParsedArguments, context: CommandContext): ConnectOptions {
  const [server, kubeconfig, name] = ['kube-api', 'kubeconfig', 'context'].map((option) => args.text(option));
  if (server !== undefined && (kubeconfig ?? name) !== undefined) {
    throw new UsageError('--kube-api is a cluster by itself: leave out --kubeconfig and --context');
  }
  return { server, kubeconfig, context: name, environment: context.env, cwd: context.cwd };
}

/**
 * Connects, works with the client, and closes it. What a server refuses and that it is not reached is the user's to mend, and shown
 * without a stack: {@link UsageError}.
 */
export async function withCluster<T>(
  args: ParsedArguments,
  context: CommandContext,
  work: (client: KubernetesClient) => Promise<T>,
): Promise<T> {
  let client: KubernetesClient | undefined;
  try {
    client = await connect(connectOptions(args, context));
    return await work(client);
  } catch (error) {
    throw clusterError(error, client);
  } finally {
    client?.close();
  }
}

/** An error of a cluster as one that commands show; anything else as it is. */
export function clusterError(error: unknown, client?: Pick<KubernetesClient, 'server'>): unknown {
  if (error instanceof ApiError) return new UsageError(`${client?.server ?? 'the cluster'}: ${error.message}`, error.advice);
  if (error instanceof ConnectionError) return new UsageError(error.message);
  return error;
}
