import type { CostEstimate, SizeEstimate } from '../function.ts';
import { add, exactly, multiply, type Range, scale } from './estimate-arithmetic.ts';

const STRING_TRAVERSAL = 0.1;
const REGEX = 0.25;

export interface CallEstimate {
  readonly cost: CostEstimate;
  readonly resultSize?: SizeEstimate;
}

const compare = ([left, right]: readonly Range[]): CallEstimate => {
  const smallest = Math.min(left!.max, right!.max);
  return { cost: scale({ min: smallest > 0 ? 1 : 0, max: smallest }, STRING_TRAVERSAL) };
};

const concatenate = ([left, right]: readonly Range[]): CallEstimate => {
  const resultSize = add(left!, right!);
  return { cost: scale(resultSize, STRING_TRAVERSAL), resultSize };
};

// One more than the text's length, so that a costly pattern is not free on an empty text.
const match = ([text, pattern]: readonly Range[]): CallEstimate => ({
  cost: multiply(scale(add(text!, exactly(1)), STRING_TRAVERSAL), scale(pattern!, REGEX)),
});

const affix = ([, part]: readonly Range[]): CallEstimate => ({ cost: scale(part!, STRING_TRAVERSAL) });

/**
 * Costs of the standard functions that take longer for larger operands, by overload id, from the sizes of the operands (the
 * receiver first). All others cost 1. cel-go: checker/cost.go functionCost.
 */
export const STANDARD_ESTIMATES: ReadonlyMap<string, (sizes: readonly Range[]) => CallEstimate> = new Map([
  // A character is up to four bytes, and four bytes are at least one character.
  ['string_to_bytes', ([text]) => ({ cost: scale(text!, STRING_TRAVERSAL), resultSize: { min: text!.min, max: text!.max * 4 } })],
  [
    'bytes_to_string',
    ([bytes]) => ({ cost: scale(bytes!, STRING_TRAVERSAL), resultSize: { min: Math.floor(bytes!.min / 4), max: bytes!.max } }),
  ],
  ['starts_with_string', affix],
  ['ends_with_string', affix],
  ['contains_string', ([text, part]) => ({ cost: multiply(scale(text!, STRING_TRAVERSAL), scale(part!, STRING_TRAVERSAL)) })],
  ['matches', match],
  ['matches_string', match],
  ['in_list', ([, list]) => ({ cost: list! })],
  ['add_string', concatenate],
  ['add_bytes', concatenate],
  ['add_list', ([left, right]) => ({ cost: exactly(1), resultSize: add(left!, right!) })],
  ['equals', compare],
  ['not_equals', compare],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((operator) =>
    ['string', 'bytes'].map((type) => [`${operator}_${type}`, compare] as const),
  ),
]);
