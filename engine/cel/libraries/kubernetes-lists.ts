import type { FunctionDeclaration, Library } from '../function.ts';
import { add } from '../run/arithmetic.ts';
import { equals } from '../run/equality.ts';
import { greater, less } from '../run/order.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, param, STRING, TIMESTAMP, UINT } from '../types.ts';
import { CelError, type CelValue, Double, Duration, Uint } from '../values.ts';
import { pricedByName, traversalCost } from './call-cost.ts';
import { declare, memberOverload } from './declare.ts';
import { searchEstimate } from './search-cost.ts';

type List = readonly CelValue[];

/** Types with an order, by the name that overload ids have. */
const COMPARABLE: readonly (readonly [name: string, type: CelType])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
];

const ZERO: readonly (readonly [name: string, type: CelType, zero: CelValue])[] = [
  ['int', INT, 0],
  ['uint', UINT, new Uint(0n)],
  ['double', DOUBLE, new Double(0)],
  ['duration', DURATION, new Duration(0n)],
];

/** False where the values have no order (NaN, mixed types): Kubernetes only looks for the answer it hopes for. */
function holds(relation: (a: CelValue, b: CelValue) => boolean, a: CelValue, b: CelValue): boolean {
  try {
    return relation(a, b);
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

const isSorted = (list: List): boolean => list.every((element, i) => i === 0 || !holds(greater, list[i - 1] as CelValue, element));

/** The first of the best elements. */
function best(name: 'min' | 'max', isBetter: (a: CelValue, b: CelValue) => boolean): (list: List) => CelValue {
  return (list) => {
    if (list.length === 0) throw new CelError(`${name} called on empty list`);
    return list.reduce((found, element) => (holds(isBetter, element, found) ? element : found));
  };
}

const indexOf = (list: List, item: CelValue): number => list.findIndex((element) => equals(element, item));

function lastIndexOf(list: List, item: CelValue): number {
  for (let i = list.length - 1; i >= 0; i--) if (equals(list[i] as CelValue, item)) return i;
  return -1;
}

/** Whether a list has the item; anything else includes only itself. */
const includes = (target: CelValue, item: CelValue): boolean =>
  Array.isArray(target) ? target.some((element) => equals(element as CelValue, item)) : equals(target, item);

const priceOf = (name: string) => pricedByName((args) => traversalCost(args[0] as CelValue), searchEstimate(name));

const overComparable = (name: string, id: (type: string) => string, result: (type: CelType) => CelType, call: (list: List) => CelValue) =>
  declare(name, ...COMPARABLE.map(([typeName, type]) => memberOverload(id(typeName), [listOf(type)], result(type), call, priceOf(name))));

const same = (type: CelType): CelType => type;
const A = param('A');

const functions: readonly FunctionDeclaration[] = [
  overComparable(
    'isSorted',
    (type) => `list_${type}_is_sorted_bool`,
    () => BOOL,
    isSorted,
  ),
  overComparable('min', (type) => `list_${type}_min_${type}`, same, best('min', less)),
  overComparable('max', (type) => `list_${type}_max_${type}`, same, best('max', greater)),
  declare(
    'sum',
    ...ZERO.map(([name, type, zero]) =>
      memberOverload(`list_${name}_sum_${name}`, [listOf(type)], type, (list: List) => list.reduce(add, zero), priceOf('sum')),
    ),
  ),
  declare('indexOf', memberOverload('list_a_index_of_int', [listOf(A), A], INT, indexOf, priceOf('indexOf'))),
  declare('lastIndexOf', memberOverload('list_a_last_index_of_int', [listOf(A), A], INT, lastIndexOf, priceOf('lastIndexOf'))),
];

/** Kubernetes' own functions of lists, as up to version 1.36. Kubernetes: pkg/cel/library/lists.go, version 0. */
export const KUBERNETES_LISTS_LIBRARY_V0: Library = { name: 'kubernetes.lists', functions };

/** The same with `includes`, as from version 1.37. Kubernetes: pkg/cel/library/lists.go, version 1. */
export const KUBERNETES_LISTS_LIBRARY: Library = {
  name: 'kubernetes.lists',
  functions: [...functions, declare('includes', memberOverload('list_includes_dyn_dyn', [DYN, DYN], BOOL, includes, priceOf('includes')))],
};
