import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { CelError } from '../values.ts';
import { compilePattern, matches } from './regex.ts';

describe('matches finds anywhere unless anchored', () => {
  test.each<[string, string, boolean]>([
    ['hello world', 'wor', true],
    ['hello world', '^wor', false],
    ['hello world', '^hello', true],
    ['hello world', 'world$', true],
    ['hello', '^hello$', true],
    ['hello\n', '^hello$', false],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', true],
    ['axb', 'a\\.b', false],
    ['', '', true],
    ['web-1', '^[a-z]+-[0-9]+$', true],
    ['web-', '^[a-z]+-[0-9]+$', false],
    ['aab', '^a*ab$', true],
    ['ab', '^a{1,3}b$', true],
    ['aaaab', '^a{1,3}b$', false],
    ['😀', '^.$', true],
    ['é', '^\\p{L}$', true],
    ['registry.example.com/team/app:1.2', '^registry\\.example\\.com/[a-z]+/[a-z]+:[0-9.]+$', true],
  ])('%j %j %j', (text, pattern, expected) => {
    expect(matches(text, pattern)).toBe(expected);
  });
});

test.each([
  ['a(b', 'error parsing regexp: missing closing ): `a(b`'],
  ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
  ['[b-a]', 'error parsing regexp: invalid character class range: `b-a`'],
  ['^a{2,1}$', 'error parsing regexp: invalid repeat count: `{2,1}`'],
])('%s is refused in the words of Go', (pattern, message) => {
  expect(() => compilePattern(pattern)).toThrow(CelError as never);
  try {
    compilePattern(pattern);
  } catch (error) {
    expect((error as CelError).message).toBe(message);
  }
});

test('patterns that make a backtracking engine hang are answered at once', () => {
  for (const pattern of ['^(a+)+$', '^(a|aa)+$', '^a*a*a*a*a*a*a*a*b$', '^[a-z]*[a-z]*[a-z]*[a-z]*1$', '(x+x+)+y']) {
    expect(matches('a'.repeat(5_000), pattern)).toBe(/\)\+\$$/.test(pattern));
  }
});

test('whichever engine runs a pattern, RE2 would say the same', () => {
  const atom = fc.constantFrom('a', 'b', '[a-c]', '[0-9]', '[a-z0-9]', '-', '\\.', '/', '[b-z_]', ':', '[^a]', '.', 'x');
  const repeat = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,1}', '{2,}');
  const body = fc.array(fc.tuple(atom, repeat), { minLength: 1, maxLength: 5 }).map((parts) => parts.flat().join(''));
  const pattern = fc.tuple(fc.constantFrom('^', ''), body, fc.constantFrom('$', '')).map((parts) => parts.join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '1', '-', '.', '/', ':', 'x', '_', '\n', 'é'), { maxLength: 8 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 6 }), (source, texts) => {
      const oracle = RE2JS.compile(source);
      for (const each of texts) expect([source, each, matches(each, source)]).toEqual([source, each, oracle.matcher(each).find()]);
    }),
    { numRuns: 2000 },
  );
});
