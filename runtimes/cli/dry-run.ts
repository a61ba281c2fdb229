import type { BundleProgram } from '../../engine/bundle/bundle.ts';
import type { AdmissionDecision, RuleOutcome } from '../../engine/rules/admission/decision.ts';
import type { ReconcileProgram } from '../../engine/rules/reconcile/program.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { visible } from '../../engine/text/display-width.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import { formatPlace } from '../../engine/text/render.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { Paint } from './context.ts';
import { decideRecorded, placeOf, type RecordedRequest, type RecordedRun, readRun } from './decide-recorded.ts';
import { describeInstance, desiredObjects, instanceResult, isFailed, summarizeInstances } from './describe-instance.ts';
import { describeInvocation, invocationResult, summarizeInvocations } from './describe-invocation.ts';
import { loadBundles } from './load-bundle.ts';
import { timeOf } from './number-options.ts';
import { objectLabel } from './object-label.ts';
import type { PlannedInvocation } from './plan-recorded.ts';
import { plannedCalls } from './planned-calls.ts';
import type { ReconciledInstance } from './reconcile-recorded.ts';
import { paintFor, plural, renderDiagnostics, toJson, toRecords } from './report.ts';
import { renderDiff } from './text-diff.ts';

interface Decided extends RecordedRequest {
  readonly decision: AdmissionDecision;
}

/** `fairlead dry-run`: asks rules about recorded objects and prints what would happen. */
export const runDryRun: CommandRun = async (args, context) => {
  const format = args.text('output');
  const now = timeOf(args, 'now') ?? Date.now();
  const run = await readRun(args, context);
  const bundle = await loadBundles(args.all('rules'), context);
  const { program } = bundle;
  const decides = program !== undefined && program.admission.rules.length > 0;
  const calls = program === undefined ? [] : await plannedCalls(program.network, run, args);
  const diagnostics = [...bundle.diagnostics, ...run.diagnostics, ...calls.flatMap((call) => call.diagnostics)];
  const color = paintFor(args, context, format === 'text' ? context.out : context.err);
  if (diagnostics.length > 0 && format !== 'json') context.err.write(renderDiagnostics(diagnostics, paintFor(args, context, context.err)));
  const decided: Decided[] = decides
    ? run.requests.map((recorded) => ({ ...recorded, decision: decideRecorded(program.admission, recorded.request, run.facts) }))
    : [];
  const instances = program === undefined ? [] : await reconciled(program.reconcile, run, args, now);
  if (program !== undefined && !decides && instances.length === 0 && calls.length === 0) throw nothingFor(program, args);
  for (const what of run.assumed) context.err.write(`note: assumed, as nothing is recorded of it (--facts): ${visible(what)}\n`);
  const denied = decided.filter(({ decision }) => !decision.allowed).length;
  const failed = denied > 0 || instances.some(isFailed) || calls.some(({ fault }) => fault !== undefined) || diagnostics.some(isError);

  switch (format) {
    case 'json':
      context.out.write(
        toJson({
          ok: !failed,
          bundle: { name: bundle.name, version: bundle.version },
          results: decided.map(toResult),
          ...(instances.length === 0 ? {} : { instances: instances.map(instanceResult) }),
          ...(calls.length === 0 ? {} : { invocations: calls.map(invocationResult) }),
          diagnostics: toRecords(diagnostics),
        }),
      );
      break;
    case 'yaml':
      context.out.write(
        [
          ...decided.filter(({ decision }) => decision.allowed && decision.object !== null).map(({ decision }) => decision.object),
          ...desiredObjects(instances),
          ...calls.flatMap(({ result }) => result ?? []),
        ]
          .map((object) => printYaml(object))
          .join('---\n'),
      );
      for (const item of decided) if (!item.decision.allowed) context.err.write(describe(item, paintFor(args, context, context.err)));
      for (const item of instances) if (isFailed(item)) context.err.write(describeInstance(item, paintFor(args, context, context.err)));
      for (const item of calls)
        if (item.fault !== undefined) context.err.write(describeInvocation(item, paintFor(args, context, context.err)));
      break;
    case 'junit': {
      const { toJunit } = await import('./junit.ts');
      context.out.write(
        toJunit([
          { name: 'fairlead dry-run', cases: [...decided.map(junitCase), ...instances.map(instanceCase), ...calls.map(invocationCase)] },
        ]),
      );
      break;
    }
    default: {
      const shown = decided.filter((item) => args.on('all') || isNotable(item));
      let text = shown.map((item) => `${describe(item, color)}\n`).join('');
      if (decides) text += `${summary(decided, color)}\n`;
      text += instances.map((item) => `${describeInstance(item, color, args.on('all'))}\n`).join('');
      if (instances.length > 0) text += `${summarizeInstances(instances)}\n`;
      text += calls.map((item) => `${describeInvocation(item, color)}\n`).join('');
      if (calls.length > 0) text += `${summarizeInvocations(calls)}\n`;
      context.out.write(text);
    }
  }
  return failed ? EXIT.findings : EXIT.ok;
};

async function reconciled(program: ReconcileProgram, run: RecordedRun, args: ParsedArguments, now: number) {
  if (program.rules.length === 0) return [];
  const { reconcileRecorded } = await import('./reconcile-recorded.ts');
  const { passingValues } = await import('./passing-values.ts');
  const namespace = args.text('namespace') ?? 'default';
  return reconcileRecorded(program, { recorded: run.recorded, facts: run.beside, namespace, now, generate: passingValues(now) });
}

