import { formatQuantity } from '../../../../engine/cel/libraries/quantity/format.ts';
import { parseQuantity } from '../../../../engine/cel/libraries/quantity/parse.ts';
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityOfInt,
  quantitySign,
  subtractQuantities,
} from '../../../../engine/cel/libraries/quantity/quantity.ts';

/** Quantities by resource name: `cpu`, `memory`, `pods`, `count/configmaps`. */
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

/** As objects have them. */
export type ResourceList = Readonly<Record<string, number | string>>;

export const ZERO: Quantity = quantityOfInt(0n);

/** 0 of what is no quantity, which validation does not let in. */
export function quantityOf(value: number | string | undefined): Quantity {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return quantityOfInt(BigInt(value));
  const parsed = parseQuantity(String(value ?? '0'));
  return parsed.ok ? parsed.quantity : ZERO;
}

export const amountsOf = (list: ResourceList | undefined): ResourceAmounts =>
  new Map(Object.entries(list ?? {}).map(([name, value]) => [name, quantityOf(value)]));

export const countOf = (count: number): Quantity => quantityOfInt(BigInt(count));

export function addTo(total: Map<string, Quantity>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) total.set(name, addQuantities(total.get(name) ?? ZERO, amount));
}

export function subtractFrom(total: Map<string, Quantity>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) total.set(name, subtractQuantities(total.get(name) ?? ZERO, amount));
}

/** Of each name the larger one. */
export function raiseTo(total: Map<string, Quantity>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) if (compareQuantities(total.get(name) ?? ZERO, amount) < 0) total.set(name, amount);
}

export const isPositive = (amount: Quantity): boolean => quantitySign(amount) > 0;

/** In canonical form, sorted by name. */
export const formatAmounts = (amounts: ResourceAmounts): Readonly<Record<string, string>> =>
  Object.fromEntries([...amounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, amount]) => [name, formatQuantity(amount)]));

/** `cpu=1,memory=2Gi`. */
export const printAmounts = (amounts: ResourceAmounts): string =>
  Object.entries(formatAmounts(amounts))
    .map(([name, amount]) => `${name}=${amount}`)
    .join(',');
