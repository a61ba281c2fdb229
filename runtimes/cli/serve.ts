import { resolve } from 'node:path';
import type { BundleProgram } from '../../engine/bundle/bundle.ts';
import type { InstrumentExpression } from '../../engine/rules/admission/expressions.ts';
import { watchBundle } from '../host/bundle-watch.ts';
import { createMetrics } from '../host/metrics.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { loadServed } from './load-bundle.ts';
import { logOf } from './log-option.ts';
import { portOf } from './number-options.ts';
import { paintFor, renderDiagnostics } from './report.ts';
import { hasCertificate, serveWebhook } from './serve-webhook.ts';
import type { Served } from './serving.ts';

/** `fairlead serve`: hosts the rules of bundles until a signal comes, admission rules behind a webhook and reconcile rules as a controller. */
export const runServe: CommandRun = async (args, context) => {
  checkPaths(args);
  if (args.text('print-webhook-config') !== undefined) return (await import('./webhook-config.ts')).printWebhookConfig(args, context);
  if (args.text('print-rbac') !== undefined) return (await import('./controller-roles.ts')).printControllerRoles(args, context);
  portOf(args, 'health-port');
  const log = await logOf(args, context);
  const metrics = createMetrics();
  const bundle = await watchBundle({
    paths: args.arguments.map((path) => resolve(context.cwd, path)),
    load: () => loadServed(args, context, prepareToRun),
    onLoaded(loaded) {
      if (loaded.diagnostics.length > 0) context.err.write(renderDiagnostics(loaded.diagnostics, paintFor(args, context, context.err)));
    },
    log,
    metrics,
  });
  const served: Served[] = [];
  try {
    // A server that starts without rules would let everything pass or fail everything: the author should hear of it now.
    const active = bundle.current();
    if (active === undefined) {
      context.err.write(`fairlead: the rules do not compile: ${bundle.failure()}\n`);
      return EXIT.findings;
    }
    const { webhook, controller } = wanted(active.program, args, context);
    const environment = { bundle, log, metrics };
    if (webhook) served.push(await serveWebhook(args, context, environment, !controller));
    if (controller) served.push(await (await import('./serve-controller.ts')).serveController(args, context, environment, !webhook));
    for (const { description } of served) context.out.write(`${description}\n`);
    const signal = await context.stopped;
    log('info', 'stopping', { signal });
    return EXIT.ok;
  } finally {
    // Side by side: the lease is given up while the webhook drains.
    await Promise.all(served.map((each) => each.close()));
    bundle.close();
  }
};

/** Rules come from files, from the cluster, or from both. */
function checkPaths(args: ParsedArguments): void {
  if (args.on('watch-rules') && !args.on('cluster') && args.text('print-rbac') === undefined) {
    throw new UsageError('--watch-rules is for the controller', 'give --cluster, too');
  }
  if (args.arguments.length === 0 && !args.on('watch-rules')) {
    throw new UsageError(
      '<path> is missing: bundle folders or rule files to serve',
      '--cluster --watch-rules serves the rules of a cluster',
    );
  }
}

/** Which of its two things the command is to do, by the kinds of rules there are and by what it was told. */
function wanted({ admission, reconcile, network }: BundleProgram, args: ParsedArguments, context: CommandContext) {
  const cluster = args.on('cluster');
  if (network.rules.length > 0 && admission.rules.length + reconcile.rules.length === 0)
    throw new UsageError('there are only network rules: they are served on each node', 'fairlead cni serve does that');
  if (!cluster && admission.rules.length === 0) {
    throw new UsageError('there are only reconcile rules: they need a cluster', 'give --cluster to run their controller');
  }
  if (cluster && reconcile.rules.length === 0 && !args.on('watch-rules'))
    throw new UsageError('--cluster is for reconcile rules, and there are none');
  const webhook = admission.rules.length > 0 && (!cluster || hasCertificate(args));
  if (admission.rules.length > 0 && !webhook) {
    context.err.write('note: the admission rules of the bundle are not served: a webhook needs --cert and --key, or --dev-tls\n');
  }
  return { webhook, controller: cluster };
}

/** Makes the form that decides now, at load: the first requests should not wait for it. */
const prepareToRun: InstrumentExpression = (expression) => {
  void expression.program.run;
  return expression;
};
