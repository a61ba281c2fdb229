import { expect, test } from 'vitest';
import { boolean, choice, defaulted, integer, list, map, named, object, oneOf, optional, refine, string, union } from '../text/shape.ts';
import { checkShapeValue } from '../text/shape-check.ts';
import { templateShape } from './template-shape.ts';

const shape = templateShape(
  object({
    name: string({ maxLength: 15 }),
    mtu: optional(integer({ minimum: 0 })),
    up: defaulted(boolean(), true),
    mode: optional(oneOf('a', 'b')),
    list: optional(list(object({ id: integer() }))),
    labels: optional(map(string())),
    choice: optional(choice({ one: integer(), two: boolean() }, {})),
    either: optional(union(integer(), list(integer()))),
    refined: optional(
      named(
        'Port',
        refine(integer(), () => [{ code: 'x', message: 'never' }]),
      ),
    ),
  }),
);

test.each<[string, unknown, readonly string[]]>([
  [
    'values',
    { name: 'a', mtu: 1, up: false, mode: 'a', list: [{ id: 1 }], labels: { a: 'b' }, choice: { one: 1 }, either: [1], refined: 1 },
    [],
  ],
  [
    'expressions',
    { name: '${a}', mtu: '${a}', up: '${a}', mode: '${a}', list: '${a}', labels: '${a}', choice: '${a}', either: '${a}', refined: '${a}' },
    [],
  ],
  [
    'expressions within',
    { name: 'a-${b}', list: ['${a}', { id: '${a}' }], choice: { one: '${a}' }, either: ['${a}'], labels: { '${a}': '${b}' } },
    [],
  ],
  ['text that is no expression', { name: 'a', mtu: 'big' }, ['mtu']],
  ['a word that is none', { name: 'a', mode: 'c' }, ['mode']],
  ['a field that is none', { name: 'a', nam: 'a' }, ['nam']],
  ['a field that is missing', {}, ['']],
  ['too long a text', { name: 'a'.repeat(16) }, ['name']],
])('%s', (_what, value, paths) => {
  expect(checkShapeValue(shape, value).problems.map(({ path }) => path.join('.'))).toEqual(paths);
});
