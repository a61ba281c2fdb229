import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
