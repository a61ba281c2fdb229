import type { Call, Comprehension, Expr, Ident, ListExpr, MapExpr, Select, StructExpr } from '../../ast.ts';
import type { CheckedAst, Reference } from '../../program.ts';
import { CelError, type CelValue, Optional } from '../../values.ts';
import { goTypeName } from '../access.ts';
import { construct, notOptionalElement, notOptionalEntry } from '../construct.ts';
import { noSuchAttribute, noSuchOverload } from '../errors.ts';
import { formatForMessage } from '../format.ts';
import { isInherited } from '../inherited.ts';
import { MapBuilder } from '../insert.ts';
import { mapKey, mapOfEntries } from '../map-key.ts';
import { chainFrom, computedQualifier, conditionalChain, constantQualifier, presenceQualifier } from './attribute.ts';
import { planFunctionCall } from './call.ts';
import { type ComprehensionScope, planComprehension } from './fold.ts';
import { attempt, charge, type Evaluate, fail, LIST_LITERAL, MAP_LITERAL, type Result, SELECT_OR_IDENT, STRUCT_LITERAL } from './frame.ts';
import { attributeOf, attributeStep, computedStep, constantStep, type Step } from './step.ts';

/** Plans the tree of an expression as closures. The shape follows cel-go's interpreter/planner.go, whose cost it reproduces. */
export interface Planner {
  readonly ast: CheckedAst;
  plan(expr: Expr, scope: Scope): Step;
  /** Notes an error that is known before the program runs. */
  refuse(error: CelError): void;
  readonly refused: CelError | undefined;
  /** Values that are known before the program runs, by node id. */
  readonly constants: ReadonlyMap<number, CelValue>;
  /** A place in the frame for a variable. */
  newSlot(): number;
  readonly slotCount: number;
}

/** Variables of the enclosing comprehensions, innermost first. */
export type Scope = ComprehensionScope | undefined;

export function createPlanner(ast: CheckedAst): Planner {
  let slotCount = 0;
  let refused: CelError | undefined;
  const constants = new Map<number, CelValue>();
  const planner: Planner = {
    ast,
    plan: (expr, scope) => {
      const step = planNode(planner, expr, scope);
      if (step.constant) constants.set(expr.id, step.constant.value);
      return step;
    },
    constants,
    refuse: (error) => {
      refused ??= error;
    },
    get refused() {
      return refused;
    },
    newSlot: () => slotCount++,
    get slotCount() {
      return slotCount;
    },
  };
  return planner;
}

function planNode(planner: Planner, expr: Expr, scope: Scope): Step {
  switch (expr.kind) {
    case 'literal':
      return constantStep(expr.id, expr.value);
    case 'ident':
      return planIdent(planner, expr, scope);
    case 'select':
      return planSelect(planner, expr, scope);
    case 'call':
      return planCall(planner, expr, scope);
    case 'list':
      return planList(planner, expr, scope);
    case 'map':
      return planMap(planner, expr, scope);
    case 'struct':
      return planStruct(planner, expr, scope);
    case 'comprehension':
      return planComprehension(planner, expr satisfies Comprehension, scope);
  }
}

function planIdent(planner: Planner, expr: Ident, scope: Scope): Step {
  const reference = planner.ast.references[expr.id];
  if (reference?.kind === 'constant') return constantStep(expr.id, reference.value);
  const name = reference?.name ?? expr.name.replace(/^\./, '');
  // A leading dot names the outermost variable, whatever a comprehension calls its own.
  for (let at = expr.name.startsWith('.') ? undefined : scope; at; at = at.parent) {
    const read = at.read(name);
    if (read) return attributeStep(expr.id, chainFrom(read));
  }
  return planVariable(expr.id, name);
}

function planVariable(nodeId: number, name: string): Step {
  const inherited = isInherited(name);
  return attributeStep(
    nodeId,
    chainFrom((frame) => {
      const value = inherited && !Object.hasOwn(frame.activation, name) ? undefined : frame.activation[name];
      const result = value === undefined ? fail(nodeId, noSuchAttribute(name)) : value;
      frame.record?.(nodeId, result);
      return result;
    }),
  );
}

