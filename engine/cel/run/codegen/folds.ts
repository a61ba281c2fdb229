import type { Comprehension, Expr } from '../../ast.ts';
import { type Block, type Context, type Facts, type Operand, type Scope, Unsupported } from './context.ts';
import { type Code, type Fragment, js, type Name } from './emitter.ts';
import { isolated } from './logic.ts';
import { asValue, failing } from './operand.ts';
import { mentions, type Shape, shapeOf } from './shapes.ts';

/** A comprehension as the loop its author meant. */
export function visitComprehension(context: Context, expr: Comprehension, scope: Scope | undefined): Operand {
  const shape = shapeOf(expr);
  if (!shape) throw new Unsupported('a comprehension of an unknown shape');
  if (shape.kind === 'bind') return visitBinding(context, expr, scope);
  const loop = openLoop(context, expr, scope);
  switch (shape.kind) {
    case 'all':
    case 'exists':
      return quantifier(context, loop, shape.predicate, shape.kind === 'exists');
    case 'existsOne':
      return existsOne(context, loop, shape.predicate);
    case 'list':
      return listOf(context, loop, shape);
    case 'map':
      return mapOf(context, loop, shape);
  }
}

interface Loop {
  readonly items: Name;
  /** Binds the variables of the loop for one iteration. */
  readonly head: Code;
  readonly scope: Scope | undefined;
  readonly json: boolean;
}

function openLoop(context: Context, expr: Comprehension, scope: Scope | undefined): Loop {
  const range = context.bind(asValue(context, context.visit(context, expr.iterRange, scope)));
  const json = range.json ?? false;
  const items = context.temporary('n');
  const first = context.temporary('x');
  const operand = (code: Name): Operand => ({ code, isSimple: true, json });
  if (expr.iterVar2 !== undefined) {
    const second = context.temporary('x');
    context.emitFailing(js`const ${items} = ${context.runtime('entries')}(${range.code});\n`);
    const outer: Scope = { parent: scope, name: expr.iterVar, operand: operand(first) };
    return {
      items,
      head: js`const ${first} = ${items}[i][0], ${second} = ${items}[i][1];\n`,
      scope: { parent: outer, name: expr.iterVar2, operand: operand(second) },
      json,
    };
  }
  if (range.known === 'list') context.emit(js`const ${items} = ${range.code};\n`);
  else {
    context.emitFailing(
      js`const ${items} = Array.isArray(${range.code}) ? ${range.code} : ${context.runtime('iteration')}(${range.code});\n`,
    );
  }
  return {
    items,
    head: js`const ${first} = ${items}[i];\n`,
    scope: { parent: scope, name: expr.iterVar, operand: operand(first) },
    json,
  };
}

/**
 * What the loop costs at most, before it runs: stopping a runaway needs no counter inside the loop then. Leaves the fast back
 * end when that is more than there is.
 */
function chargeLoop(context: Context, loop: Loop, perItem: number): void {
  context.block.hasDynamicCost = true;
  context.block.canFail = true;
  context.emit(js`if ((${context.cost} += ${loop.items}.length * ${perItem}) > ${context.limit}) throw ${context.runtime('leave')};\n`);
}

const loopOver = (loop: Loop, declarations: Code, body: Fragment): Code => js`for (let i = 0; i < ${loop.items}.length; i++) {
${loop.head}${declarations}${body}}\n`;

/** `all` and `exists`: an element that decides wins over the errors of others. */
function quantifier(context: Context, loop: Loop, predicate: Expr, deciding: boolean): Operand {
  const { declarations, result: captured } = context.declaring(() => isolated(context, predicate, loop.scope));
  const { block, result } = captured;
  // Per element: the accumulator and the test of the loop condition (for `exists` negated), the accumulator in the step.
  chargeLoop(context, loop, block.cost + (deciding ? 4 : 3));
  context.charge(1);
  context.inherit(block);
  const answer = context.temporary();
  if (!block.canFail && result.known === 'bool') {
    const test = deciding ? result.code : js`!${result.code}`;
    context.emit(js`let ${answer} = ${!deciding};
${loopOver(loop, declarations, js`${block.statements}if (${test}) { ${answer} = ${deciding}; break; }\n`)}`);
    return { code: answer, known: 'bool', isSimple: true };
  }
  const error = context.temporary('e');
  const notBool = result.known === 'bool' ? [] : [js`if (typeof p !== 'boolean') ${context.runtime('fail')}();\n`];
  const leave = block.mayMissCost
    ? js`if (${answer} === ${deciding} && ${error} !== undefined) throw ${context.runtime('leave')};\n`
    : js``;
  const body = js`try {
${block.statements}const p = ${result.code};
if (p === ${deciding}) { ${answer} = ${deciding}; break; }
${notBool}} catch (x) { if (${error} === undefined) ${error} = ${context.runtime('held')}(x); else ${context.runtime('held')}(x); }\n`;
  context.emitFailing(js`let ${answer} = ${!deciding}, ${error};
${loopOver(loop, declarations, body)}if (${answer} !== ${deciding} && ${error} !== undefined) throw ${error};
${leave}`);
  return { code: answer, known: 'bool', isSimple: true };
}

