import { isDeepStrictEqual } from 'node:util';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { check } from '../../engine/cel/check/check.ts';
import { environmentTables } from '../../engine/cel/check/environment-tables.ts';
import { validate } from '../../engine/cel/check/validate.ts';
import type { Library } from '../../engine/cel/function.ts';
import type { CelIssue } from '../../engine/cel/issue.ts';
import { kubernetesLibraries } from '../../engine/cel/libraries/kubernetes.ts';
import { parse } from '../../engine/cel/parse/parse.ts';
import type { Activation, Program } from '../../engine/cel/program.ts';
import { createProgram } from '../../engine/cel/run/create-program.ts';
import { formatForMessage } from '../../engine/cel/run/format.ts';
import { typeName } from '../../engine/cel/run/type-of.ts';
import { type CelType, DYN, formatType } from '../../engine/cel/types.ts';
import { CelError, CelMap, type CelValue, Double, Optional, Uint } from '../../engine/cel/values.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { fromSpecType, fromSpecValue, NeedsProtobuf, type SpecType, type SpecValue } from './spec-value.ts';
import { unchecked } from './unchecked.ts';

/** The JSON form of a `cel.expr.conformance.test.SimpleTest`. */
interface SpecTest {
  readonly name: string;
  readonly expr: string;
  readonly container?: string;
  readonly disableMacros?: boolean;
  readonly disableCheck?: boolean;
  readonly checkOnly?: boolean;
  readonly typeEnv?: readonly SpecDeclaration[];
  readonly bindings?: Readonly<Record<string, { readonly value: SpecValue }>>;
  readonly value?: SpecValue;
  readonly evalError?: unknown;
  readonly typedResult?: { readonly result?: SpecValue; readonly deducedType: SpecType };
}

interface SpecDeclaration {
  readonly name: string;
  readonly ident?: { readonly type: SpecType };
  readonly function?: { readonly overloads: readonly SpecOverload[] };
}

interface SpecOverload {
  readonly overloadId: string;
  readonly params?: readonly SpecType[];
  readonly resultType: SpecType;
  readonly isInstanceFunction?: boolean;
}

interface SpecSuite {
  readonly name: string;
  readonly suites?: readonly SpecSuite[];
  readonly tests?: readonly { readonly original: unknown }[];
}

export const suite: Suite = {
  name: 'cel',
  description: "cel-spec's official tests through both back ends, with the libraries that Kubernetes enables",
  async *run(context) {
    for (const { name, test } of flatten(tests as SpecSuite, '')) {
      if (context.signal.aborted) return;
      if (context.wanted(name)) yield judge(name, test);
    }
  },
};

function* flatten(node: SpecSuite, path: string): Generator<{ readonly name: string; readonly test: SpecTest }> {
  const seen = new Map<string, number>();
  for (const { original } of node.tests ?? []) {
    const test = original as SpecTest;
    const count = (seen.get(test.name) ?? 0) + 1;
    seen.set(test.name, count);
    yield { name: `${path}/${test.name}${count > 1 ? `#${count}` : ''}`, test };
  }
  for (const inner of node.suites ?? []) yield* flatten(inner, path === '' ? inner.name : `${path}/${inner.name}`);
}

function judge(name: string, test: SpecTest): CaseResult {
  try {
    const failure = failureOf(test);
    return failure === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: `${test.expr}\n${failure}` };
  } catch (error) {
    if (error instanceof NeedsProtobuf) return { name, outcome: 'failed', reason: `${test.expr}\nneeds protobuf: ${error.message}` };
    throw error;
  }
}

/** What is wrong with our answer, or undefined. */
function failureOf(test: SpecTest): string | undefined {
  const compiled = compile(test);
  if (!compiled.ok) {
    // Expressions run checked here, so that some errors are found before the evaluation which the test expects to fail.
    return test.evalError ? undefined : `expected an answer\nfound    ${compiled.issues.map((issue) => issue.message).join('; ')}`;
  }
  const wrongType = test.typedResult && typeMismatch(compiled.type, fromSpecType(test.typedResult.deducedType));
  if (wrongType !== undefined || test.checkOnly) return wrongType;
  const activation: Record<string, CelValue> = Object.create(null);
  for (const [name, { value }] of Object.entries(test.bindings ?? {})) activation[name] = fromSpecValue(value);
  const expected = test.evalError ? undefined : fromSpecValue(test.typedResult?.result ?? test.value ?? { boolValue: true });
  for (const [backEnd, run] of Object.entries(backEnds(compiled.program))) {
    const found = run(activation);
    const isRight = found instanceof CelError ? expected === undefined : expected !== undefined && identical(found, expected);
    if (!isRight) return `expected ${expected === undefined ? 'an error' : show(expected)}\nfound    ${show(found)} (${backEnd})`;
  }
  return undefined;
}

