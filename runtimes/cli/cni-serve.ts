import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { NetworkRule } from '../../engine/rules/network/program.ts';
import { clusterNetworkFacts } from '../cni/cluster/cluster-network-facts.ts';
import type { AnnotationDebts } from '../cni/cluster/owed-annotations.ts';
import { createPodAnnotator, type PodAnnotator } from '../cni/cluster/pod-annotator.ts';
import { type NetworkDaemon, startNetworkDaemon } from '../cni/daemon.ts';
import type { NetworkFactsSource } from '../cni/verbs/network-facts-source.ts';
import { watchBundle } from '../host/bundle-watch.ts';
import { healthRoutes } from '../host/health.ts';
import { type HttpServer, startHttpServer } from '../host/http-server.ts';
import type { Log } from '../host/log.ts';
import { createMetrics } from '../host/metrics.ts';
import { raisePriority } from '../host/priority.ts';
import { processMetrics } from '../host/process-metrics.ts';
import { connect } from '../kubernetes/connect.ts';
import { clusterError, connectOptions } from './cluster-connection.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
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
  let cluster: Awaited<ReturnType<typeof clusterOf>>;
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
    const nodeName = args.text('node-name') ?? context.env['NODE_NAME'] ?? hostname();
    cluster = await clusterOf(args, context, rules, nodeName, log);
    // Pods wait for it, on nodes that are busy with starting pods.
    raisePriority();
    daemon = await startNetworkDaemon({
      bundle,
      ...(cluster === undefined ? {} : { facts: cluster.facts, podAnnotator: cluster.podAnnotator }),
      socketPath: resolve(context.cwd, args.text('socket')!),
      stateFolder: resolve(context.cwd, args.text('state')!),
      nodeName,
      allowedPrograms: args.all('allow-program'),
      allowedHosts: args.all('allow-call'),
      version: VERSION,
      rehearses: !args.on('no-rehearsal'),
      log,
      metrics,
    });
    if (healthPort !== undefined) {
      const host = args.text('host')!;
      const serving = daemon;
      const notReady = (): string | undefined => serving.notReady();
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
    cluster?.close();
    stopMeasuring?.();
    bundle.close();
  }
};

/**
 * The cluster that rules look something up in and whose pods they annotate, where one is named or there is one to be found. Rules that do neither
 * do without. A bundle that begins to look something up later needs a restart, which the log says by each of its failures.
 */
async function clusterOf(
  args: ParsedArguments,
  context: CommandContext,
  rules: readonly NetworkRule[],
  nodeName: string,
  log: Log,
): Promise<
  { readonly facts: NetworkFactsSource; readonly podAnnotator: (debts: AnnotationDebts) => PodAnnotator; close(): void } | undefined
> {
  const isNamed = ['kubeconfig', 'context', 'kube-api'].some((option) => args.text(option) !== undefined);
  const reads = rules.filter((rule) => rule.reads.length > 0);
  if (!isNamed && reads.length === 0 && !rules.some((rule) => rule.annotatesPods)) return undefined;
  const client = await connect(connectOptions(args, context)).catch((error: unknown) => {
    const failure = clusterError(error);
    if (!(failure instanceof UsageError) || isNamed) throw failure;
    const needing = reads.filter((rule) => rule.needsCluster);
    if (needing.length === 0) {
      log('info', 'no cluster, so that what looks something up there fails, and pods get no annotations', {
        rules: [...new Set([...reads, ...rules.filter((rule) => rule.annotatesPods)])].map(({ name }) => name).join(', '),
      });
      return undefined;
    }
    const what = needing.map(({ name, reads: kinds }) => `${name} reads ${kinds.map(({ kind }) => kind).join(', ')}`).join('; ');
    throw new UsageError(`${failure.message} (${what})`, failure.hint);
  });
  if (client === undefined) return undefined;
  const facts = clusterNetworkFacts({ client, nodeName, log });
  return {
    facts,
    podAnnotator: (debts) => createPodAnnotator({ client, log, debts }),
    close() {
      facts.close();
      client.close();
    },
  };
}
