import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../cel/create-environment.ts';
import { DYN } from '../../cel/types.ts';
import { double } from '../../cel/values.ts';
import { binding, decide, podRequest, programOf, validatingPolicy } from './decide.fixture.ts';
import { givesJson, isJsonAtTop } from './json-values.ts';

const environment = createEnvironment({ variables: { object: DYN, other: DYN } });

function json(text: string): boolean {
  const compiled = environment.compile(text);
  if (!compiled.ok) throw new Error(compiled.issues[0]!.message);
  return givesJson(compiled.program.ast, new Set(['object']));
}

describe('what gives JSON', () => {
  test.each([
    'object.spec.containers',
    "object.spec['containers'][0]",
    'object.spec.containers + object.spec.?initContainers.orValue([])',
    'object.spec.containers.filter(c, c.image == "x")',
    'object.spec.containers.map(c, c.resources)',
    'object.spec.containers.map(c, c.image == "x", c.resources)',
    'object.a ? object.b : object.c',
    "object.metadata.?labels[?'app'].orValue('none')",
    'other.x.split(",")',
    'size(other)',
    '[object.a, object.b]',
    'dyn(object.x)',
    "object.a == 'x'",
  ])('%s', (text) => expect(json(text)).toBe(true));

  test.each([
    'other',
    'object.a + other.b',
    '[1.5 + 0.5]',
    'object.spec.containers.map(c, timestamp(c.t))',
    'object.spec.?containers',
    'quantity(object.x)',
    '[other.a, object.b]',
    'object.spec.containers.map(object, other)',
    '{object.a: 1}',
    'double(object.x)',
    '[?object.?a]',
  ])('not %s', (text) => expect(json(text)).toBe(false));
});

test.each([
  [1, true],
  ['x', true],
  [null, true],
  [{}, true],
  [[double(1)], true],
  [double(1), false],
])('%j at the top: %s', (value, expected) => expect(isJsonAtTop(value)).toBe(expected));

test.each([
  [1.5, 0.5, 'no such key: value'],
  [1, 1, 'no such key: value'],
  [{ value: 1 }, undefined, undefined],
])('a sum of %j and %j', (a, b, error) => {
  const sum = b === undefined ? 'object.a' : 'object.a + object.b';
  const policy = validatingPolicy(`variables: [{name: v, expression: "${sum}"}]\nvalidations: [{expression: "variables.v.value == 1"}]`);
  const { status } = decide(programOf(policy + binding()), podRequest({ a, ...(b === undefined ? {} : { b }) }));
  if (error === undefined) expect(status).toBeUndefined();
  else expect(status?.message).toContain(error);
});

test('verdicts do not depend on where a value is written: in a variable or in place', () => {
  const leaf = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, 1.5, 'x', 'y', true, null));
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('node'), { maxKeys: 2 }),
    ),
  })).node;
  const sources = [
    'object.a',
    'object.a + object.b',
    'object.a.map(x, x.a)',
    'object.a.filter(x, x != object.b)',
    'object.?a.orValue([])',
    '[object.a, object.b]',
    'object.a == 1 ? object.a : object.b',
  ];
  const uses = [
    'V.a == object.b',
    'V == object.a',
    'V.size() > 1',
    'V.exists(x, x == 1)',
    'has(V.a)',
    'V[0] == V[1]',
    'V > 1',
    'V + V == V',
  ];
  const programs = sources.flatMap((source) =>
    uses.map(
      (use) =>
        [
          programOf(
            validatingPolicy(
              `variables: [{name: v, expression: "dyn(${source})"}]\nvalidations: [{expression: "${use.replaceAll('V', 'variables.v')}", message: m}]`,
            ) + binding(),
          ),
          programOf(validatingPolicy(`validations: [{expression: "${use.replaceAll('V', `dyn(${source})`)}", message: m}]`) + binding()),
        ] as const,
    ),
  );
  fc.assert(
    fc.property(value, value, (a, b) => {
      for (const [withVariable, inPlace] of programs) {
        const request = podRequest({ a: a as never, b: b as never });
        const [left, right] = [withVariable, inPlace].map(
          (program) => decide(program!, request).status?.message.includes(': m') ?? 'allowed',
        );
        expect(left).toBe(right);
      }
    }),
    { numRuns: 30 },
  );
});
