import type { CelError, CelValue } from '../../cel/values.ts';
import { EXPRESSION_LIMIT } from './budgets.ts';
import { NEEDS_FACTS } from './fact-reader.ts';
import type { Expression } from './policy.ts';
import type { ExactVariables } from './variables.ts';

/** What one expression gave. `error` is the text users see. */
export type Evaluation = { readonly ok: true; readonly value: CelValue } | { readonly ok: false; readonly error: string };

/** What a list of expressions gave, or why none of it counts. */
export type EvaluationList =
  | { readonly ok: true; readonly results: readonly (Evaluation | undefined)[]; readonly remaining: number }
  | { readonly ok: false; readonly error: string };

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run';

/**
 * Evaluates expressions in order against one budget, with the texts of the API server. `undefined` entries keep their place.
 * Throws {@link NEEDS_FACTS} when an expression could not be decided for want of a fact.
 * Kubernetes: apiserver pkg/admission/plugin/cel/{condition,activation}.go.
 */
export function evaluateExactly(
  expressions: readonly (Expression | undefined)[],
  variables: ExactVariables,
  budget: number,
): EvaluationList {
  const results: (Evaluation | undefined)[] = [];
  let remaining = budget;
  for (const expression of expressions) {
    if (expression === undefined) {
      results.push(undefined);
      continue;
    }
    variables.cost = 0;
    const trace = expression.program.trace(variables.activation, { limit: EXPRESSION_LIMIT });
    if (!trace.outcome.ok && trace.outcome.error.code === 'needs-fact') throw NEEDS_FACTS;
    for (const cost of [variables.cost, trace.cost]) {
      if (cost > remaining) return { ok: false, error: OUT_OF_BUDGET };
      remaining -= cost;
    }
    results.push(trace.outcome.ok ? trace.outcome : { ok: false, error: expressionError(expression, trace.outcome.error) });
  }
  return { ok: true, results, remaining };
}

/** The text of a run-time error, as the API server words it. */
function expressionError(expression: Expression, error: CelError): string {
  return `expression '${expression.text}' resulted in error: ${error.message}`;
}
