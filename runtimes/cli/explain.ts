import type { AdmissionDecision, RuleOutcome } from '../../engine/rules/admission/decision.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPlace } from '../../engine/text/render.ts';
import { type CommandRun, EXIT } from './command.ts';
import type { Paint } from './context.ts';
import { decideRecorded, placeOf, type RecordedRequest, readRun } from './decide-recorded.ts';
import { loadBundles } from './load-bundle.ts';
import { paintFor, renderDiagnostics, toJson, toRecords } from './report.ts';

/** `fairlead explain`: decides like a dry run, and says of every rule what it did and why. */
export const runExplain: CommandRun = async (args, context) => {
  const run = await readRun(args, context);
  const bundle = await loadBundles(args.all('rules'), context);
  const diagnostics = [...bundle.diagnostics, ...run.diagnostics];
  const only = new Set(args.all('rule'));
  const decided = run.requests.flatMap((recorded) => {
    if (bundle.program === undefined) return [];
    const decision = decideRecorded(bundle.program.admission, recorded.request, run.facts, true);
    return [
      {
        recorded,
        decision,
        outcomes: decision.outcomes.filter(
          (outcome) => (only.size === 0 || only.has(outcome.rule)) && (args.on('all') || outcome.result !== 'skip'),
        ),
      },
    ];
  });
  const failed = diagnostics.some(isError) || decided.some(({ decision }) => !decision.allowed);

  if (args.text('output') === 'json') {
    const results = decided.map(({ recorded, decision, outcomes }) => ({
      file: recorded.recorded.document.source.name,
      operation: recorded.request.operation,
      kind: recorded.request.kind,
      namespace: recorded.request.namespace,
      name: recorded.request.name,
      allowed: decision.allowed,
      status: decision.status,
      outcomes,
    }));
    context.out.write(toJson({ ok: !failed, results, diagnostics: toRecords(diagnostics) }));
    return failed ? EXIT.findings : EXIT.ok;
  }
  if (diagnostics.length > 0) context.err.write(renderDiagnostics(diagnostics, paintFor(args, context, context.err)));
  const color = paintFor(args, context);
  for (const { recorded, decision, outcomes } of decided) context.out.write(`${explain(recorded, decision, outcomes, color)}\n`);
  return failed ? EXIT.findings : EXIT.ok;
};

function explain(recorded: RecordedRequest, decision: AdmissionDecision, outcomes: readonly RuleOutcome[], color: Paint): string {
  const { source, span } = placeOf(recorded.recorded);
  const place = source !== undefined && span !== undefined ? color('faint', ` (${formatPlace(source, span)})`) : '';
  const verdict = decision.allowed ? color('green', 'allowed') : color('red', 'denied');
  const lines = [`${color('bold', visible(recorded.label))} ${verdict}${place}`];
  if (outcomes.length === 0) lines.push('  no rule concerns it');
  for (const outcome of outcomes) {
    const { result, ruleKind, rule, binding, message, index, skipped } = outcome;
    const paintResult =
      result === 'deny' || result === 'error' ? 'red' : result === 'warn' ? 'yellow' : result === 'skip' ? 'faint' : 'green';
    const which = index === undefined ? '' : ` #${index}`;
    lines.push(
      `  ${color(paintResult, result.padEnd(6))} ${ruleKind} ${color('bold', visible(rule))}${binding === undefined ? '' : ` (${visible(binding)})`}${which}` +
        `${skipped === undefined ? '' : color('faint', `: does not match by ${visible(skipped)}`)}${message === undefined ? '' : `: ${visible(message)}`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
