import type { CallEstimator, Library, OperandEstimate, SizeEstimate } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { DYN, INT, listOf, STRING } from '../types.ts';
import type { CelValue } from '../values.ts';
import {
  addEstimates,
  multiplyEstimates,
  pricedByName,
  pricedByTraversal,
  STRING_TRAVERSAL_FACTOR,
  scaleEstimate,
  traversalCost,
  traversalEstimate,
} from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import { elementSize, searchEstimate } from './search-cost.ts';
import { formatText } from './strings/format.ts';
import {
  charAt,
  indexOf,
  join,
  lastIndexOf,
  lastIndexOfFrom,
  lowerAscii,
  quote,
  replace,
  split,
  substring,
  trim,
  upperAscii,
} from './strings/operations.ts';

const SEARCH_PRICE = pricedByName((args) => traversalCost(args[0] as CelValue), searchEstimate('indexOf'));
const TRANSFORM_PRICE = pricedByTraversal(1, traversalEstimate(1, true));

/** Kubernetes: pkg/cel/library/cost.go EstimateCallCost, case "replace". */
const replaceEstimate: CallEstimator = (operands) => {
  const [text, old, replacement] = operands.map((operand) => operand.size) as [SizeEstimate, SizeEstimate, SizeEstimate];
  const count = { min: 0, max: 0 };
  const kept = { min: 0, max: 0 };
  if (old.min === 0) {
    count.max = text.max + 1;
    kept.max = text.max;
  } else if (replacement.max <= old.min) kept.max = text.max;
  else count.max = Math.ceil(text.max / old.min);
  if (old.max === 0) {
    count.min = text.min + 1;
    kept.min = text.min;
  } else if (old.max <= replacement.min) kept.min = text.min;
  else count.min = Math.ceil(text.min / old.max);
  return { cost: scaleEstimate(text, 2 * STRING_TRAVERSAL_FACTOR), resultSize: addEstimates(multiplyEstimates(count, replacement), kept) };
};
const REPLACE_PRICE = pricedByTraversal(2, replaceEstimate);

const splitEstimate: CallEstimator = ([text, , limit]) => {
  const { size } = text as OperandEstimate;
  const literal = typeof limit?.literal === 'number' ? limit.literal : size.max;
  return { cost: scaleEstimate(size, 2 * STRING_TRAVERSAL_FACTOR), resultSize: { min: 0, max: literal < 0 ? Infinity : literal } };
};
const SPLIT_PRICE = pricedByTraversal(2, splitEstimate);

const joinEstimate: CallEstimator = ([list, separator]) => {
  const { size } = list as OperandEstimate;
  const element = elementSize(list as OperandEstimate);
  let total = element === undefined ? { min: 0, max: 0 } : multiplyEstimates(size, element);
  if (separator) {
    const gaps = { min: Math.max(size.min - 1, 0), max: Math.max(size.max - 1, 0) };
    total = addEstimates(total, multiplyEstimates(separator.size, gaps));
  }
  return { cost: scaleEstimate(total, STRING_TRAVERSAL_FACTOR), resultSize: total };
};
const JOIN_PRICE = pricedByName((_, result) => Math.ceil(actualSize(result) * 2 * STRING_TRAVERSAL_FACTOR), joinEstimate);

/** What cel-go itself prices, by the overload. */
const scanCost = ([text]: readonly CelValue[]): number => Math.ceil(actualSize(text as CelValue) * STRING_TRAVERSAL_FACTOR);
const quoteEstimate: CallEstimator = ([text]) => {
  const { size } = text as OperandEstimate;
  return { cost: scaleEstimate(size, STRING_TRAVERSAL_FACTOR), resultSize: { min: size.min + 2, max: size.max * 2 + 2 } };
};

/** Working with texts. cel-go: ext/strings.go, version 2, which is the one that Kubernetes pins. */
export const STRINGS_LIBRARY: Library = {
  name: 'cel.lib.ext.strings',
  functions: [
    declare('charAt', memberOverload('string_char_at_int', [STRING, INT], STRING, charAt)),
    declare(
      'indexOf',
      memberOverload('string_index_of_string', [STRING, STRING], INT, indexOf, SEARCH_PRICE),
      memberOverload('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf, SEARCH_PRICE),
    ),
    declare(
      'lastIndexOf',
      memberOverload('string_last_index_of_string', [STRING, STRING], INT, lastIndexOf, SEARCH_PRICE),
      memberOverload('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOfFrom, SEARCH_PRICE),
    ),
    declare('lowerAscii', memberOverload('string_lower_ascii', [STRING], STRING, lowerAscii, TRANSFORM_PRICE)),
    declare('upperAscii', memberOverload('string_upper_ascii', [STRING], STRING, upperAscii, TRANSFORM_PRICE)),
    declare(
      'replace',
      memberOverload('string_replace_string_string', [STRING, STRING, STRING], STRING, replace, REPLACE_PRICE),
      memberOverload('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace, REPLACE_PRICE),
    ),
    declare(
      'split',
      memberOverload('string_split_string', [STRING, STRING], listOf(STRING), split, SPLIT_PRICE),
      memberOverload('string_split_string_int', [STRING, STRING, INT], listOf(STRING), split, SPLIT_PRICE),
    ),
    declare(
      'substring',
      memberOverload('string_substring_int', [STRING, INT], STRING, substring, TRANSFORM_PRICE),
      memberOverload('string_substring_int_int', [STRING, INT, INT], STRING, substring, TRANSFORM_PRICE),
    ),
    declare('trim', memberOverload('string_trim', [STRING], STRING, trim, TRANSFORM_PRICE)),
    declare(
      'format',
      memberOverload('string_format', [STRING, listOf(DYN)], STRING, formatText, { cost: scanCost, estimate: traversalEstimate(1) }),
    ),
    declare('strings.quote', globalOverload('strings_quote', [STRING], STRING, quote, { cost: scanCost, estimate: quoteEstimate })),
    declare(
      'join',
      memberOverload('list_join', [listOf(STRING)], STRING, join, JOIN_PRICE),
      memberOverload('list_join_string', [listOf(STRING), STRING], STRING, join, JOIN_PRICE),
    ),
  ],
};

/** The first version, up to Kubernetes 1.28: without `format` and `strings.quote`. */
export const STRINGS_LIBRARY_V0: Library = {
  name: STRINGS_LIBRARY.name,
  functions: STRINGS_LIBRARY.functions.filter(({ name }) => name !== 'format' && name !== 'strings.quote'),
};
