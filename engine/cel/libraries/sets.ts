import type { CallEstimator, Library, OperandEstimate, Overload } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { containedIn } from '../run/equality.ts';
import { BOOL, listOf, param } from '../types.ts';
import type { CelValue } from '../values.ts';
import { addEstimates, fixedEstimate, multiplyEstimates, refuseRunaway, scaleEstimate } from './call-cost.ts';
import { declare, globalOverload } from './declare.ts';

const LIST = listOf(param('T'));

type List = readonly CelValue[];

function contains(list: List, part: List): boolean {
  refuseRunaway(list.length * part.length);
  return part.every((element) => containedIn(element, list));
}

const equivalent = (a: List, b: List): boolean => contains(a, b) && contains(b, a);

function intersects(a: List, b: List): boolean {
  refuseRunaway(a.length * b.length);
  return a.some((element) => containedIn(element, b));
}

/** Every element of one list against every one of the other. */
function price(rounds: number): Pick<Overload, 'cost' | 'estimate'> {
  const estimate: CallEstimator = ([a, b]) => ({
    cost: addEstimates(
      scaleEstimate(multiplyEstimates((a as OperandEstimate).size, (b as OperandEstimate).size), rounds),
      fixedEstimate(1),
    ),
  });
  return { cost: ([a, b]) => 1 + actualSize(a as CelValue) * actualSize(b as CelValue) * rounds, estimate };
}

/** Lists as sets. cel-go: ext/sets.go. */
export const SETS_LIBRARY: Library = {
  name: 'cel.lib.ext.sets',
  functions: [
    declare('sets.contains', globalOverload('list_sets_contains_list', [LIST, LIST], BOOL, contains, price(1))),
    declare('sets.equivalent', globalOverload('list_sets_equivalent_list', [LIST, LIST], BOOL, equivalent, price(2))),
    declare('sets.intersects', globalOverload('list_sets_intersects_list', [LIST, LIST], BOOL, intersects, price(1))),
  ],
};
