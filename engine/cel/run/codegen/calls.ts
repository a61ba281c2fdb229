import type { Call, Expr } from '../../ast.ts';
import type { Overload } from '../../function.ts';
import type { CelValue } from '../../values.ts';
import { pricing } from '../closure/call.ts';
import { operandsOf } from '../closure/plan.ts';
import { SELF_CHECKING } from '../dispatch.ts';
import { compilePattern } from '../regex.ts';
import { codePointLength } from '../text.ts';
import { visitIndex } from './chains.ts';
import { type Context, type Operand, type Scope, Unsupported } from './context.ts';
import { type Code, js, separated } from './emitter.ts';
import { visitConditional, visitLogical, visitOptionalOr } from './logic.ts';
import { asValue, computed, expression, failing } from './operand.ts';
import type { RuntimeName } from './runtime.ts';

const ARITHMETIC: Readonly<Record<string, RuntimeName>> = {
  '_+_': 'add',
  '_-_': 'subtract',
  '_*_': 'multiply',
  '_/_': 'divide',
  '_%_': 'modulo',
};

const ORDER: Readonly<Record<string, { readonly runtime: RuntimeName; readonly operator: Code }>> = {
  '_<_': { runtime: 'less', operator: js`<` },
  '_<=_': { runtime: 'lessOrEqual', operator: js`<=` },
  '_>_': { runtime: 'greater', operator: js`>` },
  '_>=_': { runtime: 'greaterOrEqual', operator: js`>=` },
};

/** A call: an operator in place where it has a form in JavaScript, otherwise the library's function. */
export function visitCall(context: Context, expr: Call, scope: Scope | undefined): Operand {
  const operands = operandsOf(context.ast, expr);
  const fn = functionName(context, expr);
  switch (fn) {
    case '_&&_':
    case '_||_':
      return visitLogical(context, expr, scope);
    case '_?_:_':
      return visitConditional(context, expr, scope);
    case '_[_]':
    case '_[?_]':
    case '_?._':
      return visitIndex(context, expr, operands, scope);
    case 'or':
    case 'orValue':
      if (operands.length === 2 && overloadsOf(context, expr)[0]?.id.startsWith('optional_or'))
        return visitOptionalOr(context, expr, scope);
      break;
    case '_==_':
    case '_!=_':
      return visitEquality(context, expr, scope);
    case '!_': {
      const operand = asValue(context, context.visit(context, operands[0]!, scope));
      context.charge(1);
      return operand.known === 'bool'
        ? {
            ...expression(js`!${operand.code}`, 'bool'),
            ...(operand.whenFalse ? { whenTrue: operand.whenFalse } : {}),
            ...(operand.whenTrue ? { whenFalse: operand.whenTrue } : {}),
          }
        : failing(context, js`${context.runtime('not')}(${operand.code})`, 'bool');
    }
    case '@in':
      return visitIn(context, expr, scope);
    case 'size':
      return visitSize(context, operands[0]!, scope);
  }
  const arithmetic = ARITHMETIC[fn];
  if (arithmetic) return visitArithmetic(context, expr, arithmetic, scope);
  const order = ORDER[fn];
  if (order) return visitOrder(context, expr, order, scope);
  return (
    visitTextTest(context, expr, operands, scope) ??
    visitOptionalFunction(context, expr, operands, scope) ??
    visitFunction(context, expr, operands, scope)
  );
}

/** With its namespace: `sets.contains` is another function than `contains`. */
function functionName(context: Context, expr: Call): string {
  const reference = context.ast.references[expr.id];
  return reference?.kind === 'function' ? reference.name : expr.fn;
}

function overloadsOf(context: Context, expr: Call): readonly Overload[] {
  const reference = context.ast.references[expr.id];
  return reference?.kind === 'function' ? reference.overloads : [];
}

/**
 * Operands of a call of one or two arguments. cel-go evaluates the second even when the first has failed, so that what the
 * second would have charged may be missing after a failure of the first.
 */
