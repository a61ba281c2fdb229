import type { CheckedAst, Program } from '../program.ts';
import { type ClosureProgram, createClosures } from './closure/program.ts';

export interface ProgramOptions {
  /**
   * `code` generates JavaScript, `closures` does not, `auto` (the default) generates where the host allows it and takes
   * closures where it does not (a page with a content security policy, a process without code generation from strings).
   */
  readonly backEnd?: 'auto' | 'code' | 'closures';
}

/** Prepares a checked expression for running. Throws a CelError only for a tree too deep to be walked. */
export function createProgram(ast: CheckedAst, _options: ProgramOptions = {}): Program {
  const closures = createClosures(ast);
  return { ast, run: runClosures(closures), trace: closures.trace, ...(closures.refused ? { refused: closures.refused } : {}) };
}

/** `Program.run` by closures: the cost is exact, and the meter's rest is the limit. */
export function runClosures(closures: ClosureProgram): Program['run'] {
  return (activation, meter) => {
    const { outcome, cost } = closures.trace(activation, { limit: meter.remaining });
    meter.remaining -= cost;
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  };
}