type Compiled =
  | { readonly ok: true; readonly program: Program; readonly type: CelType }
  | { readonly ok: false; readonly issues: readonly CelIssue[] };

function compile(test: SpecTest): Compiled {
  const variables = (test.typeEnv ?? []).flatMap((declaration) =>
    declaration.ident ? [[declaration.name, fromSpecType(declaration.ident.type)] as const] : [],
  );
  const tables = environmentTables(
    {
      variables: Object.fromEntries(variables),
      ...(test.container === undefined ? {} : { container: test.container }),
      homogeneousLiterals: false,
      literalValidators: false,
    },
    undefined,
    [...kubernetesLibraries(), declaredFunctions(test)],
  );
  const parsed = parse(test.expr, { macros: test.disableMacros ? [] : tables.macros });
  if (!parsed.ok) return parsed;
  const checked = check(parsed.ast, tables);
  if (!checked.ok && test.disableCheck) {
    return { ok: true, program: createProgram(unchecked(parsed.ast, tables)), type: DYN };
  }
  if (!checked.ok) return checked;
  const issues = validate(checked.ast, tables);
  if (issues.length > 0) return { ok: false, issues };
  return { ok: true, program: createProgram(checked.ast, { backEnd: 'code' }), type: checked.ast.resultType };
}

/** Functions that a test declares; they exist for the checker only. */
function declaredFunctions(test: SpecTest): Library {
  const functions = (test.typeEnv ?? []).flatMap((declaration) => {
    if (!declaration.function) return [];
    const overloads = declaration.function.overloads.map((overload) => ({
      id: overload.overloadId,
      member: overload.isInstanceFunction ?? false,
      args: (overload.params ?? []).map(fromSpecType),
      result: fromSpecType(overload.resultType),
      call: () => {
        throw new CelError(`no such overload: ${declaration.name}`);
      },
    }));
    return [{ name: declaration.name, overloads }];
  });
  return { name: 'declared', functions };
}

function typeMismatch(found: CelType, expected: CelType): string | undefined {
  return formatType(found) === formatType(expected)
    ? undefined
    : `expected type ${formatType(expected)}\nfound    type ${formatType(found)}`;
}

function backEnds(program: Program): Readonly<Record<string, (activation: Activation) => CelValue | CelError>> {
  return {
    closures: (activation) => {
      const { outcome } = program.trace(activation);
      return outcome.ok ? outcome.value : outcome.error;
    },
    code: (activation) => {
      try {
        return program.run(activation, { remaining: 1_000_000 });
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        // Code that leaves the work to the closures is right by definition.
        const { outcome } = program.trace(activation);
        return error.code === 'budget' && outcome.ok ? outcome.value : error;
      }
    },
  };
}

/** Equality of value and type, which CEL's own is not: there 1 equals 1.0, and NaN nothing. */
function identical(found: CelValue, expected: CelValue): boolean {
  return isDeepStrictEqual(comparable(found), comparable(expected));
}

function comparable(value: CelValue): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return [typeName(value), String(value)];
  if (value instanceof Double || value instanceof Uint) return [typeName(value), String(value.value)];
  if (value instanceof CelMap) return new Map([...value.entries].map(([identity, [, item]]) => [identity, comparable(item)]));
  if (value instanceof Uint8Array) return Array.from(value);
  if (value instanceof Optional) return ['optional', value.present, comparable(value.value)];
  if (typeName(value) === 'map') return new Map(Object.entries(value).map(([key, item]) => [`s${key}`, comparable(item as CelValue)]));
  return value;
}

const show = (value: CelValue | CelError): string =>
  value instanceof CelError ? `error: ${value.message}` : `${formatForMessage(value)} (${typeName(value)})`;
