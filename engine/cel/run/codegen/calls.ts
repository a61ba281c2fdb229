import type { Call, Expr } from '../../ast.ts';
import type { Overload } from '../../function.ts';
import { pricing } from '../closure/call.ts';
import { operandsOf } from '../closure/plan.ts';
import { SELF_CHECKING } from '../dispatch.ts';
import { compileRe2 } from '../re2.ts';
import { codePointLength } from '../text.ts';
import { functionName, overloadsOf, visitTogether, walking, walkingCost } from './call-operands.ts';
import { visitIndex } from './chains.ts';
import { type Context, type Operand, type Scope, Unsupported } from './context.ts';
import { type Code, js, separated } from './emitter.ts';
import { visitConditional, visitLogical, visitOptionalOr } from './logic.ts';
import { asValue, computed, expression, failing } from './operand.ts';
import { ARITHMETIC, ORDER, visitArithmetic, visitEquality, visitOrder } from './operators.ts';

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
    return compileRe2(pattern).test;
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
