import type { Call, Comprehension, Expr, Select } from '../ast.ts';
import type { CostEstimate, OperandEstimate, Overload, SizeEstimate } from '../function.ts';
import { ACCUMULATOR } from '../parse/macro.ts';
import type { CheckedAst } from '../program.ts';
import type { CelType } from '../types.ts';
import { DYN } from '../types.ts';
import type { CelValue } from '../values.ts';
import { add, exactly, multiply, UNKNOWN, union } from './estimate-arithmetic.ts';
import { type CallEstimate, STANDARD_ESTIMATES } from './standard-estimates.ts';
import { isExactType, typeParameters } from './type-relations.ts';

/**
 * What is known of the size of a value, by the path that leads to it from a variable: `['object', 'spec', 'containers',
 * '@items', 'image']`, with `@items`, `@indices`, `@keys` and `@values` for what a list or map holds.
 */
export type SizeProvider = (path: readonly string[], type: CelType) => SizeEstimate | undefined;

const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;
const ONE = exactly(1);
const FREE = exactly(0);

/**
 * The least and the most that an expression may cost to evaluate, without evaluating it; `max` is Infinity when it depends on
 * something whose size nothing bounds. cel-go: checker/cost.go; Kubernetes: apiserver pkg/cel/library/cost.go EstimateCallCost.
 *
 * The API server refuses CRD validation rules by this estimate. It does not look at it for admission policies, whose budgets
 * only count at run time.
 */
export function estimateCost(ast: CheckedAst, sizes?: SizeProvider): CostEstimate {
  return new Estimator(ast, sizes).cost(ast.root);
}

/** Sizes of what a list or a map holds. */
interface EntrySize {
  readonly container: 'list' | 'map';
  readonly key: SizeEstimate;
  readonly value: SizeEstimate;
}

interface LocalVariable {
  readonly path: readonly string[] | undefined;
  readonly size: SizeEstimate | undefined;
  readonly entries: EntrySize | undefined;
}

class Estimator {
  private readonly paths = new Map<number, readonly string[]>();
  private readonly computedSizes = new Map<number, SizeEstimate>();
  private readonly computedEntries = new Map<number, EntrySize>();
  private readonly locals = new Map<string, LocalVariable[]>();

  constructor(
    private readonly ast: CheckedAst,
    private readonly sizes: SizeProvider | undefined,
  ) {}

  cost(expr: Expr): CostEstimate {
    const reference = this.ast.references[expr.id];
    if (reference && reference.kind !== 'function' && (expr.kind === 'ident' || expr.kind === 'select')) {
      // A dotted name that is one variable costs as one.
      const path = this.local(reference.name)?.path ?? [reference.name];
      this.paths.set(expr.id, path);
      return ONE;
    }
    switch (expr.kind) {
      case 'literal':
        return FREE;
      case 'ident':
        return ONE;
      case 'select':
        return this.selectCost(expr);
      case 'call':
        return this.callCost(expr);
      case 'list': {
        const cost = expr.elements.reduce((sum, element) => add(sum, this.cost(element)), exactly(LIST_COST));
        this.computedEntries.set(expr.id, { container: 'list', key: ONE, value: this.unionOfSizes(expr.elements) });
        return cost;
      }
      case 'map': {
        let cost = exactly(MAP_COST);
        for (const { key, value } of expr.entries) cost = add(cost, add(this.cost(key), this.cost(value)));
        const key = this.unionOfSizes(expr.entries.map((entry) => entry.key));
        const value = this.unionOfSizes(expr.entries.map((entry) => entry.value));
        this.computedEntries.set(expr.id, { container: 'map', key, value });
        return cost;
      }
      case 'struct':
        return expr.fields.reduce((sum, field) => add(sum, this.cost(field.value)), exactly(STRUCT_COST));
      case 'comprehension':
        return isBinding(expr) ? this.bindingCost(expr) : this.comprehensionCost(expr);
    }
  }

  private unionOfSizes(exprs: readonly Expr[]): SizeEstimate {
    if (exprs.length === 0) return FREE;
    return exprs.map((expr) => this.sizeOf(expr)).reduce(union);
  }

  private typeOf(expr: Expr): CelType {
    return this.ast.types[expr.id] ?? DYN;
  }

  private selectCost(expr: Select): CostEstimate {
    const operandCost = this.cost(expr.operand);
    // Presence tests are free. Kubernetes: PresenceTestHasCost(false).
    if (expr.testOnly) return operandCost;
    this.setPath(expr, expr.operand, expr.field);
    const { kind } = this.typeOf(expr.operand);
    return kind === 'map' || kind === 'object' ? add(operandCost, ONE) : operandCost;
  }