/** Takes over a body whose failure ends the loop, while cel-go's would go on and charge for the rest. */
function inheritBody(context: Context, block: Block): void {
  context.inherit(block);
  context.block.canFail ||= block.canFail;
  if (block.canFail && block.hasDynamicCost) context.block.mayMissCost = true;
}

interface Guard {
  readonly statements: Fragment;
  readonly test: Fragment;
  readonly facts: Facts | undefined;
}

function guard(context: Context, predicate: Expr, scope: Scope | undefined): Guard {
  const operand = context.bind(asValue(context, context.visit(context, predicate, scope)));
  if (operand.known !== 'bool') {
    context.emitFailing(js`if (typeof ${operand.code} !== 'boolean') ${context.runtime('fail')}();\n`);
  }
  return { statements: js`${context.block.statements.splice(0)}`, test: operand.code, facts: operand.whenTrue };
}

function existsOne(context: Context, loop: Loop, predicate: Expr): Operand {
  const { declarations, result: captured } = context.declaring(() => context.capture(() => guard(context, predicate, loop.scope)));
  const { block, result } = captured;
  chargeLoop(context, loop, block.cost + 2);
  context.charge(2);
  inheritBody(context, block);
  const count = context.temporary();
  context.emit(js`let ${count} = 0;
${loopOver(loop, declarations, js`${result.statements}if (${result.test}) ${count}++;\n`)}`);
  return { code: js`(${count} === 1)`, known: 'bool' };
}

/** The body of a loop that adds something, with the test that lets an element through. */
function additions(
  context: Context,
  loop: Loop,
  predicate: Expr | undefined,
  addition: () => Fragment,
): { readonly block: Block; readonly declarations: Code; readonly body: Fragment } {
  const capture = (): { readonly block: Block; readonly result: Fragment } =>
    context.capture(() => {
      const passes = predicate && guard(context, predicate, loop.scope);
      context.learn(passes?.facts);
      const add = addition();
      const inner = js`${context.block.statements.splice(0)}${add}`;
      return passes ? js`${passes.statements}if (${passes.test}) {\n${inner}}\n` : inner;
    });
  const { declarations, result } = context.declaring(capture);
  return { block: result.block, declarations, body: result.result };
}

function listOf(context: Context, loop: Loop, shape: Shape & { kind: 'list' }): Operand {
  const list = context.temporary();
  let json = false;
  const { block, declarations, body } = additions(context, loop, shape.predicate, () => {
    const element = asValue(context, context.visit(context, shape.element, loop.scope));
    json = element.json ?? false;
    return js`${list}.push(${element.code});\n`;
  });
  // Per element: the accumulator, the list of one, the addition.
  chargeLoop(context, loop, block.cost + 12);
  context.charge(1);
  inheritBody(context, block);
  context.emit(js`const ${list} = [];\n${loopOver(loop, declarations, body)}`);
  return { code: list, known: 'list', isSimple: true, json };
}

function mapOf(context: Context, loop: Loop, shape: Shape & { kind: 'map' }): Operand {
  const map = context.temporary();
  const { block, declarations, body } = additions(context, loop, shape.predicate, () => {
    const parts = shape.entry.map((part) => context.bind(asValue(context, context.visit(context, part, loop.scope))).code);
    context.block.canFail = true;
    return parts.length === 2 ? js`${map}.insert(${parts[0]!}, ${parts[1]!});\n` : js`${map}.insertAll(${parts[0]!});\n`;
  });
  chargeLoop(context, loop, block.cost + 2);
  context.charge(1);
  inheritBody(context, block);
  context.emit(js`const ${map} = ${context.runtime('builder')}();\n${loopOver(loop, declarations, body)}`);
  return failing(context, js`${map}.finish()`);
}

/** A name for a value. It is computed only when it is read, because otherwise its errors would count. */
function visitBinding(context: Context, expr: Comprehension, scope: Scope | undefined): Operand {
  if (!mentions(expr.result, expr.accuVar)) return context.visit(context, expr.result, scope);
  const operand = context.bind(asValue(context, context.visit(context, expr.accuInit, scope)));
  return context.visit(context, expr.result, { parent: scope, name: expr.accuVar, operand });
}