/** A select that the checker resolved as a whole: a variable or constant with a dotted name. */
function planQualifiedName(nodeId: number, reference: Reference & { kind: 'variable' | 'constant' }): Step {
  return reference.kind === 'constant' ? constantStep(nodeId, reference.value) : planVariable(nodeId, reference.name);
}

function planSelect(planner: Planner, expr: Select, scope: Scope): Step {
  const reference = planner.ast.references[expr.id];
  if (reference && reference.kind !== 'function') return planQualifiedName(expr.id, reference);
  const attribute = attributeOf(planner.plan(expr.operand, scope));
  if (!expr.testOnly) {
    attribute.addQualifier(constantQualifier(expr.id, expr.field, false));
    return attributeStep(expr.id, attribute);
  }
  attribute.addQualifier(presenceQualifier(expr.id, expr.field));
  return {
    nodeId: expr.id,
    attribute,
    evaluate: (frame) => {
      const value = attribute.resolve(frame);
      // The test itself is free, which takes back the cost of the chain as a whole. Kubernetes: PresenceTestHasCost(false).
      if (attribute.isConditional) charge(frame, -SELECT_OR_IDENT);
      const result = value instanceof Optional ? value.present : value;
      frame.record?.(expr.id, result);
      return result;
    },
  };
}

function planCall(planner: Planner, expr: Call, scope: Scope): Step {
  const args = operandsOf(planner.ast, expr).map((arg) => planner.plan(arg, scope));
  const [first, second, third] = args as [Step, Step, Step];
  switch (expr.fn) {
    case '_&&_':
      return computedStep(expr.id, logical(expr.id, first.evaluate, second.evaluate, false));
    case '_||_':
      return computedStep(expr.id, logical(expr.id, first.evaluate, second.evaluate, true));
    case '_?_:_':
      return attributeStep(
        expr.id,
        conditionalChain(first.evaluate, attributeOf(second), attributeOf(third), () => fail(expr.id, noSuchOverload())),
      );
    case '_[_]':
      return planIndex(planner, expr.id, first, second, false);
    case '_?._':
    case '_[?_]':
      return planIndex(planner, expr.id, first, second, true);
    case 'or':
    case 'orValue':
      if (args.length === 2 && isOptionalOr(planner.ast.references[expr.id])) return planOptionalOr(expr, first.evaluate, second.evaluate);
  }
  return planFunctionCall(planner, expr, args);
}

/** Receiver and arguments; what stands before the dot of `optional.of(x)` is a part of the function's name and no receiver. */
export function operandsOf(ast: CheckedAst, expr: Call): readonly Expr[] {
  const reference = ast.references[expr.id];
  const isQualified = reference?.kind === 'function' && reference.overloads[0]?.member === false;
  return expr.target && !isQualified ? [expr.target, ...expr.args] : expr.args;
}

function isOptionalOr(reference: Reference | undefined): boolean {
  return reference?.kind === 'function' && (reference.overloads.length !== 1 || reference.overloads[0]!.id.startsWith('optional_or'));
}

/** `&&` (decided by false) and `||` (decided by true): an error on one side is absorbed when the other side decides. */
function logical(nodeId: number, left: Evaluate, right: Evaluate, deciding: boolean): Evaluate {
  return (frame) => {
    const a = left(frame);
    if (a === deciding) return a;
    const b = right(frame);
    if (b === deciding) return b;
    if (a === !deciding && b === !deciding) return a;
    const wrong = typeof a === 'boolean' ? b : a;
    return wrong instanceof CelError ? wrong : fail(nodeId, noSuchOverload());
  };
}

function planIndex(planner: Planner, nodeId: number, operand: Step, key: Step, isOptional: boolean): Step {
  const attribute = attributeOf(operand);
  if (key.constant && !isKey(key.constant.value)) {
    planner.refuse(fail(nodeId, new CelError(`invalid qualifier type: ${goTypeName(key.constant.value)}`)));
  }
  if (key.constant && isKey(key.constant.value)) attribute.addQualifier(constantQualifier(nodeId, key.constant.value, isOptional));
  else attribute.addQualifier(computedQualifier(nodeId, key.attribute?.resolve ?? key.evaluate, !key.attribute, isOptional));
  return attributeStep(nodeId, attribute);
}

