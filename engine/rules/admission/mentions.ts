import type { Ast, Expr } from '../../cel/ast.ts';
import type { Expression } from './policy.ts';

/** Direct parts of an expression. */
function* children(expr: Expr): Iterable<Expr> {
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

const identifiersByAst = new WeakMap<Ast, ReadonlySet<string>>();

/** All identifiers of an expression, without a leading dot. Found once per tree: several questions are asked about each. */
function identifiersOf(ast: Ast): ReadonlySet<string> {
  let found = identifiersByAst.get(ast);
  if (found === undefined) {
    const names = new Set<string>();
    const pending: Expr[] = [ast.root];
    for (let expr = pending.pop(); expr !== undefined; expr = pending.pop()) {
      if (expr.kind === 'ident') names.add(expr.name.startsWith('.') ? expr.name.slice(1) : expr.name);
      else for (const part of children(expr)) pending.push(part);
    }
    found = names;
    identifiersByAst.set(ast, found);
  }
  return found;
}

/** Whether an identifier of this name occurs (a loop variable that hides it counts, too). */
export function mentions(expression: Expression, name: string): boolean {
  return identifiersOf(expression.program.ast).has(name);
}
