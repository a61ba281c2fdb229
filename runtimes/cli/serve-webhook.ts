import { resolve } from 'node:path';
import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import { clusterFacts } from '../admission/cluster-facts.ts';
import { type FactsSource, immediateFacts, noFacts } from '../admission/facts.ts';
import { DEFAULT_ADMISSION_PATHS, startAdmissionServer } from '../admission/server.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import { developmentTls } from '../host/certificates.ts';
import { systemClock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import type { Metrics } from '../host/metrics.ts';
import { readRecording } from '../host/recording.ts';
import { FileError, readTextFile } from '../host/text-files.ts';
import type { TlsSource } from '../host/tls.ts';
import { tlsFromFiles } from '../host/tls-files.ts';
import { connect, urlConnection } from '../kubernetes/connect.ts';
import { inClusterConnection, inClusterServer } from '../kubernetes/in-cluster.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { connectOptions } from './cluster-connection.ts';
import { type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';
import { portOf, secondsOf } from './number-options.ts';
import { paintFor, renderDiagnostics } from './report.ts';
import { hostInUrl, listening, type Served, type ServeEnvironment } from './serving.ts';

/** Milliseconds that requests in flight have to finish after the drain delay: the longest timeout a webhook can have. */
const GRACE = 30_000;
/** Milliseconds for one question to the API server: requests wait for the answer. */
const FACTS_TIMEOUT = 10_000;

/** Whether the command line says which certificate a webhook is to show. */
export const hasCertificate = (args: ParsedArguments): boolean =>
  args.text('cert') !== undefined || args.text('key') !== undefined || args.text('dev-tls') !== undefined;

/** Answers the admission requests of an API server; `health` says whether on a port of its own, too. */
export async function serveWebhook(
  args: ParsedArguments,
  context: CommandContext,
  { bundle, log, metrics }: ServeEnvironment & { readonly bundle: BundleSource },
  health: boolean,
): Promise<Served> {
  const delay = secondsOf(args, 'drain-delay');
  const host = args.text('host');
  const healthPort = health ? portOf(args, 'health-port') : undefined;
  const facts = await factsOf(args, context);
  const tls = await tlsOf(args, context, log, metrics);
  try {
    const server = await listening(
      startAdmissionServer({
        bundle,
        tls,
        facts,
        metrics,
        log,
        port: portOf(args, 'port') ?? 8443,
        ...(host === undefined ? {} : { host }),
        ...(healthPort === undefined ? {} : { health: { port: healthPort, ...(host === undefined ? {} : { host }) } }),
      }),
    );
    return {
      description:
        `serving https://${hostInUrl(host)}:${server.port}{${Object.values(DEFAULT_ADMISSION_PATHS).join(',')}}` +
        `${server.healthPort === undefined ? '' : `, health http://${hostInUrl(host)}:${server.healthPort}`}`,
      async close() {
        await server.close({ delay, grace: GRACE });
        tls.close();
      },
    };
  } catch (error) {
    tls.close();
    throw error;
  }
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
  // Beside a controller, facts are those of the cluster that it works on.
  if (args.on('cluster')) return clusterFacts(await connect({ ...connectOptions(args, context), timeout: FACTS_TIMEOUT }));
  const url = args.text('kube-api');
  const inside = inClusterServer(context.env);
  if (url === undefined && inside === undefined) return noFacts;
  const connection = url === undefined ? await inClusterConnection(inside!, systemClock) : urlConnection(url);
  return clusterFacts(createKubernetesClient({ connection, timeout: FACTS_TIMEOUT }));
}