const isKey = (value: CelValue): boolean => mapKey(value) !== undefined;

/** `a.or(b)` and `a.orValue(b)`: the second operand only when the first is empty, and no cost of their own. cel-go: cel/library.go. */
function planOptionalOr(expr: Call, first: Evaluate, second: Evaluate): Step {
  const unwraps = expr.fn === 'orValue';
  return computedStep(expr.id, (frame) => {
    const optional = first(frame);
    if (optional instanceof CelError) return optional;
    if (!(optional instanceof Optional)) return fail(expr.id, noSuchOverload());
    if (!optional.present) return second(frame);
    return unwraps ? optional.value : optional;
  });
}

function planList(planner: Planner, expr: ListExpr, scope: Scope): Step {
  const elements = expr.elements.map((element) => planner.plan(element, scope));
  const optional = new Set(expr.optionalIndices);
  if (optional.size === 0 && elements.every((element) => element.constant)) {
    return constantStep(
      expr.id,
      elements.map((element) => element.constant!.value),
    );
  }
  return literalWithParts(expr.id, LIST_LITERAL, (frame) => {
    const list: CelValue[] = [];
    for (let i = 0; i < elements.length; i++) {
      const value = elements[i]!.evaluate(frame);
      if (value instanceof CelError) return value;
      if (!optional.has(i)) list.push(value);
      else if (!(value instanceof Optional)) return fail(expr.id, notOptionalElement(formatForMessage(value)));
      else if (value.present) list.push(value.value);
    }
    return list;
  });
}

function planMap(planner: Planner, expr: MapExpr, scope: Scope): Step {
  const entries = expr.entries.map((entry) => ({
    key: planner.plan(entry.key, scope),
    value: planner.plan(entry.value, scope),
    optional: entry.optional,
  }));
  if (entries.every((entry) => entry.key.constant && entry.value.constant && !entry.optional)) {
    return constantStep(expr.id, mapOfEntries(entries.map((entry) => [entry.key.constant!.value, entry.value.constant!.value])));
  }
  return literalWithParts(expr.id, MAP_LITERAL, (frame) => {
    const result = new Map<string, readonly [CelValue, CelValue]>();
    for (const entry of entries) {
      const key = entry.key.evaluate(frame);
      if (key instanceof CelError) return key;
      const value = entry.value.evaluate(frame);
      if (value instanceof CelError) return value;
      const identity = mapKey(key) ?? `?${result.size}`;
      if (!entry.optional) result.set(identity, [key, value]);
      else if (!(value instanceof Optional)) return fail(expr.id, notOptionalEntry(formatForMessage(key), formatForMessage(value)));
      else if (value.present) result.set(identity, [key, value.value]);
      else result.delete(identity);
    }
    return mapOfEntries(result.values());
  });
}

function planStruct(planner: Planner, expr: StructExpr, scope: Scope): Step {
  const reference = planner.ast.references[expr.id];
  const typeName = reference && reference.kind !== 'function' ? reference.name : expr.typeName;
  const fields = expr.fields.map((field) => ({ ...field, step: planner.plan(field.value, scope) }));
  return literalWithParts(expr.id, STRUCT_LITERAL, (frame) => {
    const values: Record<string, CelValue> = Object.create(null);
    for (const field of fields) {
      const value = field.step.evaluate(frame);
      if (value instanceof CelError) return value;
      if (!field.optional) values[field.name] = value;
      else if (!(value instanceof Optional)) return fail(expr.id, notOptionalEntry(field.name, formatForMessage(value)));
      else if (value.present) values[field.name] = value.value;
      else delete values[field.name];
    }
    return attempt(expr.id, () => construct(typeName, values));
  });
}

/** A literal with parts: its cost falls due even when a part fails. */
function literalWithParts(nodeId: number, cost: number, build: Evaluate): Step {
  return computedStep(nodeId, (frame) => {
    const result: Result = build(frame);
    charge(frame, cost);
    return result;
  });
}

/** The value a fold hands out for what its accumulator has become. */
export const finished = (value: Result | MapBuilder): Result => (value instanceof MapBuilder ? value.finish() : value);