export function visitTogether(context: Context, operands: readonly Expr[], scope: Scope | undefined): readonly Operand[] {
  const { block } = context;
  const failedBefore = block.canFail;
  const dynamicBefore = block.hasDynamicCost;
  let failed = false;
  const results = operands.map((operand) => {
    block.canFail = false;
    block.hasDynamicCost = false;
    const result = asValue(context, context.visit(context, operand, scope));
    if (failed && block.hasDynamicCost) block.mayMissCost = true;
    failed ||= block.canFail;
    return { result, dynamic: block.hasDynamicCost };
  });
  block.canFail = failedBefore || failed;
  block.hasDynamicCost = dynamicBefore || results.some(({ dynamic }) => dynamic);
  return results.map(({ result }) => result);
}

/** Upper bound of the cost of walking a text of this many UTF-16 units: one more than exact, so that rounding can't matter. */
const walking = (units: Code): Code => js`(${units} + 20) / 10 | 0`;

const walkingCost = (text: string): number => Math.max(1, Math.ceil(codePointLength(text) * 0.1));

function visitEquality(context: Context, expr: Call, scope: Scope | undefined): Operand {
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

function visitOrder(
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

function visitArithmetic(context: Context, expr: Call, runtime: RuntimeName, scope: Scope | undefined): Operand {
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

/** So many comparisons are faster than a look-up in a set. */
const FEW = 4;

function visitIn(context: Context, expr: Call, scope: Scope | undefined): Operand {
  const [only, more] = overloadsOf(context, expr);
  const constant = context.known.get(expr.args[1]!.id);
  const isList = only?.id === 'in_list' && !more;
  if (isList && Array.isArray(constant) && constant.every((item) => typeof item === 'string' || typeof item === 'boolean')) {
    const value = context.bind(asValue(context, context.visit(context, expr.args[0]!, scope)));
    if (constant.length > FEW) return expression(js`${context.hoist(new Set(constant))}.has(${value.code})`, 'bool');
    const tests = constant.map((item) => js`${value.code} === ${item as string | boolean}`);
    return expression(js`(${separated(tests, js` || `)})`, 'bool');
  }
  const [value, container] = visitTogether(context, expr.args, scope).map((operand) => context.bind(operand)) as [Operand, Operand];
  context.charge(1);
  if (isList) context.chargeDynamic(js`${context.runtime('sizeBound')}(${container.code})`);
  return failing(context, js`${context.runtime('isIn')}(${value.code}, ${container.code})`, 'bool');
}

function visitSize(context: Context, operandExpr: Expr, scope: Scope | undefined): Operand {
  const operand = context.bind(asValue(context, context.visit(context, operandExpr, scope)));
  context.charge(1);
  if (operand.known === 'list') return computed(context, js`${operand.code}.length`, 'int');
  return failing(context, js`Array.isArray(${operand.code}) ? ${operand.code}.length : ${context.runtime('size')}(${operand.code})`, 'int');
}

/** `startsWith`, `endsWith`, `contains`, and `matches` with a constant pattern. */
function visitTextTest(context: Context, expr: Call, operands: readonly Expr[], scope: Scope | undefined): Operand | undefined {
  const fn = functionName(context, expr);
  const method = { startsWith: js`startsWith`, endsWith: js`endsWith`, contains: js`includes`, matches: js`` }[fn];
  if (!method || operands.length !== 2 || overloadsOf(context, expr).length !== 1) return undefined;
  const pattern = context.known.get(operands[1]!.id);
  if (fn === 'matches' && typeof pattern !== 'string') return undefined;
  const [text, other] = visitTogether(context, operands, scope).map((operand) => context.bind(operand)) as [Operand, Operand];
  const size = js`${text.code}.length`;
  // What the call costs when a wrong type stands for the text; the dynamic part comes on top.
  context.charge(typeof pattern === 'string' ? (fn === 'matches' ? stateCost(pattern) : walkingCost(pattern)) : 1);
  for (const operand of [text, other]) {
    if (operand.known !== 'string') context.emitFailing(js`if (typeof ${operand.code} !== 'string') ${context.runtime('fail')}();\n`);
  }
  if (fn === 'matches') {
    context.chargeDynamic(js`(${walking(js`${size} + 10`)}) * ${stateCost(pattern as string)}`);
    return expression(js`${context.hoist(matcherFor(pattern as string))}(${text.code})`, 'bool');
  }
  if (fn === 'contains') context.chargeDynamic(js`(${walking(size)}) * (${walking(js`${other.code}.length`)})`);
  else if (typeof pattern !== 'string') context.chargeDynamic(walking(js`${other.code}.length`));
  return expression(js`${text.code}.${method}(${other.code})`, 'bool');
}

const stateCost = (pattern: string): number => Math.ceil(codePointLength(pattern) * 0.25);

function matcherFor(pattern: string): (text: string) => boolean {
  try {
    return compilePattern(pattern);
  } catch {
    throw new Unsupported('a malformed pattern');
  }
}

/** Optionals that are looked into at once need not be made. */
function visitOptionalFunction(context: Context, expr: Call, operands: readonly Expr[], scope: Scope | undefined): Operand | undefined {
  const [only, more] = overloadsOf(context, expr);
  if (!only || more) return undefined;
  switch (only.id) {
    case 'optional_none':
      context.charge(1);
      return { code: js`undefined`, isSimple: true, isMaybe: true, json: true };
    case 'optional_of': {
      const value = context.bind(asValue(context, context.visit(context, operands[0]!, scope)));
      context.charge(1);
      return { code: value.code, isSimple: true, isMaybe: true, json: value.json ?? false };
    }
    case 'optional_hasValue':
    case 'optional_value': {
      const visited = context.bind(context.visit(context, operands[0]!, scope));
      context.charge(1);
      const { code } = visited.isMaybe ? visited : failing(context, js`${context.runtime('unwrap')}(${visited.code})`);
      if (only.id === 'optional_hasValue') return expression(js`(${code} !== undefined)`, 'bool');
      context.emitFailing(js`if (${code} === undefined) ${context.runtime('fail')}();\n`);
      return { code, isSimple: true, json: (visited.isMaybe && visited.json) ?? false };
    }
    default:
      return undefined;
  }
}

/** A function of a library. */
function visitFunction(context: Context, expr: Call, operands: readonly Expr[], scope: Scope | undefined): Operand {
  const fn = functionName(context, expr);
  const overloads = overloadsOf(context, expr);
  if (overloads.length === 0) throw new Unsupported('a call that was not resolved');
  if (overloads.length === 1 && overloads[0]!.id === 'to_dyn') {
    context.charge(1);
    return asValue(context, context.visit(context, operands[0]!, scope));
  }
  const args = visitTogether(context, operands, scope).map((operand) => context.bind(operand));
  const price = pricing(fn, overloads);
  const isFixed = price.length === 0;
  context.charge(isFixed ? price([], null) : 1);
  const result = failing(context, invocation(context, fn, overloads, args), knownResult(overloads));
  if (!isFixed) {
    context.chargeDynamic(js`${context.runtime('priceOf')}(${context.hoist(price)}, [${listOf(args)}], ${result.code})`);
    context.block.mayMissCost = true;
  }
  return result;
}

const listOf = (operands: readonly Operand[]): Code =>
  separated(
    operands.map((operand) => operand.code),
    js`, `,
  );

function invocation(context: Context, fn: string, overloads: readonly Overload[], args: readonly Operand[]): Code {
  const [only] = overloads as [Overload];
  const direct = (): Code => js`${context.hoist(only.call)}(${listOf(args)})`;
  if (SELF_CHECKING.has(fn)) return direct();
  if (
    overloads.length === 1 &&
    only.args.length === args.length &&
    only.args.every((type) => type.kind === 'string' || type.kind === 'param')
  ) {
    const tests = args.filter((arg, i) => only.args[i]!.kind === 'string' && arg.known !== 'string');
    if (tests.length === 0) return direct();
    const areTexts = separated(
      tests.map((arg) => js`typeof ${arg.code} === 'string'`),
      js` && `,
    );
    return js`${areTexts} ? ${direct()} : ${context.runtime('fail')}()`;
  }
  return js`${context.runtime('invoke')}(${fn}, ${context.hoist(overloads)}, [${listOf(args)}])`;
}

function knownResult(overloads: readonly Overload[]): 'bool' | 'string' | 'int' | 'list' | undefined {
  const kinds = new Set(overloads.map((overload) => overload.result.kind));
  const [kind] = kinds;
  return kinds.size === 1 && (kind === 'bool' || kind === 'string' || kind === 'int' || kind === 'list') ? kind : undefined;
}
