import type { AdmissionDecision, RuleOutcome } from '../../engine/rules/admission/decision.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { visible } from '../../engine/text/display-width.ts';
import { formatPlace } from '../../engine/text/render.ts';
import { type CommandRun, EXIT, UsageError } from './command.ts';
import type { Paint } from './context.ts';
import { decideRecorded, placeOf, type RecordedRequest, readRun } from './decide-recorded.ts';
import { invocationResult } from './describe-invocation.ts';
import { explainExpression, renderExplanation } from './explain-expression.ts';
import { explainInvocation } from './explain-invocation.ts';
import { type Evaluated, expressionLog } from './expression-log.ts';
import { loadBundles } from './load-bundle.ts';
import { plannedCalls } from './planned-calls.ts';
import { paintFor, renderDiagnostics, toJson, toRecords } from './report.ts';

/** `fairlead explain`: decides like a dry run, and says of every rule what it did and why. */
export const runExplain: CommandRun = async (args, context) => {
  const run = await readRun(args, context);
  const log = expressionLog();
  const bundle = await loadBundles(args.all('rules'), context, log.instrument);
  const calls = bundle.program === undefined ? [] : await plannedCalls(bundle.program.network, run, args);
  if (bundle.program?.admission.rules.length === 0 && calls.length === 0) {
    throw new UsageError(
      'there are no admission rules to explain, and no recorded calls of network rules',
      'fairlead dry-run says of reconcile rules what waits and why',
    );
  }
  const diagnostics = [...bundle.diagnostics, ...run.diagnostics, ...calls.flatMap((call) => call.diagnostics)];
  const only = new Set(args.all('rule'));
  const decided = run.requests.flatMap((recorded) => {
    if (bundle.program === undefined) return [];
    const decision = decideRecorded(bundle.program.admission, recorded.request, run.facts, true);
    const shown = decision.outcomes.filter(
      (outcome) => (only.size === 0 || only.has(outcome.rule)) && (args.on('all') || outcome.result !== 'skip'),
    );
    return [{ recorded, decision, rules: groupByRule(shown, log.take()) }];
  });
  const failed =
    diagnostics.some(isError) || decided.some(({ decision }) => !decision.allowed) || calls.some(({ fault }) => fault !== undefined);

  if (args.text('output') === 'json') {
    const results = decided.map(({ recorded, decision, rules }) => ({
      file: recorded.recorded.document.source.name,
      operation: recorded.request.operation,
      kind: recorded.request.kind,
      namespace: recorded.request.namespace,
      name: recorded.request.name,
      allowed: decision.allowed,
      status: decision.status,
      rules: rules.map((rule) => ({
        ...rule,
        expressions: rule.expressions.map((each) => ({
          path: each.path,
          cost: each.trace.cost,
          ...explainExpression(each),
        })),
      })),
    }));
    const invocations = calls.length === 0 ? {} : { invocations: calls.map(invocationResult) };
    context.out.write(toJson({ ok: !failed, results, ...invocations, diagnostics: toRecords(diagnostics) }));
    return failed ? EXIT.findings : EXIT.ok;
  }
  if (diagnostics.length > 0) context.err.write(renderDiagnostics(diagnostics, paintFor(args, context, context.err)));
  const color = paintFor(args, context);
  for (const { recorded, decision, rules } of decided) context.out.write(`${explain(recorded, decision, rules, color)}\n`);
  for (const call of calls) context.out.write(`${explainInvocation(call, color)}\n`);
  return failed ? EXIT.findings : EXIT.ok;
};

interface ExplainedRule {
  readonly kind: string;
  readonly name: string;
  readonly outcomes: readonly RuleOutcome[];
  readonly expressions: readonly Evaluated[];
}

/** What rules said and what their expressions were, rule by rule. Bindings and parameter objects share a rule's expressions. */
function groupByRule(outcomes: readonly RuleOutcome[], evaluated: readonly Evaluated[]): ExplainedRule[] {
  const rules = new Map<string, { kind: string; name: string; outcomes: RuleOutcome[]; expressions: Evaluated[] }>();
  for (const outcome of outcomes) {
    const key = `${outcome.ruleKind}/${outcome.rule}`;
    const rule = rules.get(key) ?? { kind: outcome.ruleKind, name: outcome.rule, outcomes: [], expressions: [] };
    rule.outcomes.push(outcome);
    rules.set(key, rule);
  }
  for (const each of evaluated) {
    const { kind, metadata } = each.document.value as { readonly kind: string; readonly metadata: { readonly name: string } };
    rules.get(`${kind}/${metadata.name}`)?.expressions.push(each);
  }
  return [...rules.values()];
}

const OUTCOME_COLORS = { deny: 'red', error: 'red', warn: 'yellow', audit: 'blue', mutate: 'cyan', allow: 'green', skip: 'faint' } as const;

function explain({ recorded, label }: RecordedRequest, decision: AdmissionDecision, rules: readonly ExplainedRule[], color: Paint): string {
  const { source, span } = placeOf(recorded);
  const place = source !== undefined && span !== undefined ? color('faint', ` (${formatPlace(source, span)})`) : '';
  const verdict = decision.allowed ? color('green', 'allowed') : color('red', 'denied');
  const lines = [`${color('bold', visible(label))} ${verdict}${place}`];
  if (rules.length === 0) lines.push('  no rule concerns it');
  for (const { kind, name, outcomes, expressions } of rules) {
    lines.push('', `  ${kind} ${color('bold', visible(name))}`);
    for (const { result, binding, message, index, skipped } of outcomes) {
      const which = `${binding === undefined || binding === name ? '' : ` by ${visible(binding)}`}${index === undefined ? '' : ` #${index}`}`;
      const why =
        skipped === undefined ? (message === undefined ? '' : `: ${visible(message)}`) : `: does not match by ${visible(skipped)}`;
      lines.push(`    ${color(OUTCOME_COLORS[result], result)}${which}${why}`);
    }
    for (const each of expressions) {
      lines.push(`    ${color('faint', `${each.path} (cost ${each.trace.cost})`)}`);
      for (const line of renderExplanation(explainExpression(each), color)) lines.push(`      ${line}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
