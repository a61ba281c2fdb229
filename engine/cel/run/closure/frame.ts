import type { Activation } from '../../program.ts';
import { CelError, type CelValue } from '../../values.ts';
import type { MapBuilder } from '../insert.ts';

/** Errors travel as values, as in cel-go: that is what makes the cost of an expression with absorbed errors come out exact. */
export type Result = CelValue | CelError;

/** A slot holds a variable of a comprehension; an accumulator may be under construction or not yet computed. */
export type Slot = Result | MapBuilder | undefined;

/** The state of one evaluation. */
export interface Frame {
  readonly activation: Activation;
  /** Variables of comprehensions, by the slot the planner gave them. */
  readonly slots: Slot[];
  cost: number;
  readonly limit: number;
  readonly record: Recorder | undefined;
}

export type Recorder = (nodeId: number, result: Result, again?: boolean) => void;

export type Evaluate = (frame: Frame) => Result;

/** Cost of the elementary steps. cel-go: common/cost.go. */
export const SELECT_OR_IDENT = 1;
export const LIST_LITERAL = 10;
export const MAP_LITERAL = 30;
export const STRUCT_LITERAL = 40;

export const BUDGET_MESSAGE = 'operation cancelled: actual cost limit exceeded';

/** Adds to the cost. Leaves the whole evaluation, by throwing, once the limit is passed: no operator can absorb that. */
export function charge(frame: Frame, units: number): void {
  frame.cost += units;
  if (frame.cost > frame.limit) throw new CelError(BUDGET_MESSAGE, 'budget');
}

/** Runs an implementation, turning the error it throws into a value that knows its node. */
export function attempt(nodeId: number, call: () => CelValue): Result {
  try {
    return call();
  } catch (error) {
    return asEvaluationError(nodeId, error);
  }
}

/** Passes on what is not an error of the expression: the budget, a fact to be fetched, a bug. */
export function asEvaluationError(nodeId: number, error: unknown): CelError {
  if (!(error instanceof CelError) || error.code === 'budget' || error.code === 'needs-fact') throw error;
  error.nodeId ??= nodeId;
  return error;
}

/** A new error at a node. */
export function fail(nodeId: number, error: CelError): CelError {
  error.nodeId ??= nodeId;
  return error;
}
