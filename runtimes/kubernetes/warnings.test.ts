import { expect, test } from 'vitest';
import { readWarnings } from './warnings.ts';

test.each([
  { header: undefined, warnings: [] },
  { header: '299 - "one"', warnings: ['one'] },
  { header: '299 - "a, b", 299 - "say \\"c\\" \\\\ d"', warnings: ['a, b', 'say "c" \\ d'] },
])('the texts of $header', ({ header, warnings }) => {
  expect(readWarnings(header)).toEqual(warnings);
});
