import { describe, expect, it } from 'vitest';
import { goJsonError } from './go-json-error.ts';

// Expected texts: encoding/json of Go 1.26, asked with the same texts.
describe('why Go does not read', () => {
  it.each<readonly [string, string | undefined]>([
    ['', 'unexpected end of JSON input'],
    [' ', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"apiVersion":', 'unexpected end of JSON input'],
    ['{} {}', "invalid character '{' after top-level value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['nul', "invalid character ' ' in literal null (expecting 'l')"],
    ['truth', "invalid character 't' in literal true (expecting 'e')"],
    ['-', "invalid character ' ' in numeric literal"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['1.', "invalid character ' ' after decimal point in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e', "invalid character ' ' in exponent of numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['"a\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"abc', 'unexpected end of JSON input'],
    ['"\\', "invalid character ' ' in string escape code"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['}', "invalid character '}' looking for beginning of value"],
    ['[', 'unexpected end of JSON input'],
    ['[}', "invalid character '}' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ['{"a":[1,{"b":null}]}', undefined],
    ['1e+5', undefined],
    [' [ 1 , -2.5 ] ', undefined],
  ])('%j: %s', (text, expected) => expect(goJsonError(new TextEncoder().encode(text))).toBe(expected));

  it('what is nested too deeply', () => {
    expect(goJsonError(new TextEncoder().encode('['.repeat(10_001)))).toBe("invalid character '[' exceeded max depth");
  });
});