  private callCost(expr: Call): CostEstimate {
    const { args } = expr;
    if (expr.fn === 'dyn' && args.length === 1) {
      const cost = this.cost(args[0]!);
      this.copySizes(expr, args[0]!);
      return add(ONE, cost);
    }
    const argCosts = args.map((arg) => this.cost(arg));
    const reference = this.ast.references[expr.id];
    if (reference?.kind !== 'function') return FREE;
    const target = reference.overloads[0]?.member ? expr.target : undefined;
    const targetCost = target ? this.cost(target) : FREE;
    const operands = target ? [target, ...args] : args;
    let callCost: CostEstimate | undefined;
    let resultSize: SizeEstimate | undefined;
    for (const overload of reference.overloads) {
      const estimate = this.overloadCost(expr, reference.name, overload, operands, argCosts);
      callCost = callCost ? union(callCost, estimate.cost) : estimate.cost;
      if (estimate.resultSize) resultSize = resultSize ? union(resultSize, estimate.resultSize) : estimate.resultSize;
      if (overload.id === 'index_list' || overload.id === 'index_map') {
        resultSize = this.entriesOf(args[0]!)?.value;
        this.setPath(expr, args[0]!, overload.id === 'index_list' ? '@items' : '@values');
      }
      resultSize ??= this.knownSize(expr);
    }
    if (resultSize) this.computedSizes.set(expr.id, resultSize);
    return add(targetCost, callCost ?? FREE);
  }

  /** One overload's cost, with that of the arguments (the receiver's is counted by the caller). */
  private overloadCost(
    expr: Call,
    fn: string,
    overload: Overload,
    operands: readonly Expr[],
    argCosts: readonly CostEstimate[],
  ): CallEstimate {
    const withArguments = (estimate: CallEstimate): CallEstimate => ({ ...estimate, cost: argCosts.reduce(add, estimate.cost) });
    switch (overload.id) {
      case 'logical_and':
      case 'logical_or':
        return { cost: { min: argCosts[0]!.min, max: argCosts[0]!.max + argCosts[1]!.max } };
      case 'conditional': {
        const [condition, whenTrue, whenFalse] = argCosts;
        const size = union(this.sizeOf(operands[1]!), this.sizeOf(operands[2]!));
        this.uniteEntries(expr, operands[1]!, operands[2]!);
        return { cost: add(condition!, union(whenTrue!, whenFalse!)), resultSize: size };
      }
      case 'add_list':
      case 'add_string':
      case 'add_bytes':
        this.uniteEntries(expr, operands[0]!, operands[1]!);
    }
    if (overload.estimate) return withArguments(overload.estimate(operands.map((operand) => this.operandEstimate(operand))));
    const opaque = fn === '_==_' ? this.opaqueEqualityCost(operands) : undefined;
    if (opaque) return withArguments({ cost: opaque });
    const standard = STANDARD_ESTIMATES.get(overload.id);
    return withArguments(standard ? standard(operands.map((operand) => this.sizeOf(operand))) : { cost: ONE });
  }

  /** `==` on values of Kubernetes' own types. Kubernetes: pkg/cel/library/cost.go EstimateCallCost `_==_`. */
  private opaqueEqualityCost(operands: readonly Expr[]): CostEstimate | undefined {
    const [left, right] = operands.map((operand) => this.typeOf(operand));
    if (left?.kind !== 'opaque' || !right || !isExactType(left, right)) return undefined;
    if (left.name === 'kubernetes.NamedFormat') return { min: 1, max: Math.ceil(MAX_FORMAT_SIZE * 0.1) };
    // URLs are compared as texts; Kubernetes takes the right one's size for both.
    if (left.name === 'kubernetes.URL') return { min: 1, max: Math.ceil(Math.max(this.sizeOf(operands[1]!).max, 1) * 0.1) };
    return ONE;
  }

  private operandEstimate(expr: Expr): OperandEstimate {
    const type = this.typeOf(expr);
    const elementSize = this.elementSizeOf(expr, type);
    return {
      type,
      size: this.sizeOf(expr),
      ...(elementSize ? { elementSize } : {}),
      ...(expr.kind === 'literal' ? { literal: expr.value } : {}),
    };
  }

  private elementSizeOf(expr: Expr, type: CelType): SizeEstimate | undefined {
    const path = this.pathOf(expr);
    const element = typeParameters(type)[0];
    if (!path || !element || path[0] === ACCUMULATOR) return undefined;
    return this.sizes?.([...path, '@items'], element);
  }

  private comprehensionCost(expr: Comprehension): CostEstimate {
    let sum = add(this.cost(expr.iterRange), this.cost(expr.accuInit));
    this.pushBinding(expr.accuVar, expr.accuInit);
    const entries = this.entriesOf(expr.iterRange);
    const isList = (entries?.container ?? this.typeOf(expr.iterRange).kind) === 'list';
    if (expr.iterVar2 === undefined) {
      this.pushIteration(expr.iterVar, expr.iterRange, isList ? '@items' : '@keys', isList ? entries?.value : entries?.key);
    } else {
      this.pushIteration(expr.iterVar, expr.iterRange, isList ? '@indices' : '@keys', entries?.key);
      this.pushIteration(expr.iterVar2, expr.iterRange, isList ? '@items' : '@values', entries?.value);
    }
    const loopCost = this.cost(expr.loopCondition);
    const stepCost = this.cost(expr.loopStep);
    this.pop(expr.iterVar);
    if (expr.iterVar2 !== undefined) this.pop(expr.iterVar2);
    sum = add(sum, this.cost(expr.result));
    this.pop(expr.accuVar);
    const count = this.sizeOf(expr.iterRange);
    sum = add(sum, multiply(count, add(stepCost, loopCost)));
    if (expr.accuInit.kind === 'literal') {
      const size = this.knownSize(expr.accuInit);
      if (size) this.computedSizes.set(expr.id, size);
    } else if (expr.accuInit.kind === 'list' || expr.accuInit.kind === 'map') {
      this.computedSizes.set(expr.id, count);
      const step = this.entriesOf(expr.loopStep);
      if (step) this.computedEntries.set(expr.id, step);
    }
    return sum;
  }

