import { expect, test } from 'vitest';
import { CelMap, type CelValue, Double, Duration, NONE, Optional, Struct, Timestamp, TypeValue, Uint } from '../../cel/values.ts';
import { patchValue } from './patch-value.ts';

test.each<[string, CelValue, unknown]>([
  ['an int', 5, 5],
  ['an int beyond 2^53', 9007199254740993n, '9007199254740993'],
  ['a uint', new Uint(7n), 7],
  ['a uint beyond 2^53', new Uint(18446744073709551615n), '18446744073709551615'],
  ['a double that is whole', new Double(2), 2],
  ['bytes', new TextEncoder().encode('abc'), 'YWJj'],
  ['a timestamp', new Timestamp(1704067200, 0), '2024-01-01T00:00:00Z'],
  ['a duration', new Duration(90_000_000_000n), '90s'],
  ['a present optional', new Optional(true, [1]), [1]],
  ['an Object', new Struct('Object.spec', { size: 1 }), { size: 1 }],
  ['a hostile key', JSON.parse('{"__proto__": {"a": 1}}') as CelValue, JSON.parse('{"__proto__": {"a": 1}}')],
])('%s', (_, value, expected) => {
  expect(patchValue(value)).toEqual(expected);
});

const keyed = (key: CelValue): CelMap => new CelMap(new Map([['k', [key, 'a']]]));

test.each<[string, CelValue, string]>([
  ['an absent optional', NONE, 'optional.none() dereference'],
  ['a type', new TypeValue('int'), "type conversion not supported for 'type'"],
  ['a map with int keys', keyed(1), "unsupported type conversion from 'int' to string"],
  ['a map with bool keys', keyed(true), "type conversion error from bool to 'string'"],
  ['a JSONPatch', new Struct('JSONPatch', { op: 'add' }), 'cannot convert to native type: *structpb.Value'],
])('%s has no JSON form', (_, value, message) => {
  expect(() => patchValue(value)).toThrow(message);
});

test('a small value that is gigabytes when written out is refused', () => {
  let value: CelValue = ['x'];
  for (let i = 0; i < 40; i++) value = [value, value];
  expect(() => patchValue(value)).toThrow('has more than 4194304 characters as JSON');
  expect(() => patchValue(new Struct('Object.spec', { value }))).toThrow('has more than 4194304 characters as JSON');
});
