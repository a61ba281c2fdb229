import { chmodSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { visible } from '../../engine/text/display-width.ts';
import { holdFolder } from '../host/folder-lock.ts';
import { readRecording } from '../host/recording.ts';
import type { EmbeddedServer } from '../kubernetes/embedded/server.ts';
import { type CommandRun, EXIT, type ParsedArguments } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueBackend } from './load-bundle.ts';
import { loadObjects } from './load-objects.ts';
import { startLocalCluster } from './local-server.ts';
import { logOf } from './log-option.ts';
import { portOf } from './number-options.ts';
import { paintFor, plural, renderDiagnostics } from './report.ts';
import { listening } from './serving.ts';

/** `fairlead api-server`: a Kubernetes API server in this process, until a signal comes. */
export const runApiServer: CommandRun = async (args, context) => {
  const port = portOf(args, 'port') ?? 6443;
  const host = args.text('host') ?? '127.0.0.1';
  const given = args.text('data');
  const data = given === undefined ? undefined : resolve(context.cwd, given);
  const log = await logOf(args, context);
  // Two that write to one folder would tear each other's log.
  const release = data === undefined ? undefined : holdFolder(data);
  let server: EmbeddedServer | undefined;
  try {
    server = await listening(
      startLocalCluster({
        host,
        port,
        log,
        simulation: { workloads: !args.on('no-simulate') },
        ...(data === undefined ? {} : { data }),
      }),
    );
    await load(args, context, server);
    tell(args, context, server);
    const signal = await context.stopped;
    log('info', 'stopping', { signal });
    return EXIT.ok;
  } finally {
    await server?.close();
    release?.();
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
  // The token in it is an administrator's. A mode is only for a file that is new: one that is there is closed to others first.
  const path = resolve(context.cwd, file);
  writeFileSync(path, '', { mode: 0o600 });
  chmodSync(path, 0o600);
  writeFileSync(path, server.kubeconfig);
  context.out.write(`kubectl --kubeconfig ${file} get namespaces\n`);
}
