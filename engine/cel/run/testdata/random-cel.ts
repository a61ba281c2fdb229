import fc from 'fast-check';
import type { CelValue } from '../../values.ts';

/** Few names, so that random expressions meet random objects; some of them are dangerous ones. */
const NAMES = ['a', 'b', 'name', 'spec', 'length', 'constructor', '__proto__'];
const TEXTS = ['', 'a', 'b', 'web', 'a:latest', 'é😀'];

const scalar = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.integer({ min: -3, max: 5 }),
  fc.constantFrom(1.5, -0.5, 9007199254740991),
  fc.boolean(),
  fc.constant(null),
);

const json = fc.letrec<{ value: CelValue; object: CelValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'json' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ) as fc.Arbitrary<CelValue>,
  object: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie('value')), { maxLength: 4, selector: ([name]) => name })
    // Entries as JSON.parse makes them: `__proto__` is an own property.
    .map(
      (entries) => JSON.parse(`{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`) as CelValue,
    ),
}));

const quoted = (text: string): string => JSON.stringify(text);

/** JSON objects as a request has them. */
export const jsonObject: fc.Arbitrary<CelValue> = json.object;

/** Random CEL, mostly well typed by construction of what surrounds `dyn`. Variables are `object`, `d` and `x`. */
const cel = fc.letrec<Record<'any' | 'bool' | 'path', string>>((tie) => ({
  path: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'path' },
    fc.constantFrom('object', 'd', 'x'),
    fc.tuple(tie('path'), fc.constantFrom('a', 'b', 'name', 'spec', 'length', 'constructor')).map(([path, name]) => `${path}.${name}`),
    fc.tuple(tie('path'), fc.constantFrom(...NAMES)).map(([path, name]) => `${path}[${quoted(name)}]`),
    fc.tuple(tie('path'), fc.integer({ min: 0, max: 2 })).map(([path, index]) => `${path}[${index}]`),
    fc.tuple(tie('path'), tie('path')).map(([path, key]) => `${path}[${key}]`),
    fc.tuple(tie('path'), fc.constantFrom('a', 'b', 'name')).map(([path, name]) => `dyn(${path}.?${name}.orValue(dyn([])))`),
  ),
  bool: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'expression' },
    fc.constantFrom('true', 'false'),
    fc.tuple(tie('path'), fc.constantFrom('a', 'name', 'length', 'constructor')).map(([path, name]) => `has(${path}.${name})`),
    fc
      .tuple(tie('any'), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), tie('any'))
      .map(([a, operator, b]) => `dyn(${a}) ${operator} dyn(${b})`),
    fc.tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    tie('bool').map((a) => `!(${a})`),
    fc
      .tuple(tie('path'), fc.constantFrom('all', 'exists', 'exists_one'), tie('bool'))
      .map(([path, macro, body]) => `${path}.${macro}(x, ${body})`),
    fc.tuple(tie('path'), fc.constantFrom('all', 'exists'), tie('bool')).map(([path, macro, body]) => `${path}.${macro}(k, x, ${body})`),
    fc.tuple(tie('any'), fc.constantFrom("['a', 'web']", '[1, 2]', 'd', 'object.spec')).map(([a, list]) => `dyn(${a}) in ${list}`),
    fc
      .tuple(tie('path'), fc.constantFrom('startsWith', 'endsWith', 'contains', 'matches'), fc.constantFrom('a', 'web', 'latest'))
      .map(([path, fn, text]) => `${path}.${fn}(${quoted(text)})`),
    fc.tuple(tie('path'), tie('path')).map(([a, b]) => `${a}.contains(${b})`),
    tie('path').map((path) => `${path}.?name.hasValue()`),
  ),
  any: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'expression' },
    tie('path'),
    tie('bool'),
    fc.constantFrom(...TEXTS).map(quoted),
    fc.integer({ min: -2, max: 4 }).map(String),
    fc.constantFrom('null', '1.5', '9223372036854775807'),
    fc
      .tuple(tie('any'), fc.constantFrom('+', '-', '*', '/', '%'), tie('any'))
      .map(([a, operator, b]) => `(dyn(${a}) ${operator} dyn(${b}))`),
    fc.tuple(tie('bool'), tie('any'), tie('any')).map(([test, a, b]) => `(${test} ? dyn(${a}) : dyn(${b}))`),
    tie('path').map((path) => `size(${path})`),
    fc.tuple(tie('path'), tie('any')).map(([path, body]) => `${path}.map(x, ${body})`),
    fc.tuple(tie('path'), tie('bool')).map(([path, body]) => `${path}.filter(x, ${body})`),
    fc.tuple(tie('path'), tie('any')).map(([path, body]) => `${path}.transformMap(k, x, ${body})`),
    fc.tuple(tie('path'), tie('any')).map(([path, body]) => `${path}.?name.optMap(x, ${body})`),
    fc.array(tie('any'), { maxLength: 3 }).map((elements) => `[${elements.map((element) => `dyn(${element})`).join(', ')}]`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `{'a': dyn(${a}), 'b': dyn(${b})}`),
    tie('any').map((a) => `string(dyn(${a}))`),
  ),
}));


export const expression: fc.Arbitrary<string> = cel.any;
