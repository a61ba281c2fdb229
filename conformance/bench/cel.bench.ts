import { celEnv, parse as parseWithBufbuild, plan } from '@bufbuild/cel';
import { createEnvironment } from '../../engine/cel/create-environment.ts';
import type { Program } from '../../engine/cel/program.ts';
import { createProgram } from '../../engine/cel/run/create-program.ts';
import { DYN } from '../../engine/cel/types.ts';
import type { CelValue } from '../../engine/cel/values.ts';
import { SuiteUnavailable } from '../suite.ts';
import type { Bench, BenchContext, BenchRow } from './bench.ts';
import { POLICY_EXPRESSIONS, type PolicyExpression } from './cel-expressions.ts';
import { celGoTimes } from './cel-go.ts';
import { type JsonObject, podsOfManyShapes } from './cel-pods.ts';
import { compare, percentile, relativeSpread } from './measure.ts';

const PODS = 64;
const RULES = 200;
/** Every one of the rules has to be compiled by the optimiser before what a server does all day is measured. */
const WARM_UP = 12_000;

const environment = createEnvironment({ variables: { object: DYN, oldObject: DYN } });

function compile(expression: string): Program {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map((issue) => issue.message).join('; '));
  return compiled.program;
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export const bench: Bench = {
  name: 'cel',
  description: `nine policy expressions over ${PODS} pods of different shapes: generated code, closures, by hand, @bufbuild/cel, cel-go`,
  async *run(context) {
    const pods = podsOfManyShapes(PODS);
    const activations = pods.map((object) => ({ object: object as CelValue }));
    const prepared = POLICY_EXPRESSIONS.map((each) => prepare(each, pods, activations));

    // First, while the process has done nothing else: that is how a server knows its rules.
    yield manyRules(activations);
    yield* generatedAgainstHand(prepared, pods);
    yield* closuresAgainstGenerated(prepared);
    yield* generatedAgainstBufbuild(prepared, pods);
    yield* generatedAgainstCelGo(prepared, pods, context);
    yield compileTime();
  },
};

interface Prepared extends PolicyExpression {
  readonly code: (iteration: number) => unknown;
  readonly closures: (iteration: number) => unknown;
}

/** Makes both back ends, and makes sure that all sides say the same of every pod. */
function prepare(each: PolicyExpression, pods: readonly JsonObject[], activations: readonly { readonly object: CelValue }[]): Prepared {
  const program = compile(each.expression);
  const slow = createProgram(program.ast, { backEnd: 'closures' });
  const meter = { remaining: 0 };
  const runner = (run: Program['run']) => (iteration: number) => {
    meter.remaining = 1_000_000;
    return run(activations[iteration % PODS]!, meter);
  };
  const result = { ...each, code: runner(program.run), closures: runner(slow.run) };
  for (const [i, pod] of pods.entries()) {
    const expected = each.byHand(pod);
    if (result.code(i) !== expected || result.closures(i) !== expected) throw new Error(`${each.name}: the sides disagree on pod ${i}`);
  }
  return result;
}

/** The ceiling: one row per expression, and their geometric mean. */
function* generatedAgainstHand(prepared: readonly Prepared[], pods: readonly JsonObject[]): Generator<BenchRow> {
  const rows = prepared.map((each) => {
    const hand = (iteration: number): unknown => each.byHand(pods[iteration % PODS]!);
    return { each, measured: compare(each.code, hand, { rounds: 11, milliseconds: 15 }) };
  });
  for (const { each, measured } of rows) {
    yield {
      name: `generated: ${each.name}`,
      unit: 'ns',
      ours: measured.ours,
      reference: { name: 'by hand', value: measured.reference },
      spread: measured.spread,
      better: 'lower',
    };
  }
  yield {
    name: 'generated: geometric mean of nine',
    unit: 'ns',
    ours: geometricMean(rows.map(({ measured }) => measured.ours)),
    reference: { name: 'by hand', value: geometricMean(rows.map(({ measured }) => measured.reference)) },
    spread: percentile(
      rows.map(({ measured }) => measured.spread),
      0.5,
    ),
    better: 'lower',
    goal: 'at most 2 times the hand-written function',
  };
}

