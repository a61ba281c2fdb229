import type { SizeEstimate } from '../function.ts';

/** Ranges of sizes and costs; `max` is Infinity where nothing bounds it. cel-go: checker/cost.go SizeEstimate, CostEstimate. */
export type Range = SizeEstimate;

export const UNKNOWN: Range = { min: 0, max: Number.POSITIVE_INFINITY };

export const exactly = (value: number): Range => ({ min: value, max: value });

export const add = (a: Range, b: Range): Range => ({ min: a.min + b.min, max: a.max + b.max });

/** Nothing is nothing, times whatever: Infinity too. */
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

export const multiply = (a: Range, b: Range): Range => ({ min: times(a.min, b.min), max: times(a.max, b.max) });

export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });

/** Times a factor, rounded up. */
export const scale = (a: Range, factor: number): Range => ({ min: Math.ceil(a.min * factor), max: Math.ceil(a.max * factor) });
