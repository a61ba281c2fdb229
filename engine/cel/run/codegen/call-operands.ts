import type { Call, Expr } from '../../ast.ts';
import type { Overload } from '../../function.ts';
import { codePointLength } from '../text.ts';
import type { Context, Operand, Scope } from './context.ts';
import { type Code, js } from './emitter.ts';
import { asValue } from './operand.ts';

/** With its namespace: `sets.contains` is another function than `contains`. */
export function functionName(context: Context, expr: Call): string {
  const reference = context.ast.references[expr.id];
  return reference?.kind === 'function' ? reference.name : expr.fn;
}

/** The overloads that a call may be. */
export function overloadsOf(context: Context, expr: Call): readonly Overload[] {
  const reference = context.ast.references[expr.id];
  return reference?.kind === 'function' ? reference.overloads : [];
}

/**
 * Operands of a call of one or two arguments. cel-go evaluates the second even when the first has failed, so that what the
 * second would have charged may be missing after a failure of the first.
 */
export function visitTogether(context: Context, operands: readonly Expr[], scope: Scope | undefined): readonly Operand[] {
  const { block } = context;
  const failedBefore = block.canFail;
  const dynamicBefore = block.hasDynamicCost;
  let failed = false;
  const results = operands.map((operand) => {
    block.canFail = false;
    block.hasDynamicCost = false;
    const result = asValue(context, context.visit(context, operand, scope));
    if (failed && block.hasDynamicCost) block.mayMissCost = true;
    failed ||= block.canFail;
    return { result, dynamic: block.hasDynamicCost };
  });
  block.canFail = failedBefore || failed;
  block.hasDynamicCost = dynamicBefore || results.some(({ dynamic }) => dynamic);
  return results.map(({ result }) => result);
}

/** Upper bound of the cost of walking a text of this many UTF-16 units: one more than exact, so that rounding can't matter. */
export const walking = (units: Code): Code => js`(${units} + 20) / 10 | 0`;

/** The same of a text that is known. */
export const walkingCost = (text: string): number => Math.max(1, Math.ceil(codePointLength(text) * 0.1));
