import type { Ast, Expr, Ident, Select } from '../ast.ts';
import type { RewriteContext } from './rewrite.ts';
import { rewrite } from './rewrite.ts';

/** Where a part of an object is found instead: `{from: ['spec'], to: ['spec', 'template', 'spec']}`. */
export interface Move {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Fields of the part that stay where they are: `metadata.name`, when only the rest of `metadata` has moved. */
  readonly except?: ReadonlySet<string>;
}

/**
 * Makes expressions that were written for one object work on another that holds it: `object.spec.containers` becomes
 * `object.spec.template.spec.containers`. All ways to reach a field are followed (`object.spec`, `object.?spec`,
 * `object['spec']`, `object[?'spec']`, `has(object.spec)`); a comprehension's variable of the same name is another thing and
 * stays. Text in strings, and fields of other variables, are never touched.
 *
 * Where the last step of `from` was optional or presence was tested, so are all the steps of `to`, or the last.
 */
export function rebase(ast: Ast, variables: readonly string[], moves: readonly Move[]): Ast {
  const names = new Set(variables);
  /** Nodes made here, with the nodes they replace: what is inside them has been moved already. */
  const moved = new Map<Expr, { readonly original: Expr; readonly move: Move }>();
  return rewrite(ast, (expr, context) => {
    const access = accessOf(expr);
    const before = access && moved.get(access.operand);
    if (before?.move.except?.has(access!.field)) return withOperand(expr, before.original);
    const path = pathOf(expr, moved);
    if (!path || !names.has(path.root.name.replace(/^\./, ''))) return undefined;
    if (!path.root.name.startsWith('.') && context.isLocal(path.root.name)) return undefined;
    const move = moves.find(({ from }) => from.length === path.steps.length && from.every((name, index) => name === path.steps[index]));
    if (!move) return undefined;
    const result = move.to.reduce<Expr>(
      (operand, name, index) => step(expr, operand, name, index === move.to.length - 1, context),
      path.root,
    );
    moved.set(result, { original: expr, move });
    return result;
  });
}

interface Access {
  readonly operand: Expr;
  readonly field: string;
}

/** `operand.field`, `operand.?field`, `operand['field']`, `operand[?'field']`. */
function accessOf(expr: Expr): Access | undefined {
  if (expr.kind === 'select') return expr;
  if (expr.kind !== 'call' || !ACCESS.has(expr.fn)) return undefined;
  const [operand, key] = expr.args;
  return operand && key?.kind === 'literal' && typeof key.value === 'string' ? { operand, field: key.value } : undefined;
}

function withOperand(expr: Expr, operand: Expr): Expr {
  return expr.kind === 'call' ? { ...expr, args: [operand, ...expr.args.slice(1)] } : { ...(expr as Select), operand };
}

/** One access of a field, as `expr` accesses its own. */
function step(expr: Expr, operand: Expr, name: string, last: boolean, context: RewriteContext): Expr {
  const { start, end, at } = expr;
  const position = { start, end, at };
  const id = last ? expr.id : context.newId();
  if (expr.kind === 'call') {
    const field: Expr = { kind: 'literal', id: context.newId(), ...position, value: name };
    return { kind: 'call', id, ...position, fn: expr.fn, args: [operand, field] };
  }
  return { kind: 'select', id, ...position, operand, field: name, testOnly: last && expr.kind === 'select' && expr.testOnly };
}

/** The variable that a chain of field accesses starts from, and the names of the fields. */
function pathOf(expr: Expr, moved: ReadonlyMap<Expr, unknown>): { readonly root: Ident; readonly steps: readonly string[] } | undefined {
  const steps: string[] = [];
  let node = expr;
  while (node.kind !== 'ident') {
    const access = moved.has(node) ? undefined : accessOf(node);
    if (!access) return undefined;
    steps.unshift(access.field);
    node = access.operand;
  }
  return steps.length === 0 ? undefined : { root: node, steps };
}

const ACCESS: ReadonlySet<string> = new Set(['_?._', '_[_]', '_[?_]']);
