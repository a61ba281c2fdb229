import type { Expr } from '../../cel/ast.ts';

/**
 * A copy of a tree in which every node, its parts already replaced, is what `change` makes of it. Nodes that occur twice (the
 * arguments of a macro are nodes of its expansion, too) are replaced by one and the same node.
 */
export function mapTree(root: Expr, change: (expr: Expr) => Expr): Expr {
  const done = new Map<Expr, Expr>();
  const map = (expr: Expr): Expr => {
    let mapped = done.get(expr);
    if (mapped === undefined) {
      mapped = change(mapParts(expr, map));
      done.set(expr, mapped);
    }
    return mapped;
  };
  return map(root);
}

function mapParts(expr: Expr, map: (part: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return expr;
    case 'select':
      return { ...expr, operand: map(expr.operand) };
    case 'call':
      return { ...expr, ...(expr.target === undefined ? {} : { target: map(expr.target) }), args: expr.args.map(map) };
    case 'list':
      return { ...expr, elements: expr.elements.map(map) };
    case 'map':
      return { ...expr, entries: expr.entries.map((entry) => ({ ...entry, key: map(entry.key), value: map(entry.value) })) };
    case 'struct':
      return { ...expr, fields: expr.fields.map((field) => ({ ...field, value: map(field.value) })) };
    case 'comprehension': {
      const { macro } = expr;
      return {
        ...expr,
        iterRange: map(expr.iterRange),
        accuInit: map(expr.accuInit),
        loopCondition: map(expr.loopCondition),
        loopStep: map(expr.loopStep),
        result: map(expr.result),
        macro: { ...macro, ...(macro.target === undefined ? {} : { target: map(macro.target) }), args: macro.args.map(map) },
      };
    }
  }
}
