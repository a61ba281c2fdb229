import type { JsonObject } from '../object/json.ts';
import type { Operation } from './operation.ts';
import { BindError, type BoundStep, type Plan } from './plan.ts';
import type { OperationTable } from './step-source.ts';

/** A step that was not performed, and what it is taken to end with. */
export interface DryStep {
  readonly step: BoundStep;
  readonly operation: Operation;
  readonly outputs: JsonObject;
}

export interface DryWalk {
  readonly steps: readonly DryStep[];
  /** Why the walk ended before the plan. */
  readonly failure: BindError | undefined;
}

/**
 * Goes through a plan without performing it. `outputsOf` says what a step ends with; it is handed what the operation knows beforehand. Throws
 * for an operation that the table has not.
 */
export function dryWalk(
  plan: Plan,
  operations: OperationTable,
  outputsOf: (step: BoundStep, predicted: JsonObject) => JsonObject,
): DryWalk {
  const steps: DryStep[] = [];
  const walk = plan.walk();
  try {
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      const operation = operations.get(step.operation);
      if (operation === undefined) throw new Error(`no operation is called ${step.operation}`);
      const context = { owner: plan.owner, netns: plan.netns, netnsGone: false };
      const outputs = outputsOf(step, operation.predict(step.arguments, context) as JsonObject);
      steps.push({ step, operation, outputs });
      walk.done(outputs);
    }
  } catch (error) {
    if (error instanceof BindError) return { steps, failure: error };
    throw error;
  }
  return { steps, failure: undefined };
}
