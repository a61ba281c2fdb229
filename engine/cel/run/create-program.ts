import type { CheckedAst, Program } from '../program.ts';
import { asCelError, type ClosureProgram, createClosures, PER_CALL_LIMIT } from './closure/program.ts';
import { Unsupported } from './codegen/context.ts';
import { compileGenerated, generate, MAX_GENERATED_NODES } from './codegen/generate.ts';

export interface ProgramOptions {
  /**
   * `code` generates JavaScript, `closures` does not, `auto` (the default) generates where the host allows it and takes
   * closures where it does not (a page with a content security policy, a process without code generation from strings).
   */
  readonly backEnd?: 'auto' | 'code' | 'closures';
  /**
   * Variables whose values are JSON as parsed: plain objects, arrays and scalars, without values of our own classes anywhere
   * inside. Their fields are read in place. `a.b` says so of the field `b` of the variable `a` alone. Default: what an
   * admission request brings.
   */
  readonly jsonVariables?: ReadonlySet<string>;
}

/** Variables of admission expressions that come as parsed JSON. */
export const ADMISSION_VARIABLES: ReadonlySet<string> = new Set(['object', 'oldObject', 'params', 'namespaceObject', 'request']);

/**
 * Prepares a checked expression for running. Throws a CelError only for a tree too deep to be walked; with `code` an error also
 * where the host forbids generated code.
 */
export function createProgram(ast: CheckedAst, options: ProgramOptions = {}): Program {
  const planned = createClosures(ast);
  const { refused } = planned;
  // Whoever only checks rules runs none, most rules are never traced, and both forms take more time and memory than all that was made
  // of an expression before: they are made when they are asked for. Beside generated code closures are not kept for running.
  // What is too large for code is an exception, large enough that making its closures a second time would be felt.
  let closures: ClosureProgram | undefined = ast.nodeCount > MAX_GENERATED_NODES ? planned : undefined;
  let made: Program['run'] | undefined;
  const make = (): Program['run'] => {
    const fresh = closures ?? createClosures(ast);
    const code = options.backEnd === 'closures' ? undefined : generated(ast, fresh, options);
    if (code !== undefined) return code;
    closures = fresh;
    return runClosures(fresh);
  };
  const firstRun: Program['run'] = (activation, meter) => {
    made ??= make();
    // A plain property, and not a getter: the programs of a bundle keep one hidden class, and calls of `run` stay fast.
    program.run = made;
    return made(activation, meter);
  };
  const program: { -readonly [K in keyof Program]: Program[K] } = {
    ast,
    run: options.backEnd === 'code' ? make() : firstRun,
    trace: (activation, traceOptions) => {
      closures ??= createClosures(ast);
      return closures.trace(activation, traceOptions);
    },
    ...(refused ? { refused } : {}),
  };
  return program;
}

/** False once the host has refused to compile generated code: it will not change its mind. */
let hostAllowsCode = true;

function generated(ast: CheckedAst, closures: ClosureProgram, options: ProgramOptions): Program['run'] | undefined {
  if (!hostAllowsCode && options.backEnd !== 'code') return undefined;
  try {
    const code = generate(ast, { constants: closures.constants, jsonVariables: options.jsonVariables ?? ADMISSION_VARIABLES });
    return compileGenerated(code);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    if (error instanceof RangeError) {
      // Too deep to generate; closures were made of it, though.
      if (options.backEnd === 'code') throw asCelError(error);
      return undefined;
    }
    if (options.backEnd === 'code' || !(error instanceof EvalError)) throw error;
    hostAllowsCode = false;
    return undefined;
  }
}

/** `Program.run` by closures: the cost is exact. Like generated code it leaves the meter alone when it throws. */
function runClosures(closures: ClosureProgram): Program['run'] {
  return (activation, meter) => {
    const { outcome, cost } = closures.trace(activation, { limit: Math.min(meter.remaining, PER_CALL_LIMIT) });
    if (!outcome.ok) throw outcome.error;
    meter.remaining -= cost;
    return outcome.value;
  };
}
