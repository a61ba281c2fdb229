import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { formatIssues } from '../issue.ts';
import { AUTHORIZER_VARIABLES } from '../libraries/authorizer.ts';
import { DYN, INT, listOf, mapOf, STRING } from '../types.ts';
import { estimateCost, type SizeProvider } from './cost-estimate.ts';

const environment = createEnvironment({
  variables: {
    object: DYN,
    s: STRING,
    i: INT,
    list: listOf(STRING),
    nested: listOf(listOf(INT)),
    map: mapOf(STRING, STRING),
    ...AUTHORIZER_VARIABLES,
  },
});

/** Every list and map has up to 10 entries, every string up to 100 characters. */
const bounded: SizeProvider = (_path, type) =>
  type.kind === 'string' ? { min: 0, max: 100 } : type.kind === 'list' || type.kind === 'map' ? { min: 0, max: 10 } : undefined;

function estimate(text: string, sizes?: SizeProvider): readonly [number, number] {
  const result = environment.compile(text);
  if (!result.ok) throw new Error(formatIssues(text, result.issues));
  const { min, max } = estimateCost(result.program.ast, sizes);
  return [min, max];
}

const UNBOUNDED = Number.POSITIVE_INFINITY;

// Numbers as the API server's own estimator gives them for the same declarations and sizes.
describe('without sizes', () => {
  it.each<[string, readonly [number, number]]>([
    ['1', [0, 0]],
    ['i', [1, 1]],
    ['i + 1', [2, 2]],
    ['object.a.b', [1, 1]],
    ['map.a', [2, 2]],
    ['has(map.a)', [1, 1]],
    ['[1, 2]', [10, 10]],
    ['{"a": 1}', [30, 30]],
    ['i == 1 ? i : 2', [2, 3]],
    ['i == 1 && i == 2', [2, 4]],
    ['"abc" + "defg"', [1, 1]],
    ['"abc".contains("d")', [1, 1]],
    ['"abcdefghijklmnop".matches("^[a-z]+$")', [4, 4]],
    ['1 in [1, 2, 3]', [13, 13]],
    ['[1, 2, 3].all(x, x > 0)', [20, 26]],
    ['["a", "b"].exists(x, x == "a")', [19, 23]],
    ['[1, 2].map(x, x + 1)', [49, 49]],
    ['list.all(x, x == "a")', [2, UNBOUNDED]],
    ['s.startsWith("abc")', [2, 2]],
    ['s.contains("abc")', [1, UNBOUNDED]],
    ['authorizer.path("/").check("get").allowed()', [350_003, 350_003]],
    ['authorizer.requestResource.check("get").allowed()', [350_002, 350_002]],
    ['quantity("1Gi").isGreaterThan(quantity("1"))', [3, 3]],
  ])('%s costs %j', (text, expected) => expect(estimate(text)).toEqual(expected));
});

describe('with sizes', () => {
  it.each<[string, readonly [number, number]]>([
    ['s == "abc"', [2, 2]],
    ['s.contains("abc")', [1, 11]],
    ['list.all(x, x == "a")', [2, 52]],
    ['list.exists(x, x.startsWith(s))', [2, 162]],
    ['nested.all(x, x.all(y, y > 0))', [2, 552]],
    ['s.matches(s)', [2, 277]],
    ['map.all(k, map[k] == k)', [2, 172]],
    ['list.map(x, x + s).exists(x, x == "a")', [13, 413]],
    ['list.join(",").size() < 10', [3, 104]],
    ['s.split(",").all(x, x == "")', [2, 422]],
  ])('%s costs %j', (text, expected) => expect(estimate(text, bounded)).toEqual(expected));
});

function environmentEstimate(text: string): { readonly min: number; readonly max: number } {
  const [min, max] = estimate(text, bounded);
  return { min, max };
}

it('is computed for a compiled expression when it is asked for', () => {
  const result = environment.compile('i + 1');
  expect(result.ok && result.estimate).toEqual({ min: 2, max: 2 });
  const withSizes = environment.compile('s == "abc"', { sizes: bounded });
  expect(withSizes.ok && withSizes.estimate).toEqual(environmentEstimate('s == "abc"'));
});
