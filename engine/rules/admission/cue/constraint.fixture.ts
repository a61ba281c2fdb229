import { createEnvironment } from '../../../cel/create-environment.ts';
import { DYN } from '../../../cel/types.ts';
import { translateCue } from './translate-cue.ts';

const environment = createEnvironment({ variables: { object: DYN } });

/** Whether an object is an instance of a constraint, by both back ends, and what is said if not. */
export function judge(constraint: string, object: unknown): true | string {
  const translated = translateCue(constraint);
  if (!translated.ok) throw new Error(`${translated.issue.message}: ${constraint.slice(translated.issue.start, translated.issue.end)}`);
  const activation = { object: object as never };
  const verdict = evaluated(translated.verdict, activation);
  if (verdict === true) return true;
  return String(evaluated(translated.message, activation));
}

function evaluated(ast: Parameters<typeof environment.compileAst>[0], activation: { readonly object: never }): unknown {
  const compiled = environment.compileAst(ast);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('\n'));
  const { outcome } = compiled.program.trace(activation);
  if (!outcome.ok) throw outcome.error;
  const fast = compiled.program.run(activation, { remaining: 1_000_000 });
  if (fast !== outcome.value) throw new Error(`back ends differ: ${String(fast)}, ${String(outcome.value)}`);
  return fast;
}
