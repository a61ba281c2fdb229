import type { Activation, CheckedAst, Trace, TraceOptions } from '../../program.ts';
import { CelError, type CelValue } from '../../values.ts';
import type { Frame, Recorder, Result } from './frame.ts';
import { createPlanner } from './plan.ts';

/** Kubernetes: pkg/apis/cel/config.go PerCallLimit. */
export const PER_CALL_LIMIT = 1_000_000;

/** The closures of an expression: exact cost, and the value of every node when asked for. */
export interface ClosureProgram {
  trace(activation: Activation, options?: TraceOptions): Trace;
  /** See Program.refused. */
  readonly refused?: CelError;
  /** Values that are known before the program runs, by node id. */
  readonly constants: ReadonlyMap<number, CelValue>;
}

/** Plans the closures. Throws only for a tree too deep for the stack, as a {@link CelError}. */
export function createClosures(ast: CheckedAst): ClosureProgram {
  const planner = createPlanner(ast);
  const root = guarded(() => planner.plan(ast.root, undefined));
  return {
    constants: planner.constants,
    ...(planner.refused ? { refused: planner.refused } : {}),
    trace(activation, options = {}) {
      const values = options.record ? new Map<number, { value?: CelValue; error?: CelError; count: number }>() : undefined;
      const frame: Frame = {
        activation,
        slots: new Array(planner.slotCount).fill(undefined),
        cost: 0,
        limit: options.limit ?? PER_CALL_LIMIT,
        record: values && recorder(values),
      };
      const result = outcome(() => root.evaluate(frame));
      return {
        outcome: result instanceof CelError ? { ok: false, error: result } : { ok: true, value: result },
        cost: frame.cost,
        ...(values ? { values } : {}),
      };
    },
  };
}

function recorder(values: Map<number, { value?: CelValue; error?: CelError; count: number }>): Recorder {
  return (nodeId, result, again = false) => {
    const before = values.get(nodeId);
    // A chain reports its last qualifier and then itself: that is one evaluation.
    const count = (before?.count ?? 0) + (again && before ? 0 : 1);
    values.set(nodeId, result instanceof CelError ? { error: result, count } : { value: result, count });
  };
}

/** Evaluates, and gives whatever goes wrong the form of an error of the expression. */
function outcome(evaluate: () => Result): Result {
  try {
    return evaluate();
  } catch (error) {
    return asCelError(error);
  }
}

function guarded<T>(plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    throw asCelError(error);
  }
}

/** A CelError as it is; a stack overflow and a bug as one with code `internal`. */
export function asCelError(error: unknown): CelError {
  if (error instanceof CelError) return error;
  if (error instanceof RangeError && /call stack/i.test(error.message)) return new CelError('expression nests too deeply', 'internal');
  return new CelError(`internal error: ${error instanceof Error ? error.message : String(error)}`, 'internal');
}
