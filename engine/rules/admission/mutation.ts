import type { Activation, Meter } from '../../cel/program.ts';
import { CelError } from '../../cel/values.ts';
import { type RequestActivation, withVariables } from './activation.ts';
import { EXPRESSION_LIMIT, POLICY_BUDGET } from './budgets.ts';
import type { AdmissionStatus, GroupVersionKind, JsonObject } from './decision.ts';
import { type Evaluation, evaluateExactly } from './exact-evaluation.ts';
import type { Expression, VariableSource } from './policy.ts';
import { ExactVariables, type FastVariables } from './variables.ts';

/** One entry of a policy's `mutations`, ready to run. */
export interface MutationStep {
  /** Position in the document's list. */
  readonly index: number;
  /** The expressions it evaluates, for explanations. */
  readonly expressions: readonly Expression[];
  /** Makes the mutated object; the given one itself when nothing is to change. May throw NEEDS_FACTS. */
  readonly run: (object: JsonObject, context: MutationContext) => MutationResult;
}

export type MutationResult =
  | { readonly ok: true; readonly object: JsonObject }
  /** The failure policy decides. */
  | { readonly ok: false; readonly error: string }
  /** The request fails, whatever the failure policy is. */
  | { readonly ok: false; readonly status: AdmissionStatus };

/** What a mutation may look at. */
export interface MutationContext {
  readonly activation: RequestActivation;
  readonly kind: GroupVersionKind;
  /** Evaluates an expression of the policy over the activation. May throw NEEDS_FACTS. */
  evaluate(expression: Expression): Evaluation;
}

/** A context whose expressions try the fast back end first. Variables are fresh for each context, and so is the budget. */
export function mutationContext(
  policy: VariableSource,
  activation: RequestActivation,
  kind: GroupVersionKind,
  fast: FastVariables,
  meter: Meter,
): MutationContext {
  let left = POLICY_BUDGET;
  return {
    activation,
    kind,
    evaluate(expression) {
      const limit = Math.min(EXPRESSION_LIMIT, left);
      meter.remaining = limit;
      activation.variables = fast;
      fast.bind(activation as unknown as Activation, meter);
      try {
        const value = expression.program.run(activation as unknown as Activation, meter);
        if (meter.remaining >= 0) {
          left -= limit - meter.remaining;
          return { ok: true, value };
        }
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
      }
      const variables = new ExactVariables(policy.variables, (own) => withVariables(activation, own));
      const evaluated = evaluateExactly([expression], variables, left);
      if (!evaluated.ok) return { ok: false, error: evaluated.error };
      left = evaluated.remaining;
      return evaluated.results[0]!;
    },
  };
}
