import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import type { Library } from '../function.ts';
import { kubernetesLibraries } from '../libraries/kubernetes.ts';
import { DYN } from '../types.ts';
import { CelError, LazyStruct } from '../values.ts';
import { generate, MAX_GENERATED_NODES } from './codegen/generate.ts';
import { createProgram } from './create-program.ts';

function compile(expression: string, libraries?: readonly Library[]) {
  const environment = createEnvironment({ variables: { object: DYN, d: DYN, variables: DYN }, ...(libraries ? { libraries } : {}) });
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map((issue) => issue.message).join('\n'));
  return compiled.program;
}

/** A macro that nobody knows: `list.total(x, e)` adds up, from one. */
const FOLDING: Library = {
  name: 'folding',
  functions: [],
  macros: [
    {
      name: 'total',
      member: true,
      argCount: 2,
      expand: (context, target, [variable, term]) =>
        variable?.kind !== 'ident'
          ? undefined
          : context.comprehension({
              iterRange: target!,
              iterVar: variable.name,
              accuVar: '@total',
              accuInit: context.literal(1),
              loopCondition: context.call('_<_', context.ident('@total'), context.literal(100)),
              loopStep: context.call('_+_', context.ident('@total'), term!),
              result: context.call('_*_', context.ident('@total'), context.literal(2)),
            }),
    },
  ],
};

test('a comprehension of an unknown shape runs as the fold it is', () => {
  const program = compile('d.total(x, x) == 14 && [50, 60, 70].total(x, x) == 222', [...kubernetesLibraries(), FOLDING]);
  expect(createProgram(program.ast).run({ d: [1, 2, 3] }, { remaining: 1000 })).toBe(true);
  expect(program.trace({ d: [1, 2, 3] }).outcome).toEqual({ ok: true, value: true });
});

test('both ways of running share one property, and programs one shape', () => {
  const program = compile('d.all(x, x > 0)');
  const { run } = program;
  expect(run({ d: [1] }, { remaining: 100 })).toBe(true);
  expect(program.run).not.toBe(run);
  expect(run({ d: [0] }, { remaining: 100 })).toBe(false);
  expect(program.run({ d: [0] }, { remaining: 100 })).toBe(false);
});

test('an error that is certain beforehand is told beforehand', () => {
  const ast = compile("'a'.matches(d) || d == '('").ast;
  expect(createProgram(ast).refused).toBeUndefined();
  const environment = createEnvironment({ variables: { d: DYN }, literalValidators: false });
  for (const [expression, message] of [
    ["int('x')", "type conversion error from 'string' to 'int'"],
    ['d[null]', 'invalid qualifier type: types.Null'],
    ["d.matches('a(')", 'error parsing regexp: missing closing ): `a(`'],
    ["d.find('a(')", 'error parsing regexp: missing closing ): `a(`'],
  ] as const) {
    const parsed = environment.compile(expression);
    if (parsed.ok) expect([expression, parsed.program.refused?.message]).toEqual([expression, message]);
    else expect([expression, parsed.issues[0]!.message]).toEqual([expression, expect.stringContaining(message)]);
  }
});

test('variables that are computed on demand are asked once per read, and their errors can be absorbed', () => {
  class Variables extends LazyStruct {
    readonly typeName = 'kubernetes.variables';
    readonly asked: string[] = [];
    override get(field: string) {
      this.asked.push(field);
      if (field === 'bad') throw new CelError('composited variable "bad" fails to evaluate');
      return field.length;
    }
    override has(field: string) {
      return field !== 'missing';
    }
  }
  const variables = new Variables();
  const { run } = compile('variables.bad == 1 || variables.four == 4 && has(variables.x) && !has(variables.missing)');
  expect(run({ variables }, { remaining: 1000 })).toBe(true);
  expect(variables.asked).toEqual(['bad', 'four']);
});

test('where code may not be generated, closures run', () => {
  const script = `
    import { createEnvironment } from './engine/cel/create-environment.ts';
    import { DYN } from './engine/cel/types.ts';
    const compiled = createEnvironment({ variables: { object: DYN } }).compile("object.list.all(x, x > 0) && object.name.matches('^a+$')");
    const meter = { remaining: 1000 };
    console.log(compiled.program.run({ object: { list: [1, 2], name: 'aa' } }, meter), 1000 - meter.remaining);
  `;
  const args = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '--eval', script];
  const root = new URL('../../..', import.meta.url);
  const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  const { cost } = compile("object.list.all(x, x > 0) && object.name.matches('^a+$')").trace({ object: { list: [1, 2], name: 'aa' } });
  expect(output.trim()).toBe(`true ${cost}`);
});

describe('a large expression', () => {
  const conjunction = (terms: number) => compile(Array.from({ length: terms }, () => 'd.a == 1').join(' && '));

  test('has no code, and runs as closures', () => {
    const { ast, run } = conjunction(8_000);
    expect(ast.nodeCount).toBeGreaterThan(MAX_GENERATED_NODES);
    expect(() => generate(ast, { constants: new Map(), jsonVariables: new Set() })).toThrow('too large');
    expect(run({ d: { a: 1 } }, { remaining: 1_000_000 })).toBe(true);
    expect(run({ d: { a: 2 } }, { remaining: 1_000_000 })).toBe(false);
  });

  test('has code in proportion to its size, up to where it has none', () => {
    const size = (terms: number) => {
      const { ast } = conjunction(terms);
      expect(ast.nodeCount).toBeLessThanOrEqual(MAX_GENERATED_NODES);
      return generate(ast, { constants: new Map(), jsonVariables: new Set(['d']) }).source.length;
    };
    expect(size(800) / size(100)).toBeLessThan(10);
  });
});
