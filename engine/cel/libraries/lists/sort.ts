import { less } from '../../run/order.ts';
import { typeName } from '../../run/type-of.ts';
import { CelError, type CelValue } from '../../values.ts';

type List = readonly CelValue[];

const COMPARABLE = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'google.protobuf.Duration', 'google.protobuf.Timestamp']);

/**
 * The list in the order of its keys. Elements with equal keys keep their order; cel-go promises none.
 * cel-go: ext/lists.go sortListByAssociatedKeys.
 */
export function sortByKeys(list: List, keys: List): List {
  if (list.length !== keys.length) {
    throw new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.length} and ${keys.length} elements respectively`,
    );
  }
  if (list.length === 0) return list;
  const type = typeName(keys[0] as CelValue);
  if (!COMPARABLE.has(type)) throw new CelError('list elements must be comparable');
  if (keys.some((key) => typeName(key) !== type)) throw new CelError('list elements must have the same type');
  const order = keys.map((_, index) => index);
  sortIndices(order, (a, b) => isLess(keys[a] as CelValue, keys[b] as CelValue));
  return order.map((index) => list[index] as CelValue);
}

/** NaN is neither less nor greater. */
function isLess(a: CelValue, b: CelValue): boolean {
  try {
    return less(a, b);
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

/** Go sorts short lists by insertion, which shows where NaN makes the order incomplete. */
const INSERTION_SORT_LENGTH = 12;

function sortIndices(order: number[], isBefore: (a: number, b: number) => boolean): void {
  if (order.length > INSERTION_SORT_LENGTH) {
    order.sort((a, b) => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0));
    return;
  }
  for (let i = 1; i < order.length; i++) {
    for (let j = i; j > 0 && isBefore(order[j] as number, order[j - 1] as number); j--) {
      [order[j], order[j - 1]] = [order[j - 1] as number, order[j] as number];
    }
  }
}
