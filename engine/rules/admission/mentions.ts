import type { Expr } from '../../cel/ast.ts';
import type { Expression } from './policy.ts';

/** Direct parts of an expression. */
export function* children(expr: Expr): Iterable<Expr> {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return;
    case 'select':
      yield expr.operand;
      return;
    case 'call':
      if (expr.target !== undefined) yield expr.target;
      yield* expr.args;
      return;
    case 'list':
      yield* expr.elements;
      return;
    case 'map':
      for (const entry of expr.entries) {
        yield entry.key;
        yield entry.value;
      }
      return;
    case 'struct':
      for (const field of expr.fields) yield field.value;
      return;
    case 'comprehension':
      yield expr.iterRange;
      yield expr.accuInit;
      yield expr.loopCondition;
      yield expr.loopStep;
      yield expr.result;
  }
}

/** Whether an identifier of this name occurs (a loop variable that hides it counts, too). */
export function mentions(expression: Expression, name: string): boolean {
  const pending: Expr[] = [expression.program.ast.root];
  for (let expr = pending.pop(); expr !== undefined; expr = pending.pop()) {
    if (expr.kind === 'ident' && (expr.name === name || expr.name === `.${name}`)) return true;
    pending.push(...children(expr));
  }
  return false;
}
