import type { Call } from '../../ast.ts';
import type { CelValue } from '../../values.ts';
import { overloadsOf, visitTogether, walking, walkingCost } from './call-operands.ts';
import type { Context, Operand, Scope } from './context.ts';
import { type Code, js, separated } from './emitter.ts';
import { computed, expression, failing } from './operand.ts';
import type { RuntimeName } from './runtime.ts';

/** Functions of the runtime by operator. */
export const ARITHMETIC: Readonly<Record<string, RuntimeName>> = {
  '_+_': 'add',
  '_-_': 'subtract',
  '_*_': 'multiply',
  '_/_': 'divide',
  '_%_': 'modulo',
};

export const ORDER: Readonly<Record<string, { readonly runtime: RuntimeName; readonly operator: Code }>> = {
  '_<_': { runtime: 'less', operator: js`<` },
  '_<=_': { runtime: 'lessOrEqual', operator: js`<=` },
  '_>_': { runtime: 'greater', operator: js`>` },
  '_>=_': { runtime: 'greaterOrEqual', operator: js`>=` },
};

/** `==` and `!=`: identity where a literal says that it is enough. */
export function visitEquality(context: Context, expr: Call, scope: Scope | undefined): Operand {
  const [left, right] = visitTogether(context, expr.args, scope).map((operand) => context.bind(operand)) as [Operand, Operand];
  chargeComparison(context, left, right, expr.fn === '_==_' ? 'equalityCost' : 'inequalityCost');
  const isEqual = equality(context, left, right);
  return expression(expr.fn === '_==_' ? isEqual : js`!${isEqual}`, 'bool');
}

function equality(context: Context, left: Operand, right: Operand): Code {
  const literal = left.literal ?? right.literal;
  const other = left.literal ? right : left;
  const own = left.literal ? left : right;
  if (literal && isIdentityType(literal.value)) return js`(${other.code} === ${own.code})`;
  if (left.known === right.known && (left.known === 'string' || left.known === 'bool')) return js`(${left.code} === ${right.code})`;
  const general = js`${context.runtime('equals')}(${left.code}, ${right.code})`;
  if (literal && typeof literal.value === 'number') {
    // An object may be a uint or a double of the same value, a bigint can't be.
    return js`(${other.code} === ${own.code} || typeof ${other.code} === 'object' && ${general})`;
  }
  if (left.json && right.json) return js`(${left.code} === ${right.code} && typeof ${left.code} !== 'object' || ${general})`;
  return general;
}

const isIdentityType = (value: CelValue): boolean => typeof value === 'string' || typeof value === 'boolean' || value === null;

/** The shorter operand is walked: a scalar on one side makes that 1, a literal text at most its own length. */
function chargeComparison(context: Context, left: Operand, right: Operand, cost: 'equalityCost' | 'inequalityCost'): void {
  const literals = [left, right].flatMap((operand) => (operand.literal ? [operand.literal.value] : []));
  const bounds = literals.flatMap((value) => (typeof value === 'string' ? [walkingCost(value)] : isScalar(value) ? [1] : []));
  const isScalarKnown = [left.known, right.known].some((known) => known === 'bool' || known === 'int');
  if (bounds.length > 0 || isScalarKnown) {
    context.charge(Math.min(...bounds, isScalarKnown ? 1 : Infinity));
    return;
  }
  context.charge(1);
  context.chargeDynamic(js`${context.runtime(cost)}(${left.code}, ${right.code})`);
}

const isScalar = (value: CelValue): boolean =>
  value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint';

/** `<`, `<=`, `>`, `>=`: in place between numbers. */
export function visitOrder(
  context: Context,
  expr: Call,
  order: { readonly runtime: RuntimeName; readonly operator: Code },
  scope: Scope | undefined,
): Operand {
  const [left, right] = visitTogether(context, expr.args, scope).map((operand) => context.bind(operand)) as [Operand, Operand];
  const [only, more] = overloadsOf(context, expr);
  if (!more && only?.cost) chargeComparison(context, left, right, 'inequalityCost');
  else context.charge(1);
  const general = js`${context.runtime(order.runtime)}(${left.code}, ${right.code})`;
  if (left.known === 'int' && right.known === 'int') return computed(context, js`${left.code} ${order.operator} ${right.code}`, 'bool');
  if (left.known === 'int' || right.known === 'int') {
    const other = left.known === 'int' ? right : left;
    // NaN is not equal to itself and has no place in an order.
    const isNumber = js`typeof ${other.code} === 'number' && ${other.code} === ${other.code}`;
    return failing(context, js`${isNumber} ? ${left.code} ${order.operator} ${right.code} : ${general}`, 'bool');
  }
  return failing(context, general, 'bool');
}

/** `+`, `-`, `*`, `/`, `%`: in place between integers and between strings. */
export function visitArithmetic(context: Context, expr: Call, runtime: RuntimeName, scope: Scope | undefined): Operand {
  const [left, right] = visitTogether(context, expr.args, scope).map((operand) => context.bind(operand)) as [Operand, Operand];
  const [only, more] = overloadsOf(context, expr);
  context.charge(1);
  if (!more && only?.cost) {
    const size = (operand: Operand): Code =>
      operand.known === 'string' ? js`${operand.code}.length` : js`${context.runtime('sizeBound')}(${operand.code})`;
    context.chargeDynamic(walking(js`${size(left)} + ${size(right)}`));
  }
  if (expr.fn === '_+_' && left.known === 'string' && right.known === 'string') {
    return computed(context, js`${left.code} + ${right.code}`, 'string');
  }
  const general = js`${context.runtime(runtime)}(${left.code}, ${right.code})`;
  if (expr.fn === '_+_' && (left.known === 'string' || right.known === 'string')) {
    const other = left.known === 'string' ? right : left;
    return failing(context, js`typeof ${other.code} === 'string' ? ${left.code} + ${right.code} : ${general}`, 'string');
  }
  const known = left.known === 'int' && right.known === 'int' ? 'int' : undefined;
  if (left.known !== 'int' && right.known !== 'int') return failing(context, general);
  return integerArithmetic(context, expr.fn, left, right, general, known);
}

const isSafeLiteral = (operand: Operand): boolean => Number.isSafeInteger(operand.literal?.value);

/**
 * Integers in place, as long as operands are integers and the result is one that a number holds exactly; the general function
 * knows what to do otherwise. `+ 0` turns -0 into the only zero that an int has.
 */
function integerArithmetic(context: Context, fn: string, left: Operand, right: Operand, general: Code, known: 'int' | undefined): Operand {
  const [a, b] = [left.code, right.code];
  const areIntegers = separated(
    [left, right].flatMap((operand) => (isSafeLiteral(operand) ? [] : [js`Number.isSafeInteger(${operand.code})`])),
    js` && `,
  );
  const guard = isSafeLiteral(left) && isSafeLiteral(right) ? js`true` : areIntegers;
  if (fn === '_/_' || fn === '_%_') {
    const quotient = fn === '_/_' ? js`Math.trunc(${a} / ${b}) + 0` : js`${a} % ${b} + 0`;
    return failing(context, js`${guard} && ${b} !== 0 ? ${quotient} : ${general}`, known);
  }
  const operator = { '_+_': js`+`, '_-_': js`-`, '_*_': js`*` }[fn]!;
  const result = context.declare();
  context.emitFailing(js`if (!(${guard} && Number.isSafeInteger(${result} = ${a} ${operator} ${b} + 0))) ${result} = ${general};\n`);
  return { code: result, isSimple: true, ...(known ? { known } : {}) };
}