function* closuresAgainstGenerated(prepared: readonly Prepared[]): Generator<BenchRow> {
  const measured = prepared.map((each) => compare(each.closures, each.code, { rounds: 7, milliseconds: 10 }));
  yield {
    name: 'closures with exact cost: geometric mean of nine',
    unit: 'ns',
    ours: geometricMean(measured.map(({ ours }) => ours)),
    reference: { name: 'generated', value: geometricMean(measured.map(({ reference }) => reference)) },
    spread: percentile(
      measured.map(({ spread }) => spread),
      0.5,
    ),
    better: 'lower',
  };
}

function* generatedAgainstBufbuild(prepared: readonly Prepared[], pods: readonly JsonObject[]): Generator<BenchRow> {
  const env = celEnv();
  const measured = prepared.map((each) => {
    const evaluate = plan(env, parseWithBufbuild(each.expression));
    const bindings = pods.map((object) => ({ object: withIntegers(object) }) as unknown as Parameters<typeof evaluate>[0]);
    return compare(each.code, (iteration) => evaluate(bindings[iteration % PODS]), { rounds: 5, milliseconds: 10 });
  });
  yield {
    name: 'generated: geometric mean of nine',
    unit: 'ns',
    ours: geometricMean(measured.map(({ ours }) => ours)),
    reference: { name: '@bufbuild/cel', value: geometricMean(measured.map(({ reference }) => reference)) },
    spread: percentile(
      measured.map(({ spread }) => spread),
      0.5,
    ),
    better: 'lower',
  };
}

/** The peer's ints are BigInts; the conversion is not part of what is measured. */
function withIntegers(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}

async function* generatedAgainstCelGo(
  prepared: readonly Prepared[],
  pods: readonly JsonObject[],
  context: BenchContext,
): AsyncGenerator<BenchRow> {
  let times: readonly number[];
  try {
    times = await celGoTimes(
      prepared.map((each) => each.expression),
      pods,
      context,
    );
  } catch (error) {
    if (!(error instanceof SuiteUnavailable)) throw error;
    context.log(`cel-go is left out: ${error.message}`);
    return;
  }
  const ours = prepared.map((each) => compare(each.code, each.code, { rounds: 5, milliseconds: 10 }).ours);
  yield {
    name: 'generated: geometric mean of nine',
    unit: 'ns',
    ours: geometricMean(ours),
    reference: { name: 'cel-go, as the API server runs it', value: geometricMean(times) },
    better: 'lower',
    note: 'cel-go measures the exact cost as it goes; ours an upper bound',
  };
}

/** Two hundred different rules on one pod: what an admission request costs in expressions. */
function manyRules(activations: readonly { readonly object: CelValue }[]): BenchRow {
  const programs = Array.from({ length: RULES }, (_, i) => {
    const { expression } = POLICY_EXPRESSIONS[i % POLICY_EXPRESSIONS.length]!;
    // A constant of its own makes each rule another function.
    return compile(`${expression} || object.metadata.namespace == 'none-${i}'`);
  });
  const meter = { remaining: 0 };
  const runAll = (activation: { readonly object: CelValue }): void => {
    for (const program of programs) {
      meter.remaining = 1_000_000;
      program.run(activation, meter);
    }
  };
  for (let i = 0; i < WARM_UP; i++) runAll(activations[i % PODS]!);
  const times: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const activation = activations[i % PODS]!;
    const started = process.hrtime.bigint();
    runAll(activation);
    times.push(Number(process.hrtime.bigint() - started) / 1_000);
  }
  return {
    name: `${RULES} rules on one pod, median`,
    unit: 'µs',
    ours: percentile(times, 0.5),
    spread: relativeSpread(times),
    better: 'lower',
    goal: 'at most 25 µs',
    note: `99th percentile ${percentile(times, 0.99).toFixed(0)} µs`,
  };
}

/** Parse, check, estimate, plan and generate one expression. */
function compileTime(): BenchRow {
  const measured = compare(
    (iteration) => compile(POLICY_EXPRESSIONS[iteration % POLICY_EXPRESSIONS.length]!.expression),
    (iteration) => environment.parse(POLICY_EXPRESSIONS[iteration % POLICY_EXPRESSIONS.length]!.expression),
    { rounds: 7, milliseconds: 20 },
  );
  return {
    name: 'compile one expression',
    unit: 'µs',
    ours: measured.ours / 1_000,
    reference: { name: 'parse alone', value: measured.reference / 1_000 },
    spread: measured.spread,
    better: 'lower',
  };
}
