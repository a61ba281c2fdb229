import { tests as checking } from '@bufbuild/cel-spec/testdata/checking.js';
import { tests as comprehensions } from '@bufbuild/cel-spec/testdata/comprehension.js';
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { tests as parsing } from '@bufbuild/cel-spec/testdata/parsing.js';
import { check } from '../../engine/cel/check/check.ts';
import { type EnvironmentTables, environmentTables } from '../../engine/cel/check/environment-tables.ts';
import { formatIssues } from '../../engine/cel/issue.ts';
import { kubernetesLibraries } from '../../engine/cel/libraries/kubernetes.ts';
import { parse } from '../../engine/cel/parse/parse.ts';
import { STANDARD_MACROS } from '../../engine/cel/parse/standard-macros.ts';
import type { CelType } from '../../engine/cel/types.ts';
import { fromSpecType, NeedsProtobuf, type SpecType } from '../cel/spec-value.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { debugString, KIND_ADORNMENT, semanticAdornment } from './debug-string.ts';

/** A test of cel-go's or cel-spec's, with the trees that cel-go makes of its expression. */
interface TreeTest {
  readonly original: {
    readonly expr: string;
    readonly name?: string;
    readonly container?: string;
    readonly disableMacros?: boolean;
    readonly typeEnv?: readonly { readonly name: string; readonly ident?: { readonly type: SpecType } }[];
  };
  readonly ast?: string;
  readonly checkedAst?: string;
}

interface TreeSuite {
  readonly name: string;
  readonly suites?: readonly TreeSuite[];
  readonly tests?: readonly TreeTest[];
}

export const suite: Suite = {
  name: 'cel-trees',
  description: "the trees that cel-go's parser and checker make of its own tests' expressions and of cel-spec's",
  async *run(context) {
    const names = new Map<string, number>();
    for (const part of [parsing, checking, comprehensions, conformance] as unknown as readonly TreeSuite[]) {
      for (const { path, test } of flatten(part, part.name)) {
        if (context.signal.aborted) return;
        const base = `${path}/${test.original.name ?? JSON.stringify(test.original.expr)}`;
        const count = (names.get(base) ?? 0) + 1;
        names.set(base, count);
        const name = count > 1 ? `${base}#${count}` : base;
        if (test.ast !== undefined && context.wanted(`${name} parsed`)) yield judgeParsed(`${name} parsed`, test);
        if (test.checkedAst !== undefined && context.wanted(`${name} checked`)) yield judgeChecked(`${name} checked`, test);
      }
    }
  },
};

function* flatten(node: TreeSuite, path: string): Generator<{ readonly path: string; readonly test: TreeTest }> {
  for (const test of node.tests ?? []) yield { path, test };
  for (const inner of node.suites ?? []) yield* flatten(inner, `${path}/${inner.name}`);
}

/** The macros of cel-go's parser on its own, which are those of its environments and one alias. */
const PARSER_MACROS = [
  ...STANDARD_MACROS,
  ...STANDARD_MACROS.filter((macro) => macro.name === 'exists_one').map((macro) => ({ ...macro, name: 'existsOne' })),
];

function judgeParsed(name: string, test: TreeTest): CaseResult {
  const parsed = parse(test.original.expr, { macros: test.original.disableMacros ? [] : PARSER_MACROS });
  if (!parsed.ok) return failed(name, test, test.ast!, formatIssues(test.original.expr, parsed.issues));
  return compare(name, test, test.ast!, debugString(parsed.ast.root, KIND_ADORNMENT));
}

/** Types that only protobuf has, in a tree or in a declaration. */
const PROTOBUF = /google\.expr\.|cel\.expr\.|google\.protobuf\.(?!Timestamp\b|Duration\b)|wrapper\(|~any\b|"wellKnown":"ANY"|"wrapper"/;
/** Functions of libraries that Kubernetes does not enable, and names that cel-go's tests declare outside of the data. */
const FOREIGN = /\b(?:cel|math|base64|proto|net)\.@?\w+\(|#unused,[\s\S]*\[\]~list\(dyn\)|\^(?:i[a-z]|f[gi]_\w+)$/m;

function judgeChecked(name: string, test: TreeTest): CaseResult {
  const variables: Record<string, CelType> = {};
  if (PROTOBUF.test(test.checkedAst! + JSON.stringify(test.original.typeEnv ?? [])))
    return { name, outcome: 'skipped', reason: 'needs protobuf messages' };
  if (FOREIGN.test(test.checkedAst!)) return { name, outcome: 'skipped', reason: 'needs a library that Kubernetes does not enable' };
  try {
    for (const { name: variable, ident } of test.original.typeEnv ?? []) {
      if (!ident) return { name, outcome: 'skipped', reason: 'declares functions of its own' };
      variables[variable] = fromSpecType(ident.type);
    }
  } catch (error) {
    if (error instanceof NeedsProtobuf) return { name, outcome: 'skipped', reason: `needs protobuf: ${error.message}` };
    throw error;
  }
  const tables = tablesOf(test, variables);
  const parsed = parse(test.original.expr, { macros: test.original.disableMacros ? [] : tables.macros });
  if (!parsed.ok) return failed(name, test, test.checkedAst!, formatIssues(test.original.expr, parsed.issues));
  const checked = check(parsed.ast, tables);
  if (!checked.ok) return failed(name, test, test.checkedAst!, formatIssues(test.original.expr, checked.issues));
  return compare(name, test, test.checkedAst!, debugString(checked.ast.root, semanticAdornment(checked.ast)));
}

const CROSS_TYPE = /\b(?:less|greater)(?:_equals)?_(?:int64|uint64|double)_(?:int64|uint64|double)\b/;

function tablesOf(test: TreeTest, variables: Readonly<Record<string, CelType>>): EnvironmentTables {
  const { container } = test.original;
  // Most trees were made without the comparisons of numbers of two types.
  const options = {
    variables,
    crossTypeComparisons: CROSS_TYPE.test(test.checkedAst ?? ''),
    ...(container === undefined ? {} : { container }),
  };
  return environmentTables(options, undefined, kubernetesLibraries());
}

function compare(name: string, test: TreeTest, expected: string, found: string): CaseResult {
  return expected === found ? { name, outcome: 'passed' } : failed(name, test, expected, found);
}

function failed(name: string, test: TreeTest, expected: string, found: string): CaseResult {
  return { name, outcome: 'failed', reason: `${test.original.expr}\nexpected ${expected}\nfound    ${found}` };
}
