import type { Expr } from '../ast.ts';
import type { CallEstimator, Library, MacroDeclaration, OperandEstimate, Overload, SizeEstimate } from '../function.ts';
import { ACCUMULATOR, isAccumulatorName } from '../parse/macro.ts';
import { actualSize } from '../run/actual-size.ts';
import { equals } from '../run/equality.ts';
import { isInt, isPlainObject, typeName } from '../run/type-of.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, formatType, INT, listOf, param, STRING, TIMESTAMP, UINT } from '../types.ts';
import { CelError, CelMap, type CelValue } from '../values.ts';
import {
  addEstimates,
  fixedEstimate,
  LIST_CREATION_COST,
  multiplyEstimates,
  refuseRunaway,
  STRING_TRAVERSAL_FACTOR,
  scaleEstimate,
} from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import { sortByKeys } from './lists/sort.ts';

type List = readonly CelValue[];
type Int = number | bigint;

const T = param('T');
const LIST = listOf(T);
const COMPARABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];

/** cel-go's bound on `lists.range`. */
const MAX_RANGE = 1_000_000;

function slice(list: List, start: Int, end: Int): List {
  const refuse = (why: string): CelError => new CelError(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0 || end < 0) throw refuse('negative indexes not supported');
  if (start > end) throw refuse('start index must be less than or equal to end index');
  if (end > list.length) throw refuse(`list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

function flatten(list: CelValue, depth?: CelValue): List {
  const given = depth === undefined ? '' : typeName(depth);
  if (!Array.isArray(list) || (depth !== undefined && !isInt(depth))) {
    const type = isPlainObject(list) || list instanceof CelMap ? 'map(dyn, dyn)' : typeName(list);
    throw new CelError(`no such overload: ${type}.flatten(${given})`);
  }
  return flattenTo(list, depth === undefined ? 1 : (depth as Int));
}

function flattenTo(list: List, depth: Int): List {
  if (depth < 0) throw new CelError('level must be non-negative');
  return flattenInto([], list, Number(depth));
}

function flattenInto(result: CelValue[], list: List, depth: number): CelValue[] {
  for (const element of list) {
    if (depth > 0 && Array.isArray(element)) flattenInto(result, element, depth - 1);
    else result.push(element);
  }
  return result;
}

function range(size: Int): List {
  if (size < 0) throw new CelError(`lists.range: size must be non-negative, got ${size}`);
  if (size > MAX_RANGE) throw new CelError(`lists.range: size ${size} exceeds maximum allowed (${MAX_RANGE})`);
  return Array.from({ length: Number(size) }, (_, index) => index);
}

/** The first of each group of equal elements. */
function distinct(list: List): List {
  refuseRunaway(list.length * list.length);
  const kept: CelValue[] = [];
  const seen = new Set<CelValue>();
  for (const element of list) {
    // Texts and booleans equal only themselves.
    if (typeof element === 'string' || typeof element === 'boolean') {
      if (seen.has(element)) continue;
      seen.add(element);
    } else if (kept.some((other) => equals(element, other))) continue;
    kept.push(element);
  }
  return kept;
}

/** Values that cel-go lets take member calls answer for themselves, in other words. */
const RECEIVERS = new Set(['string', 'google.protobuf.Duration', 'google.protobuf.Timestamp']);

const sortSelf = (list: CelValue): List => {
  if (Array.isArray(list)) return sortByKeys(list, list);
  throw new CelError(RECEIVERS.has(typeName(list)) ? 'no such overload' : 'no such overload: sort');
};

const sortAssociated = (list: CelValue, keys: CelValue): List => {
  if (Array.isArray(list) && Array.isArray(keys)) return sortByKeys(list, keys);
  throw new CelError('no such overload: @sortByAssociatedKeys');
};

/** A call that makes a list. cel-go: ext/lists.go trackAllocatingListCall. */
const listCost = (factor: number, size: number): number => Math.floor(size * (factor < 0 ? 1 : factor)) + 1 + LIST_CREATION_COST;

const listEstimate = (factor: number, size: SizeEstimate): ReturnType<CallEstimator> => ({
  cost: addEstimates(scaleEstimate(size, factor), fixedEstimate(1 + LIST_CREATION_COST)),
  resultSize: size,
});

const sizeOf = (operand: OperandEstimate | undefined): SizeEstimate => (operand as OperandEstimate).size;

/** The value of an operand that is an int literal. cel-go: ext/costs.go nodeAsUintValue. */
function literalOr(operand: OperandEstimate | undefined, otherwise: number): number {
  return typeof operand?.literal === 'number' ? Math.max(operand.literal, 0) : otherwise;
}

const outputCost: Overload['cost'] = (_, result) => listCost(1, actualSize(result));

/** Two rounds of every element against every other, more where comparing walks through texts. */
function selfComparisonCost(list: CelValue): number {
  const size = actualSize(list);
  const first = Array.isArray(list) && list.length > 0 ? typeName(list[0] as CelValue) : '';
  return listCost(first === 'string' || first === 'bytes' ? 2 + STRING_TRAVERSAL_FACTOR : 2, size * size);
}

const squared = (size: SizeEstimate): SizeEstimate => multiplyEstimates(size, size);
const sortFactor = (type: CelType): number => (type === STRING || type === BYTES ? 2 + STRING_TRAVERSAL_FACTOR : 2);
/** cel-go subtracts without looking at the sign. */
const unsigned = (value: number): number => (value < 0 || Number.isNaN(value) ? Infinity : value);

/** Macro `list.sortBy(v, key)`: binds the list to a hidden name, maps it to its keys, and sorts by them. */
const sortBy: MacroDeclaration = {
  name: 'sortBy',
  member: true,
  argCount: 2,
  expand(context, target, [variable, key]) {
    const list = target as Expr;
    if (!['list', 'select', 'ident', 'comprehension', 'call'].includes(list.kind)) {
      return context.error(list, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression');
    }
    const name = variable as Expr;
    if (name.kind !== 'ident') return context.error(name, 'argument is not an identifier');
    if (isAccumulatorName(name.name)) return context.error(name, 'iteration variable overwrites accumulator variable');
    const keys = context.comprehension({
      iterRange: context.ident(SORTED_INPUT),
      iterVar: name.name,
      accuInit: context.list(),
      loopCondition: context.literal(true),
      loopStep: context.call('_+_', context.ident(ACCUMULATOR), context.list(key as Expr)),
      result: context.ident(ACCUMULATOR),
    });
    return context.comprehension({
      iterRange: context.list(),
      iterVar: '#unused',
      accuVar: SORTED_INPUT,
      accuInit: list,
      loopCondition: context.literal(false),
      loopStep: context.ident(SORTED_INPUT),
      result: context.memberCall(context.ident(SORTED_INPUT), '@sortByAssociatedKeys', keys),
    });
  },
};

const SORTED_INPUT = '@__sortBy_input__';

/** Slicing, flattening, sorting. cel-go: ext/lists.go, version 3. */
export const LISTS_LIBRARY: Library = {
  name: 'cel.lib.ext.lists',
  macros: [sortBy],
  functions: [
    declare(
      'slice',
      memberOverload('list_slice', [LIST, INT, INT], LIST, slice, {
        cost: outputCost,
        estimate: ([list, start, end]) => listEstimate(1, fixedEstimate(unsigned(literalOr(end, sizeOf(list).max) - literalOr(start, 0)))),
      }),
    ),
    declare(
      'flatten',
      memberOverload('list_flatten', [listOf(LIST)], LIST, flatten, {
        unguarded: true,
        cost: ([list]) => listCost(1, actualSize(list as CelValue)),
        estimate: ([list]) => listEstimate(1, sizeOf(list)),
      }),
      memberOverload('list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten, {
        unguarded: true,
        cost: ([list, depth]) => listCost(Number(depth), actualSize(list as CelValue)),
        estimate: ([list, depth]) => listEstimate(literalOr(depth, Infinity), sizeOf(list)),
      }),
    ),
    declare(
      'sort',
      ...COMPARABLE.map((type) =>
        memberOverload(`list_${formatType(type)}_sort`, [listOf(type)], listOf(type), sortSelf, {
          unguarded: true,
          cost: ([list]) => selfComparisonCost(list as CelValue),
          estimate: ([list]) => listEstimate(sortFactor(type), squared(sizeOf(list))),
        }),
      ),
    ),
    declare(
      '@sortByAssociatedKeys',
      ...COMPARABLE.map((type) =>
        memberOverload(`list_${formatType(type)}_sortByAssociatedKeys`, [LIST, listOf(type)], LIST, sortAssociated, {
          unguarded: true,
          cost: ([, keys]) => selfComparisonCost(keys as CelValue),
          estimate: ([, keys]) => listEstimate(sortFactor(type), squared(sizeOf(keys))),
        }),
      ),
    ),
    declare(
      'lists.range',
      globalOverload('lists_range', [INT], listOf(INT), range, {
        cost: outputCost,
        estimate: ([size]) => listEstimate(1, fixedEstimate(literalOr(size, Infinity))),
      }),
    ),
    declare(
      'reverse',
      memberOverload('list_reverse', [LIST], LIST, (list: List) => [...list].reverse(), {
        cost: outputCost,
        estimate: ([list]) => listEstimate(1, sizeOf(list)),
      }),
    ),
    declare(
      'distinct',
      memberOverload('list_distinct', [LIST], LIST, distinct, {
        cost: ([list]) => selfComparisonCost(list as CelValue),
        estimate: ([list]) => listEstimate(2, squared(sizeOf(list))),
      }),
    ),
  ],
};
