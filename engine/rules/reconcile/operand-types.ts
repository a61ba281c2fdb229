import type { Expr } from '../../cel/ast.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';

/**
 * What fields of the instance the node of a failed operation was given, as types: `self.spec.size is a string`; `` where it was given
 * none. A schema that somebody else made may let in what the rule does not expect.
 */
export function operandTypes(node: Expr | undefined, variable: string, instance: JsonObject): string {
  if (node === undefined) return '';
  const operands = node.kind === 'call' ? [...(node.target === undefined ? [] : [node.target]), ...node.args] : [node];
  const told = operands.flatMap((operand) => {
    const path = pathOf(operand, variable);
    if (path === undefined || path.length === 0) return [];
    let value: Json | undefined = instance;
    for (const field of path) value = isJsonObject(value) ? ownValue(value, field) : undefined;
    return value === undefined ? [] : [`${[variable, ...path].join('.')} is ${typeOf(value)}`];
  });
  return [...new Set(told)].join(', ');
}

/** The fields that are selected of a variable, one by one; undefined where it is something else. */
function pathOf(expr: Expr, variable: string): readonly string[] | undefined {
  if (expr.kind === 'ident') return expr.name === variable ? [] : undefined;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const before = pathOf(expr.operand, variable);
  return before === undefined ? undefined : [...before, expr.field];
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value === 'bigint' ? 'number' : typeof value}`;
}
