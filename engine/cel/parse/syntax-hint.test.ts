import { expect, test } from 'vitest';
import { parse } from './parse.ts';

const hintsOf = (text: string): (string | undefined)[] => {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.issues.map(({ hint }) => hint).filter((hint) => hint !== undefined);
};

test.each([
  ["a.b = 'x'", ['compare with ==']],
  ['a = b && c = d', ['compare with ==']],
  ['a and b', ['write &&']],
  ['a or b', ['write ||']],
  ['not has(a.b)', ['write ! for not']],
  [String.raw`a.matches('\d+')`, [`a backslash begins an escape: write it twice, or a raw string, r'...'`]],
  ['a ==', []],
  ['a b', []],
])('%s', (text, hints) => {
  expect(hintsOf(text)).toEqual(hints);
});
