import type { Call } from '../../ast.ts';
import type { Overload } from '../../function.ts';
import type { Reference } from '../../program.ts';
import { CelError, type CelValue } from '../../values.ts';
import { equalityCost, inequalityCost } from '../actual-size.ts';
import { CONVERSIONS, resolveOverload, SELF_CHECKING } from '../dispatch.ts';
import { containedIn } from '../equality.ts';
import { noSuchOverload, noSuchSignature } from '../errors.ts';
import { typeName } from '../type-of.ts';
import { asEvaluationError, attempt, charge, type Evaluate, type Frame, fail, type Result } from './frame.ts';
import type { Planner } from './plan.ts';
import { computedStep, constantStep, type Step } from './step.ts';

/** Plans a call of a function or of an operator that evaluates all its operands. */
export function planFunctionCall(planner: Planner, expr: Call, args: readonly Step[]): Step {
  const reference = planner.ast.references[expr.id];
  const overloads = reference?.kind === 'function' ? reference.overloads : [];
  const fn = reference?.kind === 'function' ? reference.name : expr.fn;
  return (
    planConstantConversion(planner, expr, fn, overloads, args) ??
    planMembership(expr, overloads, args) ??
    planStrict(planner, expr, fn, overloads, args)
  );
}

/** A conversion of a constant is done once, and is then free. cel-go: interpreter/decorators.go maybeOptimizeConstUnary. */
function planConstantConversion(
  planner: Planner,
  expr: Call,
  fn: string,
  overloads: readonly Overload[],
  args: readonly Step[],
): Step | undefined {
  const constant = args[0]?.constant;
  if (args.length !== 1 || !constant || !CONVERSIONS.has(fn)) return undefined;
  const result = attempt(expr.id, () => invoke(fn, overloads, [constant.value]));
  if (!(result instanceof CelError)) return constantStep(expr.id, result);
  planner.refuse(result);
  return computedStep(expr.id, () => result);
}

/** `x in [constants]` is a test of membership in a set, and free. cel-go: interpreter/decorators.go maybeOptimizeSetMembership. */
function planMembership(expr: Call, overloads: readonly Overload[], args: readonly Step[]): Step | undefined {
  if (expr.fn !== '@in' || overloads.length !== 1 || overloads[0]!.id !== 'in_list') return undefined;
  const list = args[1]!.constant?.value;
  if (!Array.isArray(list)) return undefined;
  if (list.length === 0) return constantStep(expr.id, false);
  if (!list.every((item) => /^(bool|double|int|string|uint)$/.test(typeName(item)))) return undefined;
  const value = args[0]!.evaluate;
  return computedStep(expr.id, (frame) => {
    const item = value(frame);
    return item instanceof CelError ? item : containedIn(item, list)!;
  });
}

function planStrict(planner: Planner, expr: Call, fn: string, overloads: readonly Overload[], args: readonly Step[]): Step {
  const price = pricing(fn, overloads);
  const evaluators = args.map((arg) => arg.evaluate);
  checkLiterals(planner, expr, overloads, args);
  // With its pattern compiled ahead, `matches` judges its text in other words.
  const compiledAhead = fn === 'matches' && args[1]?.constant !== undefined;
  // Known here once, so that operators need no look-up at each call.
  const direct = SELF_CHECKING.has(fn) ? overloads[0]?.call : undefined;
  const call = (values: readonly CelValue[]): Result => {
    if (compiledAhead && typeof values[0] !== 'string') return fail(expr.id, noSuchOverload());
    try {
      return direct ? direct(...values) : invoke(fn, overloads, values);
    } catch (error) {
      return asEvaluationError(expr.id, error);
    }
  };
  if (direct && evaluators.length === 2 && !compiledAhead && !stopsAtError(planner.ast.references[expr.id], args)) {
    const [first, second] = evaluators as [Evaluate, Evaluate];
    return computedStep(expr.id, operator(expr.id, first, second, direct, price, call));
  }
  if (fn === '@not_strictly_false') return computedStep(expr.id, notStrictlyFalse(evaluators[0]!, price));
  return computedStep(
    expr.id,
    stopsAtError(planner.ast.references[expr.id], args) ? inOrder(evaluators, call, price) : together(evaluators, call, price),
  );
}

