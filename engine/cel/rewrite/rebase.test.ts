import { describe, expect, it } from 'vitest';
import type { Ast } from '../ast.ts';
import { parse } from '../parse/parse.ts';
import { unparse } from '../parse/unparse.ts';
import { rebase } from './rebase.ts';
import { rewrite } from './rewrite.ts';

function parsed(text: string): Ast {
  const result = parse(text);
  if (!result.ok) throw new Error(text);
  return result.ast;
}

const TO_TEMPLATE = [
  { from: ['spec'], to: ['spec', 'template', 'spec'] },
  { from: ['metadata'], to: ['spec', 'template', 'metadata'] },
];

describe('rebase', () => {
  it.each([
    ['object.spec.containers', 'object.spec.template.spec.containers'],
    ['object.spec', 'object.spec.template.spec'],
    ['oldObject.metadata.name', 'oldObject.spec.template.metadata.name'],
    ['has(object.spec)', 'has(object.spec.template.spec)'],
    ['has(object.spec.a.b)', 'has(object.spec.template.spec.a.b)'],
    ['object.?spec.?a', 'object.?spec.?template.?spec.?a'],
    ['object["spec"].a', 'object["spec"]["template"]["spec"].a'],
    ['object[?"spec"]', 'object[?"spec"][?"template"][?"spec"]'],
    ['.object.spec', '.object.spec.template.spec'],
    ['object.spec.c.all(c, c in object.spec.d)', 'object.spec.template.spec.c.all(c, c in object.spec.template.spec.d)'],
    ['object.spec.?a.optMap(x, x + object.spec.b)', 'object.spec.template.spec.?a.optMap(x, x + object.spec.template.spec.b)'],
    ['[object.spec, {"k": object.spec}]', '[object.spec.template.spec, {"k": object.spec.template.spec}]'],
    ['Object{spec: object.spec}', 'Object{spec: object.spec.template.spec}'],
  ])('%s becomes %s', (text, expected) => {
    expect(unparse(rebase(parsed(text), ['object', 'oldObject'], TO_TEMPLATE))).toBe(expected);
  });

  it.each([
    'object',
    'object.kind == "object.spec"',
    'params.spec.x + variables.object.spec',
    'a.object.spec',
    'object[key].spec',
    // Those are other things of the same name.
    'items.all(object, has(object.spec))',
    'a.?b.optMap(object, object.spec)',
  ])('%s stays', (text) => {
    const ast = parsed(text);
    expect(rebase(ast, ['object'], TO_TEMPLATE)).toBe(ast);
  });

  it.each([
    ['object.metadata.name', 'object.metadata.name'],
    ['object.metadata.?name', 'object.metadata.?name'],
    ['object.?metadata[?"name"]', 'object.?metadata[?"name"]'],
    ['has(object.metadata.name) && has(object.metadata)', 'has(object.metadata.name) && has(object.spec.template.metadata)'],
    ['object.metadata.labels.name', 'object.spec.template.metadata.labels.name'],
  ])('leaves out what has not moved: %s becomes %s', (text, expected) => {
    const moves = [{ from: ['metadata'], to: ['spec', 'template', 'metadata'], except: new Set(['name']) }];
    expect(unparse(rebase(parsed(text), ['object'], moves))).toBe(expected);
  });

  it('reaches past a variable of the same name with a leading dot', () => {
    const ast = rebase(parsed('a.all(object, .object.spec == object.spec)'), ['object'], TO_TEMPLATE);
    expect(unparse(ast)).toBe('a.all(object, .object.spec.template.spec == object.spec)');
  });

  it('rewrites the expansion of a macro and what the author wrote alike', () => {
    const { root } = rebase(parsed('[1].exists(x, x == object.spec)'), ['object'], TO_TEMPLATE);
    if (root.kind !== 'comprehension' || root.loopStep.kind !== 'call') throw new Error('no comprehension');
    expect(root.loopStep.args[1]).toBe(root.macro.args[1]);
    expect(unparse(root.loopStep.args[1]!)).toBe('x == object.spec.template.spec');
  });

  it('gives every node an id of its own, and keeps the positions of what it replaces', () => {
    const ast = rebase(parsed('object.spec.a'), ['object'], TO_TEMPLATE);
    const ids: number[] = [];
    JSON.stringify(ast.root, (key, value) => {
      if (key === 'id') ids.push(value);
      return value;
    });
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.max(...ids)).toBe(ast.nodeCount);
    expect(ast.root.kind === 'select' && [ast.root.operand.start, ast.root.operand.end, ast.root.operand.at]).toEqual([0, 11, 6]);
  });
});

describe('rewrite', () => {
  it('goes from the leaves up and leaves the given tree as it was', () => {
    const ast = parsed('f(a, [a.b])');
    const seen: string[] = [];
    const result = rewrite(ast, (expr) => {
      seen.push(unparse(expr));
      return expr.kind === 'ident' ? { ...expr, name: 'z' } : undefined;
    });
    expect(seen).toEqual(['a', 'a', 'z.b', '[z.b]', 'f(z, [z.b])']);
    expect([unparse(result), unparse(ast)]).toEqual(['f(z, [z.b])', 'f(a, [a.b])']);
  });

  it('knows which names are local, and where', () => {
    const locals: string[] = [];
    rewrite(parsed('x.map(x, x.filter(y, y == x))'), (expr, context) => {
      if (expr.kind === 'ident' && /^[xy]$/.test(expr.name)) locals.push(`${expr.name}${context.isLocal(expr.name) ? ' local' : ''}`);
      return undefined;
    });
    expect(locals).toEqual(['x', 'x local', 'y local', 'x local', 'y local']);
  });
});
