import { celEnv, parse as parseWithBufbuild, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { DYN } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import { createProgram } from './create-program.ts';
import { expression, jsonObject } from './testdata/random-cel.ts';
import { tagged } from './testdata/tagged.ts';

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
        // To it a key whose value is null is not there; by the specification of CEL it is.
        fc.pre(!(text.includes('has(') && JSON.stringify(activation).includes(':null')));
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
