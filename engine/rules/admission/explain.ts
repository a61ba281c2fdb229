import type { Expr } from '../../cel/ast.ts';
import type { Activation, Trace } from '../../cel/program.ts';
import { formatForMessage } from '../../cel/run/format.ts';
import type { CelValue } from '../../cel/values.ts';
import { type RequestActivation, withoutAuthorizer, withVariables } from './activation.ts';
import { EXPRESSION_LIMIT } from './budgets.ts';
import type { ExpressionExplanation, ExpressionPart } from './explanation.ts';
import { children } from './mentions.ts';
import type { Expression, Policy } from './policy.ts';
import { ExactVariables } from './variables.ts';

const MAX_VALUE_LENGTH = 200;
const MAX_PARTS = 500;

/** Evaluates every expression of a policy for a request that it matches, with all that came up on the way. */
export function explainPolicy(policy: Policy, activation: RequestActivation): readonly ExpressionExplanation[] {
  const explained: ExpressionExplanation[] = [];
  const namespaceObject = policy.dialect.namespaceInMatchConditions ? activation.namespaceObject : null;
  const conditions = new Recorder(policy, (own) => withVariables({ ...activation, namespaceObject }, own), explained);
  for (const { name, expression } of policy.matchConditions) {
    if (conditions.record('matchCondition', name, expression) === false) return explained;
  }
  const full = new Recorder(policy, (own) => withVariables(activation, own), explained);
  for (const { index, expressions } of policy.mutations) {
    for (const expression of expressions) full.record('mutation', String(index), expression);
  }
  const plain = new Recorder(policy, (own) => withoutAuthorizer(activation, own), explained);
  for (const { index, expression, messageExpression } of policy.validations) {
    const held = full.record('validation', String(index), expression) === true;
    if (!held && messageExpression !== undefined) plain.record('messageExpression', String(index), messageExpression);
  }
  for (const { key, expression } of policy.auditAnnotations) plain.record('auditAnnotation', key, expression);
  return explained;
}

class Recorder {
  readonly #variables: ExactVariables;
  readonly #explained: ExpressionExplanation[];
  readonly #told = new Set<string>();

  constructor(policy: Policy, activation: (variables: ExactVariables) => Activation, explained: ExpressionExplanation[]) {
    this.#variables = new ExactVariables(policy.variables, activation);
    this.#explained = explained;
  }

  /** The value, or undefined where there is none. */
  record(role: ExpressionExplanation['role'], label: string, expression: Expression): CelValue | undefined {
    const trace = expression.program.trace(this.#variables.activation, { limit: EXPRESSION_LIMIT, record: true });
    this.#explained.push(explanation(role, label, expression, trace));
    for (const { variable } of this.#variables.computed()) {
      if (this.#told.has(variable.name)) continue;
      this.#told.add(variable.name);
      // Recorded now and not when it was computed: the values are the same.
      const recorded = variable.program.trace(this.#variables.activation, { limit: EXPRESSION_LIMIT, record: true });
      this.#explained.push(explanation('variable', variable.name, variable, recorded));
    }
    return trace.outcome.ok ? trace.outcome.value : undefined;
  }
}

function explanation(role: ExpressionExplanation['role'], label: string, expression: Expression, trace: Trace): ExpressionExplanation {
  const { outcome } = trace;
  const result = outcome.ok ? { value: shorten(formatForMessage(outcome.value)) } : { error: outcome.error.message };
  return { role, label, path: expression.path, text: expression.text, ...result, cost: trace.cost, parts: partsOf(expression, trace) };
}

/** Parts with a value of their own: no literals, and of a macro what was written, not what it expands to. */
function partsOf(expression: Expression, { values }: Trace): readonly ExpressionPart[] {
  const parts: ExpressionPart[] = [];
  const visit = (expr: Expr, depth: number): void => {
    if (parts.length >= MAX_PARTS) return;
    const seen = expr.kind === 'literal' ? undefined : values?.get(expr.id);
    if (seen !== undefined) {
      const value = seen.value === undefined ? {} : { value: shorten(formatForMessage(seen.value)) };
      const error = seen.error === undefined ? {} : { error: seen.error.message };
      parts.push({ start: expr.start, end: expr.end, depth, ...value, ...error, count: seen.count });
    }
    const below = seen === undefined ? depth : depth + 1;
    for (const child of writtenParts(expr)) visit(child, below);
  };
  visit(expression.program.ast.root, 0);
  return parts;
}

function writtenParts(expr: Expr): Iterable<Expr> {
  if (expr.kind !== 'comprehension') return children(expr);
  const { target, args } = expr.macro;
  // The first arguments name the loop variables.
  return [...(target === undefined ? [] : [target]), ...args.filter((arg) => arg.kind !== 'ident')];
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}
