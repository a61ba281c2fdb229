import { startController } from '../controller/controller.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import { healthRoutes } from '../host/health.ts';
import { createHttpCaller } from '../host/http-caller.ts';
import { startHttpServer } from '../host/http-server.ts';
import { processMetrics } from '../host/process-metrics.ts';
import { connect } from '../kubernetes/connect.ts';
import { clusterError, connectOptions } from './cluster-connection.ts';
import type { ParsedArguments } from './command.ts';
import type { CommandContext } from './context.ts';
import { portOf } from './number-options.ts';
import { hostInUrl, listening, type Served, type ServeEnvironment } from './serving.ts';

/**
 * Runs the reconcile rules of a bundle on a cluster. A cluster that is not reached is tried again, and told of at /readyz. `alone`: nothing
 * else in this process measures the process.
 */
export async function serveController(
  args: ParsedArguments,
  context: CommandContext,
  { bundle, log, metrics }: ServeEnvironment & { readonly bundle: BundleSource },
  alone: boolean,
): Promise<Served> {
  const leaderElection = args.text('leader-elect') !== 'false';
  const namespace = args.text('namespace') ?? 'fairlead-system';
  const host = args.text('host');
  const healthPort = portOf(args, 'health-port');
  const client = await connect(connectOptions(args, context)).catch((error: unknown) => {
    throw clusterError(error);
  });
  const controller = await startController({
    client,
    bundle,
    log,
    metrics,
    namespace,
    leaderElection,
    watchRules: args.on('watch-rules'),
    call: createHttpCaller({ allowedHosts: args.all('allow-call') }),
  });
  let stopping = false;
  const notReady = (): string | undefined => (stopping ? 'shutting down' : controller.notReady());
  const stopProcessMetrics = healthPort === undefined || !alone ? undefined : processMetrics(metrics);
  const health =
    healthPort === undefined
      ? undefined
      : await listening(
          startHttpServer({
            routes: healthRoutes({ notReady, metrics }),
            port: healthPort,
            log,
            ...(host === undefined ? {} : { host }),
          }),
        ).catch(async (error: unknown) => {
          stopProcessMetrics?.();
          await controller.stop();
          client.close();
          throw error;
        });
  const names = [
    ...(bundle.current()?.program.reconcile.rules ?? []).map(({ name }) => name),
    ...(args.on('watch-rules') ? ['the rules of the cluster'] : []),
  ];
  return {
    description:
      `reconciling on ${client.server}: ${names.join(', ')}${leaderElection ? `; elects a leader in ${namespace}` : ''}` +
      `${health === undefined ? '' : `; health http://${hostInUrl(host)}:${health.port}`}`,
    async close() {
      stopping = true;
      await controller.stop();
      await health?.close({ grace: 1000 });
      stopProcessMetrics?.();
      client.close();
    },
  };
}
