import type { Activation, Program } from '../cel/program.ts';
import { CelError, type CelValue } from '../cel/values.ts';

/** Cost of one expression. Kubernetes: apiserver pkg/apis/cel/config.go PerCallLimit. */
const EXPRESSION_LIMIT = 1_000_000;

/** What the expressions of one decision may cost together: a hundred of the most expensive ones. */
const DECISION_LIMIT = 100_000_000;

/** Runs the expressions of one decision, and sees to it that they end. */
export class ExpressionBudget {
  readonly #exceeded: string;
  #remaining = DECISION_LIMIT;

  /** `exceeded`: what is said when nothing is left. */
  constructor(exceeded: string) {
    this.#exceeded = exceeded;
  }

  /** The value of an expression. Throws a {@link CelError} with the exact back end's message. */
  run(program: Program, activation: Activation): CelValue {
    if (this.#remaining <= 0) throw new CelError(this.#exceeded, 'budget');
    const limit = Math.min(EXPRESSION_LIMIT, this.#remaining);
    const meter = { remaining: limit };
    try {
      const value = program.run(activation, meter);
      if (meter.remaining >= 0) {
        this.#remaining -= limit - meter.remaining;
        return value;
      }
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
    }
    // The exact back end says what is wrong, or that the fast one charged too much.
    const { outcome, cost } = program.trace(activation, { limit });
    this.#remaining -= cost;
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }
}
