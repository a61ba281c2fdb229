import type { Call, Expr } from '../../ast.ts';
import type { Block, Context, Facts, Operand, Scope } from './context.ts';
import { type Code, type Fragment, js } from './emitter.ts';
import { asValue, expression } from './operand.ts';

/** A node generated into a block of its own, as a value; the block may rely on `facts`. */
export function isolated(
  context: Context,
  expr: Expr,
  scope: Scope | undefined,
  facts?: Facts,
): { readonly block: Block; readonly result: Operand } {
  return context.capture(() => asValue(context, context.visit(context, expr, scope)), facts);
}

/**
 * `&&` and `||`. The side that decides wins over an error of the other, which therefore is held until both are known. Where the
 * left side can't fail, none of that is needed.
 */
export function visitLogical(context: Context, call: Call, scope: Scope | undefined): Operand {
  const deciding = call.fn === '_||_';
  const left = isolated(context, call.args[0]!, scope);
  if (left.block.canFail || left.result.known !== 'bool') return absorbing(context, call.args[1]!, scope, left, deciding);

  context.absorb(left.block);
  context.learn(left.block.facts);
  context.emit(js`${left.block.statements}`);
  const undecided = deciding ? left.result.whenFalse : left.result.whenTrue;
  const right = isolated(context, call.args[1]!, scope, undecided);
  context.absorb(right.block);
  // When neither side has decided, both have run to their end: what they have found on the way is there.
  const found = new Map([...right.block.facts, ...((deciding ? right.result.whenFalse : right.result.whenTrue) ?? [])]);
  const facts = deciding ? { whenFalse: found } : { whenTrue: found };
  const operator = deciding ? js`||` : js`&&`;
  if (right.block.statements.length === 0 && right.result.known === 'bool') {
    return { ...expression(js`(${left.result.code} ${operator} ${right.result.code})`, 'bool'), ...facts };
  }
  const result = context.temporary();
  const condition = deciding ? js`!${result}` : js`${result}`;
  context.emit(js`let ${result} = ${left.result.code};
if (${condition}) {
${right.block.statements}${assignBool(context, result, right.result)}}\n`);
  return { code: result, known: 'bool', isSimple: true, ...facts };
}

/** Assigns what has to be a bool. */
function assignBool(context: Context, target: Fragment, value: Operand): Code {
  if (value.known === 'bool') return js`${target} = ${value.code};\n`;
  context.block.canFail = true;
  return js`${target} = ${value.code};\nif (typeof ${target} !== 'boolean') ${context.runtime('fail')}();\n`;
}

function absorbing(
  context: Context,
  rightExpr: Expr,
  scope: Scope | undefined,
  left: { readonly block: Block; readonly result: Operand },
  deciding: boolean,
): Operand {
  const right = isolated(context, rightExpr, scope);
  const result = context.temporary();
  const error = context.temporary('e');
  const label = context.temporary('l');
  const value = context.temporary();
  context.absorb(left.block);
  context.absorb(right.block);
  context.block.canFail = true;
  const notBool = left.result.known === 'bool' ? [] : [js`if (typeof ${value} !== 'boolean') ${context.runtime('fail')}();\n`];
  const body = js`${left.block.statements}const ${value} = ${left.result.code};
if (${value} === ${deciding}) { ${result} = ${deciding}; break ${label}; }
${notBool}`;
  const onDecided = left.block.mayMissCost ? js`if (${error} !== undefined) throw ${context.runtime('leave')};\n` : js``;
  context.emit(js`let ${result} = ${!deciding}, ${error};
${label}: {
try {
${body}} catch (x) { ${error} = ${context.runtime('held')}(x); }
${right.block.statements}const r = ${right.result.code};
if (r === ${deciding}) { ${onDecided}${result} = ${deciding}; break ${label}; }
if (${error} !== undefined) throw ${error};
${right.result.known === 'bool' ? [] : [js`if (typeof r !== 'boolean') ${context.runtime('fail')}();\n`]}}\n`);
  return { code: result, known: 'bool', isSimple: true };
}

/** `condition ? a : b`: only one branch runs. */
export function visitConditional(context: Context, call: Call, scope: Scope | undefined): Operand {
  const condition = context.bind(asValue(context, context.visit(context, call.args[0]!, scope)));
  if (condition.known !== 'bool') {
    context.emitFailing(js`if (typeof ${condition.code} !== 'boolean') ${context.runtime('fail')}();\n`);
  }
  const whenTrue = isolated(context, call.args[1]!, scope, condition.whenTrue);
  const whenFalse = isolated(context, call.args[2]!, scope, condition.whenFalse);
  context.absorb(whenTrue.block);
  context.absorb(whenFalse.block);
  const known = whenTrue.result.known === whenFalse.result.known ? whenTrue.result.known : undefined;
  const json = (whenTrue.result.json ?? false) && (whenFalse.result.json ?? false);
  const about = { json, ...(known ? { known } : {}) };
  if (whenTrue.block.statements.length === 0 && whenFalse.block.statements.length === 0) {
    return { code: js`(${condition.code} ? ${whenTrue.result.code} : ${whenFalse.result.code})`, ...about };
  }
  const result = context.temporary();
  context.emit(js`let ${result};
if (${condition.code}) {
${whenTrue.block.statements}${result} = ${whenTrue.result.code};
} else {
${whenFalse.block.statements}${result} = ${whenFalse.result.code};
}\n`);
  return { code: result, isSimple: true, ...about };
}

/** `a.or(b)` and `a.orValue(b)`: the second operand only when the first is none. */
export function visitOptionalOr(context: Context, call: Call, scope: Scope | undefined): Operand {
  const [firstExpr, secondExpr] = [call.target ?? call.args[0]!, call.args.at(-1)!];
  const visited = context.bind(context.visit(context, firstExpr, scope));
  let first = visited;
  if (!visited.isMaybe) {
    const name = context.temporary();
    context.emitFailing(js`const ${name} = ${context.runtime('unwrap')}(${visited.code});\n`);
    first = { code: name, isSimple: true, isMaybe: true };
  }
  const isOr = call.fn === 'or';
  const second = context.capture(() => {
    const operand = context.visit(context, secondExpr, scope);
    if (!isOr) return asValue(context, operand);
    if (operand.isMaybe) return operand;
    const name = context.temporary();
    const bound = context.bind(operand);
    context.emitFailing(js`const ${name} = ${context.runtime('unwrap')}(${bound.code});\n`);
    return { code: name, isSimple: true, isMaybe: true } satisfies Operand;
  });
  context.absorb(second.block);
  const json = (first.json ?? false) && ((second.result.json ?? false) || isPlainLiteral(second.result));
  if (second.block.statements.length === 0) {
    const choice = context.bind({ code: js`${first.code} !== undefined ? ${first.code} : ${second.result.code}` });
    return { ...choice, json, ...(isOr ? { isMaybe: true } : {}) };
  }
  const result = context.temporary();
  context.emit(js`let ${result} = ${first.code};
if (${result} === undefined) {
${second.block.statements}${result} = ${second.result.code};
}\n`);
  return { code: result, isSimple: true, json, ...(isOr ? { isMaybe: true } : {}) };
}

/** Scalars and empty containers are as good as parsed JSON. */
function isPlainLiteral(operand: Operand): boolean {
  const value = operand.literal?.value;
  if (value === undefined) return false;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  return Array.isArray(value) ? value.every((item) => typeof item === 'string') : isEmptyMap(value);
}

const isEmptyMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null && Object.keys(value).length === 0;
