import type { CallEstimator, OperandEstimate, Overload, SizeEstimate } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { utf8Length } from '../run/text.ts';
import { isPlainObject } from '../run/type-of.ts';
import { CelError, CelMap, type CelValue } from '../values.ts';

/** cel-go: common/cost.go. */
export const STRING_TRAVERSAL_FACTOR = 0.1;
export const REGEX_FACTOR = 0.25;
export const LIST_CREATION_COST = 10;
export const STRUCT_CREATION_COST = 40;

/** Cost of looking at every part of a value once. Kubernetes: pkg/cel/library/cost.go traversalCost. */
export function traversalCost(value: CelValue): number {
  if (typeof value === 'string') return Math.floor(utf8Length(value) * STRING_TRAVERSAL_FACTOR);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return Math.floor(value.length * STRING_TRAVERSAL_FACTOR);
  let cost = 0;
  if (Array.isArray(value)) {
    for (const element of value) cost += traversalCost(element as CelValue);
    return cost;
  }
  if (value instanceof CelMap) {
    for (const [key, item] of value.entries.values()) cost += traversalCost(key) + traversalCost(item);
    return cost;
  }
  if (!isPlainObject(value)) return 1;
  for (const key of Object.keys(value)) cost += traversalCost(key) + traversalCost(value[key] as CelValue);
  return cost;
}

/** Comparisons that no Kubernetes budget pays for (the largest is 10 000 000 units). */
const MAX_COMPARISONS = 50_000_000;

/**
 * Refuses a call before it begins that compares so much that its cost would end the evaluation afterwards: the cost of a call is
 * only charged when the call is over.
 */
export function refuseRunaway(comparisons: number): void {
  if (comparisons > MAX_COMPARISONS) throw new CelError('operation cancelled: actual cost limit exceeded', 'budget');
}

type CallCost = NonNullable<Overload['cost']>;
type Pricing = Pick<Overload, 'cost' | 'unresolvedCost' | 'estimate'>;

/** A cost that Kubernetes finds by the function's name, so that it holds however the overload was found. */
export function pricedByName(cost: CallCost, estimate: CallEstimator): Pricing {
  return { cost, unresolvedCost: cost, estimate };
}

/** `factor` passes over the first argument at a tenth of a unit per character. */
export function pricedByTraversal(passes: number, estimate: CallEstimator = traversalEstimate(passes)): Pricing {
  return pricedByName((args) => Math.ceil(actualSize(args[0] as CelValue) * passes * STRING_TRAVERSAL_FACTOR), estimate);
}

/** One unit. */
export const UNIT_PRICE: Pricing = pricedByName(
  () => 1,
  () => ({ cost: { min: 1, max: 1 } }),
);

/** The estimate of passes over the first operand; with `keepsSize`, the result is as large as that operand. */
export function traversalEstimate(passes: number, keepsSize = false): CallEstimator {
  return ([first]) => {
    const size = (first as OperandEstimate).size;
    const cost = scaleEstimate(size, passes * STRING_TRAVERSAL_FACTOR);
    return keepsSize ? { cost, resultSize: size } : { cost };
  };
}

export const addEstimates = (a: SizeEstimate, b: SizeEstimate): SizeEstimate => ({ min: a.min + b.min, max: a.max + b.max });

export const multiplyEstimates = (a: SizeEstimate, b: SizeEstimate): SizeEstimate => ({
  min: multiply(a.min, b.min),
  max: multiply(a.max, b.max),
});

/** Multiplied and rounded up. cel-go: checker/cost.go MultiplyByCostFactor. */
export const scaleEstimate = (size: SizeEstimate, factor: number): SizeEstimate => ({
  min: Math.ceil(multiply(size.min, factor)),
  max: Math.ceil(multiply(size.max, factor)),
});

export const fixedEstimate = (value: number): SizeEstimate => ({ min: value, max: value });

/** Nothing times without bound is nothing, as in cel-go's saturating arithmetic. */
const multiply = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);
