import { isJsonObject, type Json } from '../../object/json.ts';
import { EffectError, type Steps } from '../effect.ts';
import type { ArgumentProblem } from '../operation.ts';

/*
 * Programs and requests, of which nothing is known but what the rule says: how it is looked whether all is well, and how it is undone.
 */

interface CheckedAndUndone<A> {
  readonly check?: A;
  readonly undo?: A;
}

/** What is wrong with the arguments, those of `check` and those of `undo`. */
export const problemsOfEach = <A>(
  args: A & CheckedAndUndone<A>,
  problemsOf: (each: A, path: readonly string[]) => readonly ArgumentProblem[],
): readonly ArgumentProblem[] => [
  ...problemsOf(args, []),
  ...(args.check === undefined ? [] : problemsOf(args.check, ['check'])),
  ...(args.undo === undefined ? [] : problemsOf(args.undo, ['undo'])),
];

/** What `remember` keeps before something is done: only what was begun is undone. */
export const BEGUN: Json = { begun: true };

export const wasBegun = ({ memory }: { readonly memory?: Json }): boolean => isJsonObject(memory) && memory['begun'] === true;

/** What something that succeeds while all is well says: nothing, or why it did not (its failure `other`). */
export function* problemsBy(attempt: Steps<unknown>): Steps<readonly string[]> {
  try {
    yield* attempt;
    return [];
  } catch (error) {
    if (error instanceof EffectError && error.code === 'other') return [error.message];
    throw error;
  }
}
