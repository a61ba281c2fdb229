import type { Library } from '../../../../cel/function.ts';
import { pricedByTraversal } from '../../../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../../../cel/libraries/declare.ts';
import { INT, listOf, param } from '../../../../cel/types.ts';
import { CelError, type CelValue } from '../../../../cel/values.ts';

type List = readonly CelValue[];

function within(index: number | bigint, end: number): number {
  if (index < 0 || index > end) throw new CelError(`index ${index} out of bounds`);
  return Number(index);
}

const setAtIndex = (list: List, index: number, value: CelValue): List => list.with(within(index, list.length - 1), value);
const insertAtIndex = (list: List, index: number, value: CelValue): List => list.toSpliced(within(index, list.length), 0, value);
const removeAtIndex = (list: List, index: number): List => list.toSpliced(within(index, list.length - 1), 1);

const T = param('T');
const PRICE = pricedByTraversal(1);

/** kro: pkg/cel/library/lists.go. */
export const KRO_LISTS_LIBRARY: Library = {
  name: 'kro.lists',
  functions: [
    declare('lists.setAtIndex', globalOverload('lists_set_at_index', [listOf(T), INT, T], listOf(T), setAtIndex, PRICE)),
    declare('lists.insertAtIndex', globalOverload('lists_insert_at_index', [listOf(T), INT, T], listOf(T), insertAtIndex, PRICE)),
    declare('lists.removeAtIndex', globalOverload('lists_remove_at_index', [listOf(T), INT], listOf(T), removeAtIndex, PRICE)),
  ],
};