/** A literal that the function can't use (a malformed pattern) is an error of the expression already. */
function checkLiterals(planner: Planner, expr: Call, overloads: readonly Overload[], args: readonly Step[]): void {
  const check = overloads.find((overload) => overload.checkLiterals && overload.args.length === args.length)?.checkLiterals;
  const message = check?.(args.map((arg) => arg.constant?.value));
  if (message !== undefined) planner.refuse(fail(expr.id, new CelError(message)));
}

function notStrictlyFalse(operand: Evaluate, price: Price): Evaluate {
  return (frame) => {
    const value = operand(frame);
    charge(frame, price === unitPrice ? 1 : price([value instanceof CelError ? null : value], true));
    return value !== false;
  };
}

type Price = (args: readonly CelValue[], result: CelValue) => number;

/** The price of most calls; who compares with it need not gather the arguments. */
const unitPrice: Price = () => 1;

/**
 * cel-go calls functions of one and two arguments after evaluating all of them, others one by one until an error. Which way it
 * goes also depends on how the call was resolved and on whether a constant pattern was compiled ahead.
 */
function stopsAtError(reference: Reference | undefined, args: readonly Step[]): boolean {
  if (args.length === 0 || args.length > 2) return true;
  const overloads = reference?.kind === 'function' ? reference.overloads : [];
  if (overloads.some((overload) => overload.checkLiterals) && args[1]?.constant) return true;
  return overloads.length !== 1 && reference !== undefined && !SELF_CHECKING.has(reference.name);
}

function together(args: readonly Evaluate[], call: (values: readonly CelValue[]) => Result, price: Price): Evaluate {
  const [first, second] = args as [Evaluate, Evaluate | undefined];
  if (!second) return (frame) => finish(frame, [first(frame)], call, price);
  return (frame) => finish(frame, [first(frame), second(frame)], call, price);
}

/** {@link together} for an operator of two operands, which are most calls: nothing is gathered unless an operand is an error. */
function operator(
  nodeId: number,
  first: Evaluate,
  second: Evaluate,
  apply: Overload['call'],
  price: Price,
  call: (values: readonly CelValue[]) => Result,
): Evaluate {
  return (frame) => {
    const a = first(frame);
    const b = second(frame);
    if (a instanceof CelError || b instanceof CelError) return finish(frame, [a, b], call, price);
    let result: Result;
    try {
      result = apply(a, b);
    } catch (error) {
      result = asEvaluationError(nodeId, error);
    }
    charge(frame, price === unitPrice ? 1 : price([a, b], result instanceof CelError ? null : result));
    return result;
  };
}

function finish(frame: Frame, values: readonly Result[], call: (values: readonly CelValue[]) => Result, price: Price): Result {
  for (const value of values) {
    if (!(value instanceof CelError)) continue;
    charge(frame, price(priceable(values), null));
    return value;
  }
  const result = call(values as readonly CelValue[]);
  charge(frame, price(values as readonly CelValue[], result instanceof CelError ? null : result));
  return result;
}

function inOrder(args: readonly Evaluate[], call: (values: readonly CelValue[]) => Result, price: Price): Evaluate {
  return (frame) => {
    const values: Result[] = [];
    for (const arg of args) {
      const value = arg(frame);
      values.push(value);
      if (!(value instanceof CelError)) continue;
      // The call is priced only once all of its arguments are there, were the last of them an error.
      if (values.length === args.length) charge(frame, price(priceable(values), null));
      return value;
    }
    return finish(frame, values, call, price);
  };
}

/** For the price an error is a value without a size. */
const priceable = (values: readonly Result[]): CelValue[] => values.map((value) => (value instanceof CelError ? null : value));

/** Runs the overload that fits. */
export function invoke(fn: string, overloads: readonly Overload[], args: readonly CelValue[]): CelValue {
  const [only] = overloads;
  if (!only) throw noSuchSignature(fn, args);
  if (SELF_CHECKING.has(fn)) return only.call(...args);
  return resolveOverload(fn, overloads, args).call(...args);
}

/**
 * What a call costs. An overload that the checker resolved has its own price; a call that was left open has the one of the
 * function's name, or 1. cel-go: interpreter/runtimecost.go costCall.
 */
export function pricing(fn: string, overloads: readonly Overload[]): Price {
  if (fn === '_==_') return ([a, b]) => equalityCost(a!, b!);
  if (fn === '_!=_') return ([a, b]) => inequalityCost(a!, b!);
  const [first] = overloads;
  const price = overloads.length === 1 ? first!.cost : overloads.find((overload) => overload.unresolvedCost)?.unresolvedCost;
  return price ?? unitPrice;
}
