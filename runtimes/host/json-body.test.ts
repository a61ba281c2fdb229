import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayHoldInteger, parseJsonBody, stringifyJson } from './json-body.ts';

const parse = (text: string): unknown => parseJsonBody(Buffer.from(text));

describe('a JSON body', () => {
  it('keeps integers beyond 2^53, and only those are bigint', () => {
    expect(parse('{"a":9007199254740993,"b":-9223372036854775808,"c":1000000000000000}')).toEqual({
      a: 9007199254740993n,
      b: -9223372036854775808n,
      c: 1000000000000000,
    });
    expect(parse('[-9007199254740993, 9007199254740993]')).toEqual([-9007199254740993n, 9007199254740993n]);
    expect(parse('{"text":"12345678901234567890","n":1}')).toEqual({ text: '12345678901234567890', n: 1 });
  });

  it('keeps __proto__ an ordinary key', () => {
    for (const text of ['{"__proto__":{"x":1}}', '{"__proto__":{"x":12345678901234567}}']) {
      const value = parse(text) as object;
      expect(Object.hasOwn(value, '__proto__')).toBe(true);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect((value as { readonly x?: unknown }).x).toBeUndefined();
    }
  });

  it.each(['', '{', '{"a":1}}', '{"a":secret}', '[1,]', '{"a":1}{"b":2}', "{'a':1}", '// x\n{}'])(
    'refuses %j without quoting it',
    (text) => {
      expect(() => parse(text)).toThrow(new SyntaxError('the body is not valid JSON'));
    },
  );

  it('refuses the depths that would exhaust a stack, with long integers too', () => {
    const deep = `${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`;
    expect(() => parse(deep)).toThrow(SyntaxError);
  });

  it('finds every long run of digits where a number may begin, and no other', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^([0-9]{0,20}[a-z":,[ -]?){0,5}$/), fc.integer({ min: 1, max: 20 }), (text, length) => {
        expect(mayHoldInteger(Buffer.from(text), length)).toBe(new RegExp(`(^|[ :,[-])[0-9]{${length}}`).test(text));
      }),
    );
  });

  it('is written back as it was read', () => {
    const text = '{"a":[9007199254740993,null,"x",{"b":-1.5}],"c":true}';
    expect(stringifyJson(parse(text))).toBe(text);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stringifyJson([value, 10n ** 18n])).toBe(`[${JSON.stringify(value)},1000000000000000000]`);
      }),
    );
  });
});
