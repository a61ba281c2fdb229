import type { Ast, StructExpr } from '../../../cel/ast.ts';
import { mapTree } from '../map-tree.ts';
import type { TemplatePlace } from '../pod-template.ts';

/**
 * Rewrites what an expression constructs about a pod to the pod template of a controller: `Object{spec: Object.spec{...}}`
 * becomes `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{...}}}}`.
 * Kyverno: pkg/cel/policies/mpol/autogen/autogen.go, which does the same to the text.
 */
export function rewriteStructsForTemplate(ast: Ast, { template }: TemplatePlace): Ast {
  let { nodeCount } = ast;
  const prefix = `Object.${template.join('.')}`;
  const make = (like: StructExpr, typeName: string, fields: StructExpr['fields']): StructExpr => {
    nodeCount++;
    return { kind: 'struct', id: nodeCount, start: like.start, end: like.end, at: like.at, typeName, fields };
  };
  const moved = (expr: StructExpr): StructExpr => {
    const inside = expr.fields.filter((field) => field.name === 'spec' || field.name === 'metadata');
    if (inside.length === 0) return expr;
    let value = make(expr, prefix, inside);
    for (let i = template.length - 1; i >= 0; i--) {
      const typeName = ['Object', ...template.slice(0, i)].join('.');
      const field = { id: ++nodeCount, name: template[i]!, value, optional: false, start: expr.start, at: expr.at };
      value = make(expr, typeName, [...(i === 0 ? expr.fields.filter((each) => !inside.includes(each)) : []), field]);
    }
    return { ...value, id: expr.id };
  };
  const root = mapTree(ast.root, (expr) => {
    if (expr.kind !== 'struct') return expr;
    if (expr.typeName === 'Object') return moved(expr);
    const ofPod = expr.typeName.startsWith('Object.spec') || expr.typeName.startsWith('Object.metadata');
    return ofPod ? { ...expr, typeName: `${prefix}${expr.typeName.slice('Object'.length)}` } : expr;
  });
  return { text: ast.text, root, nodeCount };
}
