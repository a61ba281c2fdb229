import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it, test } from 'vitest';
import { CelError } from '../values.ts';
import { compileRe2 } from './re2.ts';

describe('patterns', () => {
  it.each([
    ['zz(', 'missing closing ): `zz(`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['\\8', 'invalid escape sequence: `\\8`'],
    ['x{1001}', 'invalid repeat count: `{1001}`'],
    ['^a{2,1}$', 'invalid repeat count: `{2,1}`'],
    ['*', 'missing argument to repetition operator: `*`'],
  ])('%s is refused in the words of Go', (pattern, problem) => {
    expect(() => compileRe2(pattern)).toThrow(CelError as never);
    try {
      compileRe2(pattern);
    } catch (error) {
      expect((error as CelError).message).toBe(`error parsing regexp: ${problem}`);
    }
  });

  it('find the leftmost match', () => {
    expect(compileRe2('b+').find('abbcb')).toBe('bb');
    expect(compileRe2('x').find('abc')).toBeUndefined();
    expect(compileRe2('').find('abc')).toBe('');
  });

  it('leave out an empty match behind another match', () => {
    expect(compileRe2('a*').findAll('baac', -1)).toEqual(['', 'aa', '']);
    expect(compileRe2('').findAll('é😀', -1)).toEqual(['', '', '']);
    expect(compileRe2('a').findAll('aaaa', 2)).toEqual(['a', 'a']);
    expect(compileRe2('a').findAll('aaaa', 0)).toEqual([]);
  });

  it('cannot hang', () => {
    expect(compileRe2('(a+)+$').test(`${'a'.repeat(50_000)}b`)).toBe(false);
    expect(compileRe2('(a|aa)*c').test('a'.repeat(50_000))).toBe(false);
  });

  it('take the same short cuts as the long way', () => {
    const literals = fc.tuple(fc.constantFrom('', '^'), fc.stringMatching(/^[ab/:-]{1,3}$/), fc.constantFrom('', '$'));
    fc.assert(
      fc.property(literals, fc.stringMatching(/^[ab/:-]{0,8}$/), fc.integer({ min: -1, max: 3 }), ([start, literal, end], text, limit) => {
        const short = compileRe2(start + literal + end);
        // A group keeps the pattern from being taken for a literal.
        const long = compileRe2(`${start}(?:${literal})${end}`);
        expect(short.test(text)).toBe(long.test(text));
        expect(short.find(text)).toBe(long.find(text));
        expect(short.findAll(text, limit)).toEqual(long.findAll(text, limit));
      }),
    );
  });
});

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
    expect(compileRe2(pattern).test(text)).toBe(expected);
  });
});

test('patterns that make a backtracking engine hang are answered at once', () => {
  for (const pattern of ['^(a+)+$', '^(a|aa)+$', '^a*a*a*a*a*a*a*a*b$', '^[a-z]*[a-z]*[a-z]*[a-z]*1$', '(x+x+)+y']) {
    expect(compileRe2(pattern).test('a'.repeat(5_000))).toBe(/\)\+\$$/.test(pattern));
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
      for (const each of texts) expect([source, each, compileRe2(source).test(each)]).toEqual([source, each, oracle.matcher(each).find()]);
    }),
    { numRuns: 2000 },
  );
});

test('a long pattern is refused, a long literal compared', () => {
  const long = 'x'.repeat(20_000);
  expect(() => compileRe2(`${long}.`)).toThrow(new CelError('error parsing regexp: expression too large') as never);
  expect(compileRe2(`^${long}`).test(`${long}y`)).toBe(true);
});

test('a pattern that is only tested on the native engine finds its matches like any other', () => {
  expect(compileRe2('^[a-z]+-[0-9]+$').find('web-12')).toBe('web-12');
  expect(compileRe2('^[a-z]+-[0-9]+$').find('web')).toBeUndefined();
  expect(compileRe2('^[a-z]+-[0-9]+$').findAll('web-12', -1)).toEqual(['web-12']);
});
