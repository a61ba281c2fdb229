import type { Comprehension, Expr } from '../../ast.ts';
import { CelError, type CelValue } from '../../values.ts';
import { entriesOf, iterationOf } from '../access.ts';
import { noSuchOverload } from '../errors.ts';
import { insertIntoMap, MapBuilder } from '../insert.ts';
import { attempt, charge, type Evaluate, type Frame, fail, type Result, type Slot } from './frame.ts';
import { finished, type Planner, type Scope } from './plan.ts';
import { computedStep, type Step } from './step.ts';

/** The variables of one comprehension. */
export interface ComprehensionScope {
  readonly parent: Scope;
  /** How to read a variable of this comprehension, or undefined when it has none of that name. */
  read(name: string): Evaluate | undefined;
}

/**
 * Plans a comprehension as the fold it is. The accumulator is computed when it is first read, as in cel-go, where a body that
 * never looks at it (`optMap` with an unused variable) does not pay for it. cel-go: interpreter/interpretable.go evalFold.
 */
export function planComprehension(planner: Planner, expr: Comprehension, scope: Scope): Step {
  const range = planner.plan(expr.iterRange, scope).evaluate;
  const init = planner.plan(expr.accuInit, scope).evaluate;
  const accu = planner.newSlot();
  const first = planner.newSlot();
  const second = planner.newSlot();
  const start = startOf(expr.accuInit);
  const readAccu = (frame: Frame): Slot => {
    if (frame.slots[accu] === undefined) frame.slots[accu] = start ? start(init, frame) : init(frame);
    return frame.slots[accu];
  };

  const accuScope: ComprehensionScope = {
    parent: scope,
    read: (name) => (name === expr.accuVar ? (frame) => finished(readAccu(frame)!) : undefined),
  };
  const loopScope: ComprehensionScope = {
    parent: accuScope,
    read: (name) => {
      if (name === expr.accuVar) return undefined;
      if (name === expr.iterVar) return (frame) => frame.slots[first] as Result;
      return name === expr.iterVar2 ? (frame) => frame.slots[second] as Result : undefined;
    },
  };
  const condition = planner.plan(expr.loopCondition, loopScope).evaluate;
  const step = planStep(planner, expr, loopScope, readAccu);
  const result = planner.plan(expr.result, accuScope).evaluate;
  const twoVariables = expr.iterVar2 !== undefined;

  return computedStep(expr.id, (frame) => {
    const container = range(frame);
    if (container instanceof CelError) return container;
    const items = attempt(expr.id, () => (twoVariables ? (entriesOf(container) as readonly CelValue[]) : iterationOf(container)));
    if (items instanceof CelError) return items;
    const { slots } = frame;
    const outerAccu = slots[accu];
    const outerFirst = slots[first];
    const outerSecond = slots[second];
    slots[accu] = undefined;
    for (const item of items as readonly CelValue[]) {
      slots[first] = twoVariables ? (item as readonly CelValue[])[0]! : item;
      if (twoVariables) slots[second] = (item as readonly CelValue[])[1]!;
      if (condition(frame) === false) break;
      slots[accu] = step(frame);
    }
    const value = result(frame);
    // A fold inside its own accumulator's computation does not happen; a fold inside a fold's body has slots of its own.
    slots[accu] = outerAccu;
    slots[first] = outerFirst;
    slots[second] = outerSecond;
    return value;
  });
}

/** An accumulator that starts empty is built in place: copying it for each element would be quadratic. */
function startOf(init: Expr): ((init: Evaluate, frame: Frame) => Slot) | undefined {
  const empty = (init.kind === 'list' && init.elements.length === 0) || (init.kind === 'map' && init.entries.length === 0);
  if (!empty) return undefined;
  return (evaluate, frame) => {
    evaluate(frame);
    return init.kind === 'list' ? [] : new MapBuilder();
  };
}

/** The loop step; appending and inserting change the accumulator in place. */
function planStep(planner: Planner, expr: Comprehension, scope: Scope, readAccu: (frame: Frame) => Slot): (frame: Frame) => Slot {
  const { loopStep, accuInit } = expr;
  const isAccu = (node: Expr | undefined): boolean => node?.kind === 'ident' && node.name === expr.accuVar;
  const isConditional = loopStep.kind === 'call' && loopStep.fn === '_?_:_' && isAccu(loopStep.args[2]);
  const change = isConditional ? loopStep.args[1]! : loopStep;
  if (startOf(accuInit) === undefined || change.kind !== 'call' || !isAccu(change.args[0])) return planner.plan(loopStep, scope).evaluate;
  const apply = planChange(planner, change, accuInit.kind, scope, readAccu);
  if (!apply) return planner.plan(loopStep, scope).evaluate;
  if (!isConditional) return apply;

  // The branches of a conditional are chains: reading the accumulator there costs nothing.
  const test = planner.plan(loopStep.args[0]!, scope).evaluate;
  return (frame) => {
    const holds = test(frame);
    if (holds === true) return apply(frame);
    if (holds === false) return readAccu(frame);
    return holds instanceof CelError ? holds : fail(loopStep.id, noSuchOverload());
  };
}

function planChange(
  planner: Planner,
  change: Expr & { kind: 'call' },
  accuKind: Expr['kind'],
  scope: Scope,
  readAccu: (frame: Frame) => Slot,
): ((frame: Frame) => Slot) | undefined {
  const args = change.args.slice(1).map((arg) => planner.plan(arg, scope).evaluate);
  const [second, third] = args as [Evaluate, Evaluate | undefined];
  if (change.fn === '_+_' && accuKind === 'list') {
    return (frame) => {
      const list = readAccu(frame);
      charge(frame, 1);
      const more = second(frame);
      charge(frame, 1);
      if (list instanceof CelError || more instanceof CelError) return list instanceof CelError ? list : more;
      for (const item of more as readonly CelValue[]) (list as CelValue[]).push(item);
      return list;
    };
  }
  if (change.fn !== 'cel.@mapInsert' || accuKind !== 'map') return undefined;
  return (frame) => {
    const map = readAccu(frame);
    charge(frame, 1);
    // With three operands the call stops at the first error, with two both are evaluated first.
    if (third && map instanceof CelError) return map;
    const key = second(frame);
    if (third && key instanceof CelError) return key;
    const value = third?.(frame);
    charge(frame, 1);
    if (map instanceof CelError) return map;
    if (key instanceof CelError) return key;
    if (value instanceof CelError) return value;
    let changed: Slot = map;
    const failure = attempt(change.id, () => {
      if (map instanceof MapBuilder) changed = value === undefined ? map.insertAll(key) : map.insert(key, value);
      else changed = insertIntoMap(map as CelValue, key, value);
      return null;
    });
    return failure instanceof CelError ? failure : changed;
  };
}
