import { describe, expect, it } from 'vitest';
import { goAtoi, goFloat, goSyntax, goTypeName, goValue } from './go-format.ts';

describe('texts as Go writes them', () => {
  it.each([
    [0.5, '0.5'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [1.5e300, '1.5e+300'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.25e-7, '-1.25e-07'],
  ])('float %d is %s', (value, text) => {
    expect(goFloat(value)).toBe(text);
  });

  it('parses integers, or says why not', () => {
    expect(['0', '-1', '+1', '007', '9223372036854775807'].map(goAtoi)).toEqual([0, -1, 1, 7, 2 ** 63]);
    expect(['', '-', '1.0', '1e3', ' 1', '٣'].map((text) => typeof goAtoi(text))).toEqual(Array(6).fill('string'));
    expect(goAtoi('9223372036854775808')).toBe('strconv.Atoi: parsing "9223372036854775808": value out of range');
  });

  it('prints values and their types', () => {
    const value = { b: [1, null, 'x', 2.5], a: true };
    expect(goSyntax(value)).toBe('map[string]interface {}{"a":true, "b":[]interface {}{1, interface {}(nil), "x", 2.5}}');
    expect(goValue(value)).toBe('map[a:true b:[1 <nil> x 2.5]]');
    expect([null, 'x', true, 1, 1.5, 2n ** 60n, [], {}].map((each) => goTypeName(each))).toEqual([
      '<nil>',
      'string',
      'bool',
      'int64',
      'float64',
      'int64',
      '[]interface {}',
      'map[string]interface {}',
    ]);
  });
});
