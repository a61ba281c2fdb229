import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { visible } from '../../engine/text/display-width.ts';
import { developmentTls } from '../host/certificates.ts';
import { readRecording } from '../host/recording.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../kubernetes/embedded/server.ts';
import { startSimulation } from '../kubernetes/embedded/simulation/simulation.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';
import { loadObjects } from './load-objects.ts';
import { logOf } from './log-option.ts';
import { portOf } from './number-options.ts';
import { paintFor, plural, renderDiagnostics } from './report.ts';

/** `fairlead api-server`: a Kubernetes API server in this process, until a signal comes. */
export const runApiServer: CommandRun = async (args, context) => {
  const port = portOf(args, 'port') ?? 6443;
  const host = args.text('host') ?? '127.0.0.1';
  const log = await logOf(args, context);
  // Even on this machine: without a token, any program and any page in a browser could write to it.
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-api-server-'));
  const tls = await developmentTls({ folder, hosts: [...new Set([host, 'localhost', '127.0.0.1', '::1'])], log });
  try {
    const server = await startEmbeddedServer({ host, port, tls, ca: tls.caBundle, log }).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(
        `cannot listen: ${error.message}`,
        error.code === 'EADDRINUSE' ? 'another process has the port; --port 0 takes a free one' : undefined,
      );
    });
    const simulation = args.on('no-simulate') ? undefined : startSimulation({ registry: server.registry, authority: tls.caBundle });
    try {
      await simulation?.started;
      await load(args, context, server);
      tell(args, context, server);
      const signal = await context.stopped;
      log('info', 'stopping', { signal });
      return EXIT.ok;
    } finally {
      await simulation?.close();
      await server.close();
    }
  } finally {
    tls.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

async function load(args: ParsedArguments, context: CommandContext, { registry }: EmbeddedServer): Promise<void> {
  const paths = args.all('load');
  if (paths.length === 0) return;
  const recording = await readRecording(paths, { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend });
  const color = paintFor(args, context, context.err);
  if (recording.diagnostics.length > 0) context.err.write(renderDiagnostics(recording.diagnostics, color));
  const { count, problems, madeNamespaces } = await loadObjects(
    registry,
    recording.objects.map(({ object }) => object),
  );
  for (const { object, reason } of problems) context.err.write(`${color('yellow', 'not loaded')} ${visible(object)}: ${visible(reason)}\n`);
  for (const namespace of madeNamespaces) context.err.write(`note: made namespace ${visible(namespace)}, as nothing is recorded of it\n`);
  context.out.write(`loaded ${plural(count, 'object')}\n`);
}

function tell(args: ParsedArguments, context: CommandContext, server: EmbeddedServer): void {
  const file = args.text('kubeconfig');
  context.out.write(`serving the Kubernetes API at ${server.url}, for development and tests, not for production\n`);
  if (file === undefined) {
    context.out.write('clients need a kubeconfig: start it with --kubeconfig <file>\n');
    return;
  }
  // The token in it is an administrator's.
  writeFileSync(resolve(context.cwd, file), server.kubeconfig, { mode: 0o600 });
  context.out.write(`kubectl --kubeconfig ${file} get namespaces\n`);
}