  private bindingCost(expr: Comprehension): CostEstimate {
    let sum = add(this.cost(expr.iterRange), this.cost(expr.accuInit));
    this.pushBinding(expr.accuVar, expr.accuInit);
    sum = add(sum, this.cost(expr.result));
    this.pop(expr.accuVar);
    this.copySizes(expr, expr.result);
    return sum;
  }

  private pushBinding(name: string, expr: Expr): void {
    this.push(name, { path: this.pathOf(expr), size: this.knownSize(expr), entries: this.entriesOf(expr) });
  }

  private pushIteration(name: string, range: Expr, step: string, size: SizeEstimate | undefined): void {
    this.push(name, { path: [...(this.pathOf(range) ?? []), step], size, entries: undefined });
  }

  private push(name: string, variable: LocalVariable): void {
    const stack = this.locals.get(name);
    if (stack) stack.push(variable);
    else this.locals.set(name, [variable]);
  }

  private pop(name: string): void {
    this.locals.get(name)?.pop();
  }

  private local(name: string): LocalVariable | undefined {
    return this.locals.get(name)?.at(-1);
  }

  private pathOf(expr: Expr): readonly string[] | undefined {
    if (expr.kind === 'ident') {
      const local = this.local(expr.name);
      if (local) return local.path;
    }
    return this.paths.get(expr.id);
  }

  private setPath(expr: Expr, operand: Expr, step: string): void {
    this.paths.set(expr.id, [...(this.pathOf(operand) ?? []), step]);
  }

  private sizeOf(expr: Expr): SizeEstimate {
    return this.knownSize(expr) ?? UNKNOWN;
  }

  private knownSize(expr: Expr): SizeEstimate | undefined {
    const computed = this.computedSizes.get(expr.id) ?? literalSize(expr);
    if (computed) return computed;
    const path = this.pathOf(expr);
    const provided = path && path.length > 0 ? this.sizes?.(path, this.typeOf(expr)) : undefined;
    if (provided) {
      this.computedSizes.set(expr.id, provided);
      return provided;
    }
    if (isScalar(this.typeOf(expr))) return ONE;
    return expr.kind === 'ident' ? this.local(expr.name)?.size : undefined;
  }

  private entriesOf(expr: Expr): EntrySize | undefined {
    return this.computedEntries.get(expr.id) ?? (expr.kind === 'ident' ? this.local(expr.name)?.entries : undefined);
  }

  private uniteEntries(expr: Expr, a: Expr, b: Expr): void {
    const [left, right] = [this.entriesOf(a), this.entriesOf(b)];
    if (!left || !right) return;
    this.computedEntries.set(expr.id, {
      container: left.container,
      key: union(left.key, right.key),
      value: union(left.value, right.value),
    });
  }

  private copySizes(to: Expr, from: Expr): void {
    const size = this.knownSize(from);
    if (size) this.computedSizes.set(to.id, size);
    const entries = this.entriesOf(from);
    if (entries) this.computedEntries.set(to.id, entries);
  }
}

/** The longest format of Kubernetes' named formats. Kubernetes: apiserver pkg/cel/format.go MaxFormatSize. */
const MAX_FORMAT_SIZE = 64;

/** A comprehension that only binds a name, as optMap makes. */
function isBinding({ iterRange, loopCondition, accuVar }: Comprehension): boolean {
  return (
    iterRange.kind === 'list' &&
    iterRange.elements.length === 0 &&
    loopCondition.kind === 'literal' &&
    loopCondition.value === false &&
    accuVar !== '__result__'
  );
}

function literalSize(expr: Expr): SizeEstimate | undefined {
  switch (expr.kind) {
    case 'literal':
      return exactly(valueSize(expr.value));
    case 'list':
      return exactly(expr.elements.length);
    case 'map':
      return exactly(expr.entries.length);
    default:
      return undefined;
  }
}

function valueSize(value: CelValue): number {
  if (typeof value === 'string') {
    let size = 0;
    for (const _ of value) size++;
    return size;
  }
  return value instanceof Uint8Array ? value.length : 1;
}

function isScalar(type: CelType): boolean {
  switch (type.kind) {
    case 'bool':
    case 'double':
    case 'duration':
    case 'int':
    case 'timestamp':
    case 'uint':
      return true;
    case 'optional':
      return isScalar(type.value);
    default:
      return false;
  }
}
