import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { type Effect, EffectError } from '../../engine/step/effect.ts';
import { findProgram } from './child.ts';

type RunEffect = Extract<Effect, { kind: 'run' }>;

/**
 * What operations of the vocabulary themselves run, whatever is allowed to rules: the program, and whether the arguments are of the kind
 * that it is run for.
 */
const OF_THE_VOCABULARY: ReadonlyMap<string, (args: readonly string[]) => boolean> = new Map([
  ['conntrack', (args: readonly string[]) => args[0] === '-D' || /^-L -f ipv[46] -p udp$/.test(args.join(' '))],
]);

/**
 * The file of a program, when it is allowed. An entry of the list is a name, which is looked for on the path, or an absolute path; a rule may
 * write either. Throws {@link EffectError} `program`.
 */
export function allowedProgram({ program, arguments: args }: Pick<RunEffect, 'program' | 'arguments'>, allowed: readonly string[]): string {
  const file = isAbsolute(program) ? program : findProgram(program);
  const isAllowed =
    OF_THE_VOCABULARY.get(program)?.(args) === true ||
    allowed.some((entry) => entry === program || (file !== undefined && isSameFile(isAbsolute(entry) ? entry : findProgram(entry), file)));
  if (!isAllowed || program.includes('..') || (!isAbsolute(program) && program.includes('/'))) {
    throw new EffectError('program', `${JSON.stringify(program)} is not among the programs that rules may run here`, program);
  }
  if (file === undefined || findProgram(file) === undefined) throw new EffectError('program', `${program} is not installed`, program);
  return file;
}

/** Whether two paths are one entry of one folder. One file may be several programs, by the name that it is called. */
function isSameFile(a: string | undefined, b: string): boolean {
  if (a === undefined || basename(a) !== basename(b)) return false;
  try {
    return realpathSync(dirname(a)) === realpathSync(dirname(b));
  } catch {
    return false;
  }
}
