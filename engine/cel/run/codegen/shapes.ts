import type { Comprehension, Expr } from '../../ast.ts';

/** What a comprehension is, found from its parts and not from the macro's name: a shape that is not known is not generated. */
export type Shape =
  | { readonly kind: 'all' | 'exists' | 'existsOne'; readonly predicate: Expr }
  | { readonly kind: 'list'; readonly predicate?: Expr; readonly element: Expr }
  | { readonly kind: 'map'; readonly predicate?: Expr; readonly entry: readonly Expr[] }
  | { readonly kind: 'bind' };

export function shapeOf(expr: Comprehension): Shape | undefined {
  return quantifier(expr) ?? existsOne(expr) ?? collection(expr) ?? bind(expr);
}

const isLiteral = (expr: Expr, value: unknown): boolean => expr.kind === 'literal' && expr.value === value;
const isIdent = (expr: Expr | undefined, name: string): boolean => expr?.kind === 'ident' && expr.name === name;

/** The arguments of a call of `fn`, or undefined. */
function callOf(expr: Expr, fn: string): readonly Expr[] | undefined {
  return expr.kind === 'call' && expr.fn === fn && !expr.target ? expr.args : undefined;
}

function quantifier(expr: Comprehension): Shape | undefined {
  const { accuVar } = expr;
  const condition = callOf(expr.loopCondition, '@not_strictly_false')?.[0];
  if (!condition || !isIdent(expr.result, accuVar)) return undefined;
  const and = callOf(expr.loopStep, '_&&_');
  if (and && isLiteral(expr.accuInit, true) && isIdent(condition, accuVar) && isIdent(and[0], accuVar)) {
    return { kind: 'all', predicate: and[1]! };
  }
  const or = callOf(expr.loopStep, '_||_');
  if (or && isLiteral(expr.accuInit, false) && isIdent(callOf(condition, '!_')?.[0], accuVar) && isIdent(or[0], accuVar)) {
    return { kind: 'exists', predicate: or[1]! };
  }
  return undefined;
}

function existsOne(expr: Comprehension): Shape | undefined {
  const { accuVar } = expr;
  const step = callOf(expr.loopStep, '_?_:_');
  const increment = step && callOf(step[1]!, '_+_');
  const result = callOf(expr.result, '_==_');
  const matches =
    isLiteral(expr.accuInit, 0) &&
    isLiteral(expr.loopCondition, true) &&
    isIdent(step?.[2], accuVar) &&
    isIdent(increment?.[0], accuVar) &&
    increment?.[1] !== undefined &&
    isLiteral(increment[1], 1) &&
    isIdent(result?.[0], accuVar) &&
    result?.[1] !== undefined &&
    isLiteral(result[1], 1);
  return matches ? { kind: 'existsOne', predicate: step![0]! } : undefined;
}

/** `map`, `filter`, `transformList`, `transformMap`, `transformMapEntry`: something is added to an empty collection. */
function collection(expr: Comprehension): Shape | undefined {
  const { accuVar, accuInit } = expr;
  if (!isLiteral(expr.loopCondition, true) || !isIdent(expr.result, accuVar)) return undefined;
  const conditional = callOf(expr.loopStep, '_?_:_');
  if (conditional && !isIdent(conditional[2], accuVar)) return undefined;
  const change = conditional ? conditional[1]! : expr.loopStep;
  const filter = conditional ? { predicate: conditional[0]! } : {};
  if (accuInit.kind === 'list' && accuInit.elements.length === 0) {
    const added = callOf(change, '_+_');
    const list = added?.[1];
    if (!isIdent(added?.[0], accuVar) || list?.kind !== 'list' || list.elements.length !== 1 || list.optionalIndices.length > 0)
      return undefined;
    return { kind: 'list', ...filter, element: list.elements[0]! };
  }
  if (accuInit.kind !== 'map' || accuInit.entries.length > 0 || change.kind !== 'call' || change.target) return undefined;
  if (change.fn !== 'cel.@mapInsert' || !isIdent(change.args[0], accuVar)) return undefined;
  return { kind: 'map', ...filter, entry: change.args.slice(1) };
}

/** A name for a value: `optMap` and `optFlatMap`. */
function bind(expr: Comprehension): Shape | undefined {
  const isEmpty = expr.iterRange.kind === 'list' && expr.iterRange.elements.length === 0;
  return isEmpty && isLiteral(expr.loopCondition, false) && isIdent(expr.loopStep, expr.accuVar) ? { kind: 'bind' } : undefined;
}

/** Whether a variable is read anywhere in a tree (an inner variable of the same name counts too). */
export function mentions(expr: Expr, name: string): boolean {
  switch (expr.kind) {
    case 'literal':
      return false;
    case 'ident':
      return expr.name === name;
    case 'select':
      return mentions(expr.operand, name);
    case 'call':
      return (expr.target !== undefined && mentions(expr.target, name)) || expr.args.some((arg) => mentions(arg, name));
    case 'list':
      return expr.elements.some((element) => mentions(element, name));
    case 'map':
      return expr.entries.some((entry) => mentions(entry.key, name) || mentions(entry.value, name));
    case 'struct':
      return expr.fields.some((field) => mentions(field.value, name));
    case 'comprehension':
      return [expr.iterRange, expr.accuInit, expr.loopCondition, expr.loopStep, expr.result].some((part) => mentions(part, name));
  }
}
