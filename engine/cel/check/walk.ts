import type { Expr } from '../ast.ts';

/** The children of a node, in the order of evaluation. A comprehension's macro is not among them. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return expr.fields.map((field) => field.value);
    case 'comprehension':
      return [expr.iterRange, expr.accuInit, expr.loopCondition, expr.loopStep, expr.result];
  }
}

/** Calls `visit` for every node, children first. */
export function walk(expr: Expr, visit: (expr: Expr) => void): void {
  for (const child of children(expr)) walk(child, visit);
  visit(expr);
}
