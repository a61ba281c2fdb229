import type { Ast, Comprehension, Expr, MacroCall } from '../ast.ts';

/** What a rewriter knows of the place of a node, and makes new nodes with. */
export interface RewriteContext {
  /** Whether the name is a comprehension's variable here, not one of the environment. */
  isLocal(name: string): boolean;
  /** An id for a node that was not in the tree before. */
  newId(): number;
}

/**
 * Gives the node to put in place of one whose children have already been rewritten; undefined keeps it. Positions of new
 * nodes should be those of the node they replace, so that issues still point at what the author wrote.
 */
export type Rewriter = (expr: Expr, context: RewriteContext) => Expr | undefined;

/**
 * Rewrites a parsed tree from the leaves up. Macros keep what their author wrote, rewritten the same way, so that the result
 * can still be printed and compiled like any other tree. The tree given is left as it was.
 */
export function rewrite(ast: Ast, rewriter: Rewriter): Ast {
  const rewriting = new Rewriting(ast.nodeCount, rewriter);
  const root = rewriting.rewrite(ast.root);
  return root === ast.root ? ast : { text: ast.text, root, nodeCount: rewriting.lastId };
}

class Rewriting implements RewriteContext {
  private readonly locals: string[] = [];
  /** A macro's arguments and its expansion share nodes, and shall do so afterwards. */
  private readonly done = new Map<Expr, Expr>();

  constructor(
    public lastId: number,
    private readonly rewriter: Rewriter,
  ) {}

  newId(): number {
    return ++this.lastId;
  }

  isLocal(name: string): boolean {
    return this.locals.includes(name);
  }

  rewrite(expr: Expr): Expr {
    const known = this.done.get(expr);
    if (known) return known;
    const inner = this.rewriteChildren(expr);
    const result = this.rewriter(inner, this) ?? inner;
    this.done.set(expr, result);
    return result;
  }

  private rewriteAll(exprs: readonly Expr[]): readonly Expr[] {
    const results = exprs.map((expr) => this.rewrite(expr));
    return results.every((result, index) => result === exprs[index]) ? exprs : results;
  }

  private rewriteChildren(expr: Expr): Expr {
    switch (expr.kind) {
      case 'literal':
      case 'ident':
        return expr;
      case 'select': {
        const operand = this.rewrite(expr.operand);
        return operand === expr.operand ? expr : { ...expr, operand };
      }
      case 'call': {
        const target = expr.target && this.rewrite(expr.target);
        const args = this.rewriteAll(expr.args);
        const macro = expr.macro && this.rewriteMacro(expr.macro);
        if (target === expr.target && args === expr.args && macro === expr.macro) return expr;
        return { ...expr, args, ...(target ? { target } : {}), ...(macro ? { macro } : {}) };
      }
      case 'list': {
        const elements = this.rewriteAll(expr.elements);
        return elements === expr.elements ? expr : { ...expr, elements };
      }
      case 'map': {
        const entries = expr.entries.map((entry) => {
          const key = this.rewrite(entry.key);
          const value = this.rewrite(entry.value);
          return key === entry.key && value === entry.value ? entry : { ...entry, key, value };
        });
        return entries.every((entry, index) => entry === expr.entries[index]) ? expr : { ...expr, entries };
      }
      case 'struct': {
        const fields = expr.fields.map((field) => {
          const value = this.rewrite(field.value);
          return value === field.value ? field : { ...field, value };
        });
        return fields.every((field, index) => field === expr.fields[index]) ? expr : { ...expr, fields };
      }
      case 'comprehension':
        return this.rewriteComprehension(expr);
    }
  }

  private rewriteComprehension(expr: Comprehension): Expr {
    const iterRange = this.rewrite(expr.iterRange);
    const accuInit = this.rewrite(expr.accuInit);
    this.locals.push(expr.accuVar);
    const iterVars = expr.iterVar2 === undefined ? [expr.iterVar] : [expr.iterVar, expr.iterVar2];
    this.locals.push(...iterVars);
    const loopCondition = this.rewrite(expr.loopCondition);
    const loopStep = this.rewrite(expr.loopStep);
    this.locals.length -= iterVars.length;
    const result = this.rewrite(expr.result);
    this.locals.push(...iterVars);
    const macro = this.rewriteMacro(expr.macro);
    this.locals.length -= iterVars.length + 1;
    const unchanged =
      iterRange === expr.iterRange &&
      accuInit === expr.accuInit &&
      loopCondition === expr.loopCondition &&
      loopStep === expr.loopStep &&
      result === expr.result &&
      macro === expr.macro;
    return unchanged ? expr : { ...expr, iterRange, accuInit, loopCondition, loopStep, result, macro };
  }

  /** Most of a macro's arguments are part of its expansion and already done; the rest are the names of its variables. */
  private rewriteMacro(macro: MacroCall): MacroCall {
    const target = macro.target && this.done.get(macro.target);
    const args = macro.args.map((arg) => this.done.get(arg) ?? arg);
    if ((target === undefined || target === macro.target) && args.every((arg, index) => arg === macro.args[index])) return macro;
    return target ? { name: macro.name, target, args } : { ...macro, args };
  }
}
