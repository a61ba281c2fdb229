import type { Ast, Call, Expr } from '../../engine/cel/ast.ts';
import { candidateNames } from '../../engine/cel/check/declarations.ts';
import type { EnvironmentTables } from '../../engine/cel/check/environment-tables.ts';
import { children } from '../../engine/cel/check/walk.ts';
import type { CheckedAst, Reference } from '../../engine/cel/program.ts';
import { DYN } from '../../engine/cel/types.ts';

/**
 * A tree as if it had been checked, with everything left to run time: every call may be any overload of its name. A few of the
 * official tests want an expression evaluated that no checker accepts; we have no other use for that.
 */
export function unchecked(ast: Ast, tables: EnvironmentTables): CheckedAst {
  const references: (Reference | undefined)[] = new Array(ast.nodeCount + 1).fill(undefined);
  const visit = (expr: Expr): void => {
    references[expr.id] = referenceOf(expr, tables);
    for (const child of children(expr)) visit(child);
  };
  visit(ast.root);
  return { ...ast, types: new Array(ast.nodeCount + 1).fill(DYN), references, resultType: DYN };
}

function referenceOf(expr: Expr, tables: EnvironmentTables): Reference | undefined {
  if (expr.kind === 'call') return functionReference(expr, tables);
  const name = qualifiedName(expr);
  if (name === undefined) return undefined;
  for (const candidate of candidateNames(tables.container, name)) {
    const reference = tables.variables.get(candidate)?.reference ?? tables.declarations.identifiers.get(candidate)?.reference;
    if (reference) return reference;
  }
  return undefined;
}

function functionReference(expr: Call, tables: EnvironmentTables): Reference | undefined {
  const prefix = expr.target && qualifiedName(expr.target);
  for (const name of prefix === undefined ? [] : candidateNames(tables.container, `${prefix}.${expr.fn}`)) {
    const found = overloads(name, expr.args.length, false, tables);
    if (found) return found;
  }
  if (expr.target) return overloads(expr.fn, expr.args.length + 1, true, tables);
  for (const name of candidateNames(tables.container, expr.fn)) {
    const found = overloads(name, expr.args.length, false, tables);
    if (found) return found;
  }
  return undefined;
}

function overloads(name: string, operands: number, member: boolean, tables: EnvironmentTables): Reference | undefined {
  const all = tables.declarations.functions.get(name)?.overloads.map(({ overload }) => overload) ?? [];
  const fitting = all.filter((overload) => overload.member === member && overload.args.length === operands);
  return fitting.length === 0 ? undefined : { kind: 'function', name, overloads: fitting };
}

function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}
