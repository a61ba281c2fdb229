import type { JsonObject } from '../object/json.ts';
import { type Effect, EffectError } from './effect.ts';
import { type ImagineCustom, ImaginedHost, type PresentLink } from './imagined-host.ts';
import type { Operation } from './operation.ts';
import { BindError, type BoundStep, type Plan } from './plan.ts';
import type { OperationTable } from './step-source.ts';

/** A step that was not performed, and what it is taken to end with. */
export interface DryStep {
  readonly step: BoundStep;
  readonly operation: Operation;
  readonly outputs: JsonObject;
  /** What it would change on a host that has nothing, in order. */
  readonly changes: readonly Effect[];
  /** Why it could not be foreseen to the end: it needs something that only a real host has. */
  readonly problem: string | undefined;
}

export interface DryWalk {
  readonly steps: readonly DryStep[];
  /** Why the walk ended before the plan. */
  readonly failure: BindError | undefined;
}

export interface DryWalkOptions {
  /** Answers effects of protocols. */
  readonly custom: ImagineCustom;
  /** Outputs that are known better than by imagination, for some steps. */
  readonly outputsOf?: (step: BoundStep) => JsonObject | undefined;
  /** Links that are there before. Default: none. */
  readonly present?: readonly PresentLink[];
}

/** Goes through a plan on a host that has nothing else, without performing it. Throws for an operation that the table has not. */
export function dryWalk(plan: Plan, operations: OperationTable, options: DryWalkOptions): DryWalk {
  const host = new ImaginedHost(options.custom, options.present);
  const steps: DryStep[] = [];
  const walk = plan.walk();
  try {
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      const dry = dryStep(plan, step, operations, host, options.outputsOf?.(step));
      steps.push(dry);
      walk.done(dry.outputs);
    }
  } catch (error) {
    if (error instanceof BindError) return { steps, failure: error };
    throw error;
  }
  return { steps, failure: undefined };
}

function dryStep(plan: Plan, step: BoundStep, operations: OperationTable, host: ImaginedHost, known: JsonObject | undefined): DryStep {
  const operation = operations.get(step.operation);
  if (operation === undefined) throw new Error(`no operation is called ${step.operation}`);
  const context = { owner: plan.owner, netns: plan.netns, netnsGone: false };
  const before = host.changes.length;
  let outputs = operation.predict(step.arguments, context) as JsonObject;
  let problem: string | undefined;
  try {
    outputs = { ...outputs, ...host.run(operation.ensure(step.arguments, context)) };
  } catch (error) {
    if (!(error instanceof EffectError)) throw error;
    problem = error.message;
  }
  return { step, operation, outputs: { ...outputs, ...known }, changes: host.changes.slice(before), problem };
}
