import type { CallEstimator, Library, OperandEstimate, Overload } from '../function.ts';
import { actualSize } from '../run/actual-size.ts';
import { noSuchOverload, noSuchSignature } from '../run/errors.ts';
import { compileRe2, type Pattern, patternError } from '../run/re2.ts';
import { isInt } from '../run/type-of.ts';
import { INT, listOf, STRING } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import {
  addEstimates,
  fixedEstimate,
  multiplyEstimates,
  pricedByName,
  REGEX_FACTOR,
  STRING_TRAVERSAL_FACTOR,
  scaleEstimate,
} from './call-cost.ts';
import { declare, memberOverload } from './declare.ts';

/** A pattern that is only known at run time. */
function compile(pattern: string): Pattern {
  try {
    return compileRe2(pattern);
  } catch (error) {
    if (error instanceof CelError) throw new CelError(`Illegal regex: ${error.message}`);
    throw error;
  }
}

/**
 * cel-go compiles a constant pattern ahead, and then judges the other arguments in fewer words than it does otherwise. Patterns
 * are constants nearly always, so that those are the words here.
 */
function judge(fn: string, args: readonly CelValue[]): void {
  const [text, pattern, limit] = args;
  if (typeof pattern !== 'string') throw noSuchSignature(fn, args);
  if (typeof text !== 'string' || (limit !== undefined && !isInt(limit))) throw noSuchOverload();
}

function find(...args: readonly CelValue[]): string {
  judge('find', args);
  const [text, pattern] = args as readonly [string, string];
  return compile(pattern).find(text) ?? '';
}

function findAll(...args: readonly CelValue[]): string[] {
  judge('findAll', args);
  const [text, pattern, limit = -1] = args as readonly [string, string, (number | bigint)?];
  return compile(pattern).findAll(text, Number(limit));
}

const cost = ([text, pattern]: readonly CelValue[]): number =>
  Math.ceil((1 + actualSize(text as CelValue)) * STRING_TRAVERSAL_FACTOR) * Math.ceil(actualSize(pattern as CelValue) * REGEX_FACTOR);

const estimate: CallEstimator = ([text, pattern]) => {
  const { size } = text as OperandEstimate;
  const walk = scaleEstimate(addEstimates(size, fixedEstimate(1)), STRING_TRAVERSAL_FACTOR);
  return {
    cost: multiplyEstimates(walk, scaleEstimate((pattern as OperandEstimate).size, REGEX_FACTOR)),
    resultSize: { min: 0, max: size.max },
  };
};

const EXTRAS: Pick<Overload, 'cost' | 'unresolvedCost' | 'estimate' | 'checkLiterals' | 'unguarded'> = {
  unguarded: true,
  ...pricedByName(cost, estimate),
  checkLiterals: ([, pattern]) => (typeof pattern === 'string' ? patternError(pattern) : undefined),
};

/** Searching texts for patterns. Kubernetes: pkg/cel/library/regex.go. */
export const REGEX_LIBRARY: Library = {
  name: 'kubernetes.regex',
  functions: [
    declare('find', memberOverload('string_find_string', [STRING, STRING], STRING, find, EXTRAS)),
    declare(
      'findAll',
      memberOverload('string_find_all_string', [STRING, STRING], listOf(STRING), findAll, EXTRAS),
      memberOverload('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), findAll, EXTRAS),
    ),
  ],
};
