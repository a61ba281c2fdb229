import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import type { Program } from '../program.ts';
import { DYN } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import { createProgram } from './create-program.ts';
import { ordered, tagged } from './testdata/tagged.ts';

/** What the API server's own code (1.37.2) answers, and charges: recorded with `conformance/tools/cel`. */
const recorded = JSON.parse(readFileSync(new URL('./testdata/kubernetes-answers.json', import.meta.url), 'utf8')) as {
  readonly variables: Readonly<Record<string, CelValue>>;
  readonly cases: readonly { readonly expression: string; readonly value?: unknown; readonly error?: string; readonly cost: number }[];
};

const environment = createEnvironment({ variables: { object: DYN, oldObject: DYN, d: DYN } });
const LIMIT = 1_000_000;

function compile(expression: string): Program {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map((issue) => issue.message).join('\n'));
  return compiled.program;
}

describe('closures answer and charge what the API server does', () => {
  test.each(recorded.cases)('$expression', ({ expression, value, error, cost }) => {
    const trace = compile(expression).trace(recorded.variables);
    if (error !== undefined) expect(trace.outcome).toMatchObject({ ok: false, error: { message: error } });
    else expect(trace.outcome.ok ? ordered(tagged(trace.outcome.value)) : trace.outcome).toEqual(ordered(value));
    expect(trace.cost).toBe(cost);
  });
});

describe.each([
  ['fields of JSON read in place', new Set(['object', 'oldObject'])],
  ['nothing known of the variables', new Set<string>()],
])('generated code, %s, answers the same and charges no less', (_, jsonVariables) => {
  test.each(recorded.cases)('$expression', ({ expression, value, error, cost }) => {
    const { run } = createProgram(compile(expression).ast, { backEnd: 'code', jsonVariables });
    const meter = { remaining: LIMIT };
    let found: CelValue;
    try {
      found = run(recorded.variables, meter);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(CelError);
      // It may leave an answer to the closures, but only to them: the meter is as it was.
      expect(error !== undefined || (thrown as CelError).code === 'budget').toBe(true);
      expect(meter.remaining).toBe(LIMIT);
      return;
    }
    expect(error).toBeUndefined();
    expect(ordered(tagged(found))).toEqual(ordered(value));
    expect(LIMIT - meter.remaining).toBeGreaterThanOrEqual(cost);
  });
});
