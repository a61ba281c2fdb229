import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { EVERYTHING, type Labels, labelSelectorOf, parseLabelSelector } from './label-selector.ts';

const text = (selector: string): string => {
  const result = parseLabelSelector(selector);
  return result.ok ? result.selector.text : `error: ${result.message}`;
};
const matches = (selector: string, labels: Labels): boolean => {
  const result = parseLabelSelector(selector);
  if (!result.ok) throw new Error(result.message);
  return result.selector.matches(labels);
};

describe('parseLabelSelector', () => {
  it.each([
    ['', ''],
    ['  ', ''],
    ['x=a,y=b,z=c', 'x=a,y=b,z=c'],
    ['x=b,a=x', 'a=x,x=b'],
    ['x==a , y != b', 'x==a,y!=b'],
    ['x', 'x'],
    ['!x', '!x'],
    ['x=', 'x='],
    ['x= ,z= ', 'x=,z='],
    ['x in (b,a,b)', 'x in (a,b)'],
    ['x in ()', 'x in ()'],
    ['x in (,)', 'x in ()'],
    ['x in (a,,b)', 'x in (,a,b)'],
    ['x notin (in)', 'x notin (in)'],
    ['notin=in', 'notin=in'],
    ['in in (in)', 'in in (in)'],
    ['x>1,z<5', 'x>1,z<5'],
    ['a.b/c=d,', "error: found '', expected: identifier after ','"],
    [
      'x=a||y=b',
      "error: unable to parse requirement: values[0][x]: Invalid value: \"a||y\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
    ['x==a==b', "error: found '==', expected: ',' or 'end of string'"],
    ['!x=a', "error: found '=', expected: ',' or 'end of string'"],
    ['=a', "error: found '=', expected: !, identifier, or 'end of string'"],
    ['a b', "error: unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "error: unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "error: unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (=)', "error: unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['a=)', "error: unable to parse requirement: found ')', expected: identifier"],
    ['!', "error: unable to parse requirement: found '', expected: identifier"],
    ['x<a', "error: unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"],
    ['/a=b', 'error: unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
  ])('%j: %s', (selector, expected) => {
    expect(text(selector)).toBe(expected);
  });

  it.each<[string, Labels, boolean]>([
    ['', undefined, true],
    ['x=y,z=w', { x: 'y', z: 'w' }, true],
    ['x=y', { x: 'z' }, false],
    ['x=', {}, false],
    ['x!=y', { z: 'y' }, true],
    ['x notin (y)', {}, true],
    ['x notin (y)', { x: 'y' }, false],
    ['x in (y,)', { x: '' }, true],
    ['x', { x: '' }, true],
    ['!x', { x: '' }, false],
    ['!x', null, true],
    ['x>1', { x: '2' }, true],
    ['x>1', { x: '01' }, false],
    ['x>1', { x: 'many' }, false],
    ['x<9223372036854775807', { x: '9223372036854775806' }, true],
    ['x>1', { x: '9223372036854775808' }, false],
    ['toString', {}, false],
    ['!constructor', {}, true],
    ['x', { x: 5 }, false],
  ])('%s on %j: %s', (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  it('law: its text parses to the same selector', () => {
    const key = fc.constantFrom('a', 'b.c/d', 'in', 'notin');
    const value = fc.constantFrom('', 'x', 'y', '1');
    const term = fc.oneof(
      key,
      key.map((name) => `!${name}`),
      fc.tuple(key, fc.constantFrom('=', '==', '!='), value).map((parts) => parts.join('')),
      fc
        .tuple(key, fc.constantFrom(' in ', ' notin '), fc.array(value, { minLength: 1, maxLength: 3 }))
        .map(([name, operator, list]) => `${name}${operator}(${list.join(',')})`),
    );
    const labels = fc.dictionary(key, value);
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), labels, (terms, given) => {
        const selector = terms.join(',');
        return text(text(selector)) === text(selector) && matches(text(selector), given) === matches(selector, given);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    expect(text('('.repeat(100_000))).toBe("error: found '(', expected: !, identifier, or 'end of string'");
    expect(text(`x=${'a-'.repeat(50_000)}`)).toMatch('must be no more than 63 bytes');
  });
});

describe('labelSelectorOf', () => {
  const of = (value: Json): string => {
    const result = labelSelectorOf(value);
    return result.ok ? result.selector.text : `error: ${result.message}`;
  };

  it.each<[Json, string]>([
    [{}, ''],
    [{ matchLabels: { b: '1', a: '2' } }, 'a=2,b=1'],
    [
      {
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['y', 'x'] },
          { key: 'b', operator: 'DoesNotExist' },
        ],
      },
      'a in (x,y),!b',
    ],
    [
      {
        matchExpressions: [
          { key: 'a', operator: 'NotIn', values: ['x'] },
          { key: 'b', operator: 'Exists', values: [] },
        ],
      },
      'a notin (x),b',
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'In' }] },
      "error: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
      'error: values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
    ],
    [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }, 'error: "Gt" is not a valid label selector operator'],
    [{ matchLabels: { a: 1 } }, 'error: matchLabels[a]: expected a string'],
    ['a=b', 'error: expected a label selector with matchLabels or matchExpressions'],
  ])('%j: %s', (value, expected) => {
    expect(of(value)).toBe(expected);
  });

  it('collects what is wrong with one requirement', () => {
    expect(of({ matchExpressions: [{ key: 'a/', operator: 'In' }] })).toMatch(
      /^error: \[key: Invalid value: "a\/": name part must be non-empty; .*, values: Invalid value: null: /,
    );
  });
});

it('EVERYTHING matches everything', () => {
  expect([EVERYTHING.matches(undefined), EVERYTHING.matches({ a: 'b' }), EVERYTHING.text]).toEqual([true, true, '']);
});
