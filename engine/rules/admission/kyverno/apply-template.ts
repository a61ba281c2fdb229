import type { Ast, StructExpr } from '../../../cel/ast.ts';
import { rewrite } from '../../../cel/rewrite/rewrite.ts';
import type { TemplatePlace } from '../pod-template.ts';

/**
 * Rewrites what an expression constructs about a pod to the pod template of a controller: `Object{spec: Object.spec{...}}`
 * becomes `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{...}}}}`.
 * Kyverno: pkg/cel/policies/mpol/autogen/autogen.go, which does the same to the text.
 */
export function rewriteStructsForTemplate(ast: Ast, { template }: TemplatePlace): Ast {
  const prefix = `Object.${template.join('.')}`;
  const make = (id: number, like: StructExpr, typeName: string, fields: StructExpr['fields']): StructExpr => {
    const { start, end, at } = like;
    return { kind: 'struct', id, start, end, at, typeName, fields };
  };
  const moved = (expr: StructExpr, newId: () => number): StructExpr => {
    const inside = expr.fields.filter((field) => field.name === 'spec' || field.name === 'metadata');
    if (inside.length === 0) return expr;
    let value = make(newId(), expr, prefix, inside);
    for (let i = template.length - 1; i >= 0; i--) {
      const typeName = ['Object', ...template.slice(0, i)].join('.');
      const field = { id: newId(), name: template[i]!, value, optional: false, start: expr.start, at: expr.at };
      const others = i === 0 ? expr.fields.filter((each) => !inside.includes(each)) : [];
      value = make(i === 0 ? expr.id : newId(), expr, typeName, [...others, field]);
    }
    return value;
  };
  return rewrite(ast, (expr, context) => {
    if (expr.kind !== 'struct') return undefined;
    if (expr.typeName === 'Object') return moved(expr, () => context.newId());
    const ofPod = expr.typeName.startsWith('Object.spec') || expr.typeName.startsWith('Object.metadata');
    return ofPod ? { ...expr, typeName: `${prefix}${expr.typeName.slice('Object'.length)}` } : undefined;
  });
}
