import type { Call, Expr, Ident, ListExpr, Literal, MapEntry, MapExpr, Select } from '../ast.ts';
import type { CelValue } from '../values.ts';

/**
 * Makers of nodes. All nodes of a kind have their properties in one order, whoever makes them, so that the walks over trees
 * meet few object shapes.
 */
export interface Position {
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

export function literalNode(id: number, { start, end, at }: Position, value: CelValue): Literal {
  return { kind: 'literal', id, start, end, at, value };
}

export function identNode(id: number, { start, end, at }: Position, name: string): Ident {
  return { kind: 'ident', id, start, end, at, name };
}

export function selectNode(id: number, { start, end, at }: Position, operand: Expr, field: string, testOnly: boolean): Select {
  return { kind: 'select', id, start, end, at, operand, field, testOnly };
}

export function callNode(id: number, { start, end, at }: Position, fn: string, target: Expr | undefined, args: readonly Expr[]): Call {
  return target === undefined ? { kind: 'call', id, start, end, at, fn, args } : { kind: 'call', id, start, end, at, fn, target, args };
}

export function listNode(
  id: number,
  { start, end, at }: Position,
  elements: readonly Expr[],
  optionalIndices: readonly number[],
): ListExpr {
  return { kind: 'list', id, start, end, at, elements, optionalIndices };
}

export function mapNode(id: number, { start, end, at }: Position, entries: readonly MapEntry[]): MapExpr {
  return { kind: 'map', id, start, end, at, entries };
}
