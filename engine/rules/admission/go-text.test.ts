import { expect, test } from 'vitest';
import { cutUtf8, trimSpace, utf8Length } from './go-text.ts';

test.each([
  ['', ''],
  [' \t\r\n a b \v\f', 'a b'],
  ['\u0085\u00a0a\u2003\u3000', 'a'],
  // Not white space to Go, though to JavaScript.
  ['\ufeffa', '\ufeffa'],
  ['\u200ba', '\u200ba'],
])('trimSpace(%j)', (text, trimmed) => {
  expect(trimSpace(text)).toBe(trimmed);
});

test('a long run of spaces is trimmed in one pass', () => {
  const spaces = ' '.repeat(1_000_000);
  expect(trimSpace(`${spaces}x${spaces}y${spaces}`)).toBe(`x${spaces}y`);
});

test.each([
  ['abc', 5, 'abc'],
  ['abc', 2, 'ab'],
  ['aé', 2, 'a'],
  ['aé', 3, 'aé'],
  ['a😀b', 4, 'a'],
  ['a😀b', 5, 'a😀'],
])('cutUtf8(%j, %i)', (text, limit, cut) => {
  expect(cutUtf8(text, limit)).toBe(cut);
  expect(utf8Length(cut)).toBeLessThanOrEqual(limit);
});
