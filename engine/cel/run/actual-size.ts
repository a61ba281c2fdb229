import { CelMap, type CelValue, Opaque, Optional } from '../values.ts';
import { codePointLength } from './text.ts';
import { isPlainObject } from './type-of.ts';

/**
 * The size a value has for the cost model: characters, bytes, elements or entries; 1 for everything else.
 * cel-go: interpreter/runtimecost.go actualSize.
 */
export function actualSize(value: CelValue): number {
  if (typeof value === 'string') return codePointLength(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof CelMap) return value.entries.size;
  if (value instanceof Optional) return value.present ? actualSize(value.value) : 1;
  if (value instanceof Opaque) return value.costSize ?? 1;
  return isPlainObject(value) ? Object.keys(value).length : 1;
}

/** Characters walked per cost unit, and characters of a pattern per regular expression state. */
const TRAVERSAL = 0.1;
const PATTERN = 0.25;

/** Cost of walking `size` characters once. */
export const traversal = (size: number): number => Math.ceil(size * TRAVERSAL);

/** Cost of searching a text of `size` characters for a pattern of `patternSize` characters. */
export const regexCost = (size: number, patternSize: number): number =>
  Math.ceil((1 + size) * TRAVERSAL) * Math.ceil(patternSize * PATTERN);

/** Cost of `a == b` and of ordering strings: the shorter one is walked. Kubernetes: an opaque left operand costs 1. */
export function equalityCost(a: CelValue, b: CelValue): number {
  if (a instanceof Opaque) return 1;
  return traversal(Math.min(actualSize(a), actualSize(b)));
}

/** Cost of `a != b`, for which Kubernetes makes no exception. */
export const inequalityCost = (a: CelValue, b: CelValue): number => traversal(Math.min(actualSize(a), actualSize(b)));
