import { expect, test } from 'vitest';
import {
  any,
  boolean,
  choice,
  integer,
  list,
  map,
  named,
  object,
  oneOf,
  optional,
  refine,
  type Shape,
  string,
  union,
} from '../text/shape.ts';
import type { Schema } from './schema.ts';
import { schemaOfShape } from './shape-schema.ts';

/** A schema in few words. */
function words(schema: Schema): unknown {
  switch (schema.kind) {
    case 'list':
      return [words(schema.items)];
    case 'map':
      return {
        ...Object.fromEntries(
          [...schema.fields].map(([name, field]) => [`${name}${schema.required.includes(name) ? '' : '?'}`, words(field.schema)]),
        ),
        ...(schema.rest === undefined ? {} : { '*': words(schema.rest) }),
      };
    default:
      return schema.kind;
  }
}

interface Tree {
  readonly leaves?: readonly Tree[];
}
const tree: Shape<Tree> = named('Tree', (): Shape<Tree> => object({ leaves: optional(list(tree)) }));

test.each<[string, Shape, unknown]>([
  ['an object', object({ a: string(), b: optional(integer()) }), { a: 'string', 'b?': 'integer' }],
  ['an open object', object({ a: boolean() }, { open: true }), { a: 'boolean', '*': 'any' }],
  ['a map of lists', map(list(string())), { '*': ['string'] }],
  ['a choice', choice({ a: string(), b: integer() }, { c: optional(any()) }), { 'c?': 'any', 'a?': 'string', 'b?': 'integer' }],
  ['a word of a few', oneOf('a', 'b'), 'string'],
  ['a refined value', refine(integer(), () => []), 'integer'],
  ['text or a number', union(string(), integer()), 'int-or-string'],
  ['two kinds of text', union(oneOf('a'), string()), 'string'],
  ['text or a list', union(string(), list(string())), 'any'],
  ['a shape inside itself', tree, { 'leaves?': ['any'] }],
])('%s', (_what, shape, expected) => {
  expect(words(schemaOfShape(shape))).toEqual(expected);
});