function nothingFor({ reconcile, network }: BundleProgram, args: ParsedArguments): UsageError {
  const kinds = reconcile.rules.map(({ instance }) => `${instance.kind} (${instance.apiVersion})`);
  const wanted = [...kinds, ...(network.rules.length === 0 ? [] : ['CNIInvocation (fairlead.dev/v1alpha1)'])].join(', ');
  return new UsageError(`none of the objects is one that the rules are about: ${wanted}`, `looked in ${args.arguments.join(', ')}`);
}

const changed = ({ decision }: Decided): boolean => decision.patch.length > 0;
const isNotable = (item: Decided): boolean => !item.decision.allowed || item.decision.warnings.length > 0 || changed(item);

function summary(decided: readonly Decided[], color: Paint): string {
  const denied = decided.filter(({ decision }) => !decision.allowed).length;
  const warned = decided.filter(({ decision }) => decision.warnings.length > 0).length;
  const mutated = decided.filter(changed).length;
  const parts = [
    plural(decided.length, 'request'),
    color('green', `${decided.length - denied} allowed`),
    denied === 0 ? '0 denied' : color('red', `${denied} denied`),
    warned === 0 ? '0 with warnings' : color('yellow', `${warned} with warnings`),
    `${mutated} mutated`,
  ];
  return parts.join(', ');
}

/** One decision as people read it. */
function describe(item: Decided, color: Paint): string {
  const { decision, label, recorded } = item;
  const { source, span } = placeOf(recorded);
  const place = source !== undefined && span !== undefined ? color('faint', ` (${formatPlace(source, span)})`) : '';
  const verdict = decision.allowed ? (changed(item) ? color('cyan', 'mutated') : color('green', 'allowed')) : color('red', 'denied ');
  let text = `${verdict} ${color('bold', visible(label))}${place}\n`;
  const told = decision.outcomes.filter(({ result }) => result === 'deny' || result === 'warn' || result === 'audit' || result === 'error');
  for (const outcome of told) text += `  ${describeOutcome(outcome, color)}\n`;
  if (decision.status !== undefined && !told.some(({ message }) => message !== undefined && decision.status?.message.includes(message))) {
    text += `  ${color('red', String(decision.status.code))} ${visible(decision.status.message)}\n`;
  }
  const shownWarnings = new Set(told.map(({ message }) => message));
  for (const warning of decision.warnings) {
    if (![...shownWarnings].some((message) => message !== undefined && warning.includes(message)))
      text += `  ${color('yellow', 'warning')} ${visible(warning)}\n`;
  }
  if (changed(item) && item.request.object !== undefined && item.request.object !== null) {
    const mutators = decision.outcomes.filter(({ result }) => result === 'mutate').map(({ rule }) => rule);
    if (mutators.length > 0) text += `  ${color('cyan', 'mutated by')} ${visible([...new Set(mutators)].join(', '))}\n`;
    text += renderDiff(printYaml(item.request.object), printYaml(decision.object), color);
  }
  return text;
}

function describeOutcome(outcome: RuleOutcome, color: Paint): string {
  const { result, ruleKind, rule, binding, message, index } = outcome;
  const verb = {
    deny: color('red', 'deny   '),
    warn: color('yellow', 'warn   '),
    audit: color('blue', 'audit  '),
    error: color('red', 'error  '),
  }[result as 'deny'];
  const where = `${ruleKind} ${rule}${binding === undefined ? '' : ` (${binding})`}${index === undefined ? '' : `, ${result === 'error' && ruleKind.startsWith('Mutating') ? 'mutation' : 'validation'} ${index}`}`;
  return `${verb} ${visible(message ?? '').replaceAll('\n', '\n          ')} ${color('faint', `[${visible(where)}]`)}`;
}

function toResult({ decision, request, recorded }: Decided) {
  const { source, span } = placeOf(recorded);
  return {
    file: source?.name,
    ...(source !== undefined && span !== undefined ? { position: formatPlace(source, span) } : {}),
    operation: request.operation,
    kind: request.kind,
    namespace: request.namespace,
    name: request.name,
    allowed: decision.allowed,
    status: decision.status,
    warnings: decision.warnings,
    auditAnnotations: decision.auditAnnotations,
    outcomes: decision.outcomes,
    patch: decision.patch,
    ...(decision.patch.length > 0 ? { object: decision.object } : {}),
  };
}

function instanceCase(item: ReconciledInstance) {
  const base = { name: objectLabel(item.instance), classname: item.recorded.document.source.name };
  if (!isFailed(item)) return base;
  const message =
    item.problems[0] ?? item.plan.failures[0]?.message ?? item.changes.find(({ problem }) => problem !== undefined)?.problem ?? '';
  return { ...base, failure: { message, details: describeInstance(item, (_, text) => text) } };
}

function invocationCase(item: PlannedInvocation) {
  const { recorded, rule, request, fault } = item;
  const base = { name: `${request?.command ?? 'call'} ${rule?.name ?? ''}`.trim(), classname: recorded.document.source.name };
  if (fault === undefined) return base;
  return { ...base, failure: { message: fault.msg, details: describeInvocation(item, (_, text) => text) } };
}

function junitCase(item: Decided) {
  const { decision, label, recorded } = item;
  const base = { name: label, classname: recorded.document.source.name };
  if (decision.allowed) return base;
  return { ...base, failure: { message: decision.status?.message ?? 'denied', details: describe(item, (_, text) => text) } };
}
