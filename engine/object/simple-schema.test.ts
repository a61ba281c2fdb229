import { expect, test } from 'vitest';
import type { Json } from './json.ts';
import { readSimpleSchema, type SchemaProblem } from './simple-schema.ts';
import { checkValue, withDefaults } from './simple-schema-value.ts';

function read(source: unknown) {
  const problems: SchemaProblem[] = [];
  return { schema: readSimpleSchema(source, problems), problems: problems.map(({ path, message }) => [path.join('.'), message]) };
}

test.each<[unknown, Json | undefined]>([
  ['string', undefined],
  ['string | default=a', 'a'],
  ['string | default=4', '4'],
  ['string | default="a b"', 'a b'],
  ['integer | default=4 minimum=1', 4],
  ['number | default=0.5', 0.5],
  ['boolean | default=false', false],
  ['[]string | default=["a", "b c"]', ['a', 'b c']],
  ['map[string]integer | default={"a": 1}', { a: 1 }],
  ['any | default=[1, "x"]', [1, 'x']],
  ['string | enum=a,b default=b description="one of two"', 'b'],
  [
    { a: 'integer | default=1', b: { c: 'string | default=x' } },
    { a: 1, b: { c: 'x' } },
  ],
])('%j without a value is %j', (source, expected) => {
  const { schema, problems } = read(source);
  expect(problems).toEqual([]);
  expect(withDefaults(schema, undefined, [], [])).toEqual(expected);
});

test.each<[unknown, Json, string | undefined]>([
  ['integer', 1, undefined],
  ['integer', 1.5, 'expected an integer, found 1.5'],
  ['integer | minimum=2', 1, 'expected at least 2, found 1'],
  ['integer | maximum=2', 3, 'expected at most 2, found 3'],
  ['string', 1, 'expected a string, found 1'],
  ['string | enum=a,b', 'c', 'expected one of a, b, found "c"'],
  ['boolean', 'true', 'expected true or false, found "true"'],
  ['number', 1, undefined],
  ['[]integer', [1, 'x'], 'expected an integer, found "x"'],
  ['[]integer', 'x', 'expected a list, found "x"'],
  ['map[string]string', { a: 1 }, 'expected a string, found 1'],
  ['any', null, undefined],
  [{ a: 'string' }, { b: 'x' }, 'unknown field b'],
  [{ a: 'string' }, null, 'expected a map, found null'],
])('%j takes %j: %s', (source, value, problem) => {
  expect(checkValue(read(source).schema, value, [])[0]?.message).toBe(problem);
});

test.each<[unknown, string]>([
  ['strin', 'unknown type "strin": expected string, integer, number, boolean, quantity, int-or-string, any, []type or map[string]type'],
  ['[]', 'unknown type "": expected string, integer, number, boolean, quantity, int-or-string, any, []type or map[string]type'],
  ['integer | default=x', 'the default does not fit: expected an integer, found "x"'],
  ['integer | =3', 'expected a rule, as default=1, found "=3"'],
  ['integer | maximum=x', 'maximum is a number'],
  [null, 'expected a type, as "string | default=x", or a map of types'],
  [1, 'expected a type, as "string | default=x", or a map of types'],
])('%j is no schema', (source, problem) => {
  expect(read(source).problems).toEqual([['', problem]]);
});

test('an integer beyond 2^53 is one', () => {
  expect(checkValue(read('integer').schema, 9007199254740993n, [])).toEqual([]);
});

test('nesting ends', () => {
  let source: unknown = 'string';
  for (let i = 0; i < 100; i++) source = { a: source };
  expect(read(source).problems.map(([, message]) => message)).toEqual(['the schema nests too deeply']);
});
