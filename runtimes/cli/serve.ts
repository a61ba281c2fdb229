import { resolve } from 'node:path';
import type { InstrumentExpression } from '../../engine/rules/admission/expressions.ts';
import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import { clusterFacts } from '../admission/cluster-facts.ts';
import { type FactsSource, immediateFacts, noFacts } from '../admission/facts.ts';
import { DEFAULT_ADMISSION_PATHS, startAdmissionServer } from '../admission/server.ts';
import { watchBundle } from '../host/bundle-watch.ts';
import { developmentTls } from '../host/certificates.ts';
import { systemClock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { createMetrics, type Metrics } from '../host/metrics.ts';
import { readRecording } from '../host/recording.ts';
import { FileError, readTextFile } from '../host/text-files.ts';
import type { TlsSource } from '../host/tls.ts';
import { tlsFromFiles } from '../host/tls-files.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { inClusterConnection, inClusterServer } from '../kubernetes/in-cluster.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueBackend, loadBundles } from './load-bundle.ts';
import { logOf } from './log-option.ts';
import { portOf, secondsOf } from './number-options.ts';
import { paintFor, renderDiagnostics } from './report.ts';

/** Milliseconds that requests in flight have to finish after the drain delay: the longest timeout a webhook can have. */
const GRACE = 30_000;
/** Milliseconds for one question to the API server: requests wait for the answer. */
const FACTS_TIMEOUT = 10_000;

/** `fairlead serve`: hosts a bundle's admission rules until a signal comes. */
export const runServe: CommandRun = async (args, context) => {
  if (args.text('print-webhook-config') !== undefined) return (await import('./webhook-config.ts')).printWebhookConfig(args, context);
  const port = portOf(args, 'port') ?? 8443;
  const healthPort = portOf(args, 'health-port');
  const delay = secondsOf(args, 'drain-delay');
  const log = await logOf(args, context);
  const metrics = createMetrics();
  const tls = await tlsOf(args, context, log, metrics);
  const facts = await factsOf(args, context);

  const bundle = await watchBundle({
    paths: args.arguments.map((path) => resolve(context.cwd, path)),
    load: () => loadBundles(args.arguments, context, prepareToRun),
    onLoaded(loaded) {
      if (loaded.diagnostics.length > 0) context.err.write(renderDiagnostics(loaded.diagnostics, paintFor(args, context, context.err)));
    },
    log,
    metrics,
  });
  try {
    // A server that starts without rules would let everything pass or fail everything: the author should hear of it now.
    if (bundle.current() === undefined) {
      context.err.write(`fairlead: the rules do not compile: ${bundle.failure()}\n`);
      return EXIT.findings;
    }
    const host = args.text('host');
    const server = await startAdmissionServer({
      bundle,
      tls,
      facts,
      metrics,
      log,
      port,
      ...(host === undefined ? {} : { host }),
      ...(healthPort === undefined ? {} : { health: { port: healthPort, ...(host === undefined ? {} : { host }) } }),
    }).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(
        `cannot listen: ${error.message}`,
        error.code === 'EADDRINUSE' ? 'another process has the port; --port 0 takes a free one' : undefined,
      );
    });
    context.out.write(
      `serving https://${hostInUrl(host)}:${server.port}{${Object.values(DEFAULT_ADMISSION_PATHS).join(',')}}` +
        `${server.healthPort === undefined ? '' : `, health http://${hostInUrl(host)}:${server.healthPort}`}\n`,
    );
    const signal = await context.stopped;
    log('info', 'stopping', { signal });
    await server.close({ delay, grace: GRACE });
    return EXIT.ok;
  } finally {
    bundle.close();
    tls.close();
  }
};

/** Makes the form that decides now, at load: the first requests should not wait for it. */
const prepareToRun: InstrumentExpression = (expression) => {
  void expression.program.run;
  return expression;
};

function hostInUrl(host: string | undefined): string {
  return host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host;
}

async function tlsOf(args: ParsedArguments, context: CommandContext, log: Log, metrics: Metrics): Promise<TlsSource> {
  const [cert, key, clientCa, folder] = [args.text('cert'), args.text('key'), args.text('client-ca'), args.text('dev-tls')].map((path) =>
    path === undefined ? undefined : resolve(context.cwd, path),
  );
  if (folder !== undefined) {
    if (cert !== undefined || key !== undefined) throw new UsageError('--dev-tls makes its own certificate: leave out --cert and --key');
    const given = args.all('dev-host');
    const hosts = given.length > 0 ? given : ['localhost', '127.0.0.1', '::1'];
    return developmentTls({ folder, hosts, log, ...(clientCa === undefined ? {} : { clientCa: readTextFile(clientCa, clientCa).text }) });
  }
  if (cert === undefined || key === undefined) {
    throw new UsageError(
      'an API server only calls webhooks over TLS: give --cert and --key',
      'for development, --dev-tls <folder> makes a certificate',
    );
  }
  try {
    return await tlsFromFiles({
      certFile: cert,
      keyFile: key,
      log,
      metrics,
      ...(clientCa === undefined ? {} : { clientCaFile: clientCa }),
    });
  } catch (error) {
    throw new FileError(cert, error instanceof Error ? error.message : String(error));
  }
}

async function factsOf(args: ParsedArguments, context: CommandContext): Promise<FactsSource> {
  const recorded = args.all('facts');
  if (recorded.length > 0) {
    const recording = await readRecording(recorded, { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend });
    if (recording.diagnostics.length > 0) context.err.write(renderDiagnostics(recording.diagnostics, paintFor(args, context, context.err)));
    return immediateFacts(recordedFacts(recording.objects.map(({ object }) => object)));
  }
  const url = args.text('kube-api');
  const inside = inClusterServer(context.env);
  if (url === undefined && inside === undefined) return noFacts;
  const connection = url === undefined ? await inClusterConnection(inside!, systemClock) : urlConnection(url);
  return clusterFacts(createKubernetesClient({ connection, timeout: FACTS_TIMEOUT }));
}
