import type { Ast, Call, Comprehension, Expr, StructExpr } from '../../../cel/ast.ts';
import type { TemplatePlace } from '../pod-template.ts';

/**
 * Rewrites what an expression constructs about a pod to the pod template of a controller: `Object{spec: Object.spec{...}}`
 * becomes `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{...}}}}`.
 * Kyverno: pkg/cel/policies/mpol/autogen/autogen.go, which does the same to the text.
 */
export function rewriteStructsForTemplate(ast: Ast, place: TemplatePlace): Ast {
  const rewriter = new StructRewriter(ast.nodeCount, place);
  const root = rewriter.rewrite(ast.root);
  return rewriter.changed ? { text: ast.text, root, nodeCount: rewriter.nodeCount } : ast;
}

class StructRewriter {
  nodeCount: number;
  changed = false;
  readonly #place: TemplatePlace;
  readonly #done = new Map<Expr, Expr>();

  constructor(nodeCount: number, place: TemplatePlace) {
    this.nodeCount = nodeCount;
    this.#place = place;
  }

  rewrite(expr: Expr): Expr {
    const known = this.#done.get(expr);
    if (known !== undefined) return known;
    const rewritten = this.#rewrite(expr);
    this.#done.set(expr, rewritten);
    return rewritten;
  }

  #rewrite(expr: Expr): Expr {
    const again = (child: Expr): Expr => this.rewrite(child);
    switch (expr.kind) {
      case 'literal':
      case 'ident':
        return expr;
      case 'select':
        return { ...expr, operand: again(expr.operand) };
      case 'call':
        return { ...expr, ...(expr.target === undefined ? {} : { target: again(expr.target) }), args: expr.args.map(again) } satisfies Call;
      case 'list':
        return { ...expr, elements: expr.elements.map(again) };
      case 'map':
        return { ...expr, entries: expr.entries.map((entry) => ({ ...entry, key: again(entry.key), value: again(entry.value) })) };
      case 'struct':
        return this.#struct({ ...expr, fields: expr.fields.map((field) => ({ ...field, value: again(field.value) })) });
      case 'comprehension':
        return {
          ...expr,
          iterRange: again(expr.iterRange),
          accuInit: again(expr.accuInit),
          loopCondition: again(expr.loopCondition),
          loopStep: again(expr.loopStep),
          result: again(expr.result),
          macro: {
            ...expr.macro,
            ...(expr.macro.target === undefined ? {} : { target: again(expr.macro.target) }),
            args: expr.macro.args.map(again),
          },
        } satisfies Comprehension;
    }
  }

  #struct(expr: StructExpr): StructExpr {
    const prefix = this.#place.template.join('.');
    if (expr.typeName.startsWith('Object.spec') || expr.typeName.startsWith('Object.metadata')) {
      this.changed = true;
      return { ...expr, typeName: `Object.${prefix}.${expr.typeName.slice('Object.'.length)}` };
    }
    if (expr.typeName !== 'Object') return expr;
    const moved = expr.fields.filter((field) => field.name === 'spec' || field.name === 'metadata');
    if (moved.length === 0) return expr;
    this.changed = true;
    const fields = this.#place.template;
    let inner = this.#make(expr, `Object.${prefix}`, moved);
    for (let i = fields.length - 1; i >= 0; i--) {
      const typeName = ['Object', ...fields.slice(0, i)].join('.');
      const field = { id: ++this.nodeCount, name: fields[i]!, value: inner, optional: false, start: expr.start, at: expr.at };
      const others = i === 0 ? expr.fields.filter((each) => !moved.includes(each)) : [];
      inner = this.#make(expr, typeName, [...others, field]);
    }
    return { ...inner, id: expr.id };
  }

  #make(like: StructExpr, typeName: string, fields: StructExpr['fields']): StructExpr {
    return { kind: 'struct', id: ++this.nodeCount, start: like.start, end: like.end, at: like.at, typeName, fields };
  }
}
