import { celEnv, parse as parseWithBufbuild, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { DYN } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import { createProgram } from './create-program.ts';
import { tagged } from './testdata/tagged.ts';

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

const { object: jsonObject } = fc.letrec<{ value: CelValue; object: CelValue }>((tie) => ({
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

/** Random CEL, mostly well typed by construction of what surrounds `dyn`. */
const { any: expression } = fc.letrec<Record<'any' | 'bool' | 'path', string>>((tie) => ({
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

const environment = createEnvironment({ variables: { object: DYN, d: DYN, x: DYN }, homogeneousLiterals: false, literalValidators: false });
const LIMIT = 1_000_000;

function programs(text: string) {
  const compiled = environment.compile(text);
  if (!compiled.ok) return undefined;
  const { ast } = compiled.program;
  return {
    trace: compiled.program.trace,
    code: [new Set(['object', 'd', 'x']), new Set<string>()].map(
      (jsonVariables) => createProgram(ast, { backEnd: 'code', jsonVariables }).run,
    ),
  };
}

const activations = fc.record({ object: jsonObject, d: jsonObject, x: jsonObject }, { requiredKeys: ['object', 'd'] });

describe('random expressions over random objects', () => {
  test('both back ends give one answer, and generated code never charges less', () => {
    fc.assert(
      fc.property(expression, fc.array(activations, { minLength: 1, maxLength: 4 }), (text, inputs) => {
        const made = programs(text);
        fc.pre(made !== undefined);
        for (const activation of inputs) {
          const { outcome, cost } = made!.trace(activation);
          for (const run of made!.code) {
            const meter = { remaining: LIMIT };
            let found: CelValue;
            try {
              found = run(activation, meter);
            } catch (error) {
              if (!(error instanceof CelError)) throw error;
              expect(meter.remaining).toBe(LIMIT);
              if (error.code !== 'budget') expect(outcome.ok).toBe(false);
              continue;
            }
            expect(outcome.ok ? tagged(outcome.value) : outcome.error.message).toEqual(tagged(found));
            expect(LIMIT - meter.remaining).toBeGreaterThanOrEqual(cost);
          }
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('a limit of exactly the cost is enough, one less is not', () => {
    fc.assert(
      fc.property(expression, activations, (text, activation) => {
        const made = programs(text);
        fc.pre(made !== undefined);
        const { outcome, cost } = made!.trace(activation);
        const enough = made!.trace(activation, { limit: cost });
        expect(enough.cost).toBe(cost);
        expect(enough.outcome.ok).toBe(outcome.ok);
        if (cost > 0) {
          const { outcome: stopped } = made!.trace(activation, { limit: cost - 1 });
          expect(stopped).toMatchObject({
            ok: false,
            error: { code: 'budget', message: 'operation cancelled: actual cost limit exceeded' },
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('@bufbuild/cel agrees', () => {
  const env = celEnv();
  // Its domain: no optionals and no macros of two variables; it has no bigints beside ints, and its errors have other words.
  const comparable = expression.filter((text) => !/\.\?|transformMap|\(k, x|constructor|__proto__|string\(|size\(/.test(text));

  test('on answers', () => {
    fc.assert(
      fc.property(comparable, activations, (text, activation) => {
        const made = programs(text);
        fc.pre(made !== undefined);
        const { outcome } = made!.trace(activation);
        fc.pre(outcome.ok);
        const theirs = plan(env, parseWithBufbuild(text))(withIntegers(activation) as never);
        // Where they err and we do not, only the cases are of interest that we both call values.
        if (typeof theirs === 'boolean' || typeof theirs === 'string') expect(outcome.ok && outcome.value).toBe(theirs);
      }),
      { numRuns: 300 },
    );
  });
});

/** The peer tells ints from doubles by BigInt. */
function withIntegers(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}
