import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type NetworkDaemon, startNetworkDaemon } from '../cni/daemon.ts';
import { watchBundle } from '../host/bundle-watch.ts';
import { healthRoutes } from '../host/health.ts';
import { type HttpServer, startHttpServer } from '../host/http-server.ts';
import { createMetrics } from '../host/metrics.ts';
import { processMetrics } from '../host/process-metrics.ts';
import { type CommandRun, EXIT, UsageError } from './command.ts';
import { loadBundles } from './load-bundle.ts';
import { logOf } from './log-option.ts';
import { portOf, secondsOf } from './number-options.ts';
import { paintFor, renderDiagnostics } from './report.ts';
import { hostInUrl, listening } from './serving.ts';
import { VERSION } from './version.ts';

/** `fairlead cni serve`: the daemon of a node, until a signal comes. */
export const runCniServe: CommandRun = async (args, context) => {
  const healthPort = portOf(args, 'health-port');
  const grace = secondsOf(args, 'grace');
  const log = await logOf(args, context);
  const metrics = createMetrics();
  let daemon: NetworkDaemon | undefined;
  let health: HttpServer | undefined;
  let stopMeasuring: (() => void) | undefined;
  const bundle = await watchBundle({
    paths: args.arguments.map((path) => resolve(context.cwd, path)),
    load: () => loadBundles(args.arguments, context),
    onLoaded(loaded) {
      if (loaded.diagnostics.length > 0) context.err.write(renderDiagnostics(loaded.diagnostics, paintFor(args, context, context.err)));
      daemon?.reload();
    },
    log,
    metrics,
  });
  try {
    const active = bundle.current();
    if (active === undefined) {
      context.err.write(`fairlead: the rules do not compile: ${bundle.failure()}\n`);
      return EXIT.findings;
    }
    const { rules } = active.program.network;
    if (rules.length === 0) throw new UsageError('there are no network rules');
    daemon = await startNetworkDaemon({
      bundle,
      socketPath: resolve(context.cwd, args.text('socket')!),
      stateFolder: resolve(context.cwd, args.text('state')!),
      nodeName: args.text('node-name') ?? context.env['NODE_NAME'] ?? hostname(),
      allowedPrograms: args.all('allow-program'),
      allowedHosts: args.all('allow-call'),
      version: VERSION,
      log,
      metrics,
    });
    if (healthPort !== undefined) {
      const host = args.text('host')!;
      const { notReady } = daemon;
      health = await listening(startHttpServer({ routes: healthRoutes({ notReady, metrics }), port: healthPort, host, log }));
      stopMeasuring = processMetrics(metrics);
    }
    context.out.write(
      `serving networks on ${args.text('socket')}: ${rules.map(({ name }) => name).join(', ')}` +
        `${health === undefined ? '' : `; health http://${hostInUrl(args.text('host'))}:${health.port}`}\n`,
    );
    const signal = await context.stopped;
    log('info', 'stopping', { signal });
    return EXIT.ok;
  } finally {
    await daemon?.close({ grace });
    await health?.close({ grace: 1000 });
    stopMeasuring?.();
    bundle.close();
  }
};
