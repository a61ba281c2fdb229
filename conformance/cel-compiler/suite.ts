import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import type { Expr } from '../../engine/cel/ast.ts';
import { combineTypes } from '../../engine/cel/check/environment-tables.ts';
import { walk } from '../../engine/cel/check/walk.ts';
import { createEnvironment } from '../../engine/cel/create-environment.ts';
import type { CompileResult } from '../../engine/cel/environment.ts';
import { formatIssues } from '../../engine/cel/issue.ts';
import { AUTHORIZER_VARIABLES } from '../../engine/cel/libraries/authorizer.ts';
import { JSON_PATCH_LIBRARY } from '../../engine/cel/libraries/jsonpatch.ts';
import type { CheckedAst } from '../../engine/cel/program.ts';
import { BOOL, DYN, formatType, INT, listOf, mapOf, opaque, optionalOf, STRING, typeName, UINT } from '../../engine/cel/types.ts';
import { NAMESPACE_TYPE, patchTypes, REQUEST_TYPE, requestTypes } from '../../engine/rules/admission/request-types.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { askCel, type CelAnswer, type CelQuestion, type CelTree } from '../tools/cel.ts';
import { corpusExpressions } from './corpus.ts';
import { EXPRESSIONS, VARIABLES } from './expressions.ts';
import { mutations } from './mutate.ts';

const MUTATIONS = 2000;
/** Beyond this, an estimated cost counts as unbounded: cel-go stops at 2^64, we at infinity. */
const UNBOUNDED = 1e12;

interface Case {
  readonly name: string;
  readonly expression: string;
  /** All issues must agree, or our first must be one of theirs. */
  readonly issues: 'all' | 'first';
}

export const suite: Suite = {
  name: 'cel-compiler',
  description: "what the API server's own compiler says of expressions: issues, types, references, estimated cost",
  async *run(context) {
    const cases = [...collect(context)].filter((each) => context.wanted(each.name));
    const questions = cases.map(
      ({ expression }): CelQuestion => ({
        expression,
        params: true,
        authorizer: true,
        patchTypes: true,
        variables: { ...VARIABLES, variables: 'dyn' },
        tree: true,
        estimate: true,
      }),
    );
    const answers = await askCel(questions, context);
    for (const [index, each] of cases.entries()) {
      if (context.signal.aborted) return;
      yield judge(each, answers[index]!);
    }
  },
};

function* collect(context: Parameters<Suite['run']>[0]): Generator<Case> {
  const seen = new Set<string>();
  function* add(kind: string, expressions: Iterable<string>, issues: Case['issues']): Generator<Case> {
    for (const expression of expressions) {
      if (seen.has(expression)) continue;
      seen.add(expression);
      yield { name: `${kind} ${JSON.stringify(expression)}`, expression, issues };
    }
  }
  yield* add('written', EXPRESSIONS, 'all');
  yield* add('cel-spec', specExpressions(conformance as unknown as SpecSuite), 'all');
  yield* add('corpus', corpusExpressions(context), 'all');
  yield* add('mistyped', mutations(EXPRESSIONS, MUTATIONS), 'first');
}

interface SpecSuite {
  readonly name: string;
  readonly suites?: readonly SpecSuite[];
  readonly tests?: readonly { readonly original: { readonly expr: string } }[];
}

/** Expressions of cel-spec that have nothing to do with protobuf: there, cel-go knows more messages than anybody uses. */
function* specExpressions(part: SpecSuite): Generator<string> {
  if (/^(proto|wrappers|dynamic|enums)/.test(part.name)) return;
  for (const { original } of part.tests ?? []) if (!/google\.protobuf\./.test(original.expr)) yield original.expr;
  for (const inner of part.suites ?? []) yield* specExpressions(inner);
}

const environment = createEnvironment({
  variables: {
    object: DYN,
    oldObject: DYN,
    params: DYN,
    variables: DYN,
    request: REQUEST_TYPE,
    namespaceObject: NAMESPACE_TYPE,
    ...AUTHORIZER_VARIABLES,
    b: BOOL,
    i: INT,
    u: UINT,
    s: STRING,
    'a.b': INT,
    strings: listOf(STRING),
    counts: mapOf(STRING, INT),
    maybe: optionalOf(STRING),
    address: opaque('net.IP'),
  },
  types: combineTypes(requestTypes, patchTypes),
}).extend({ libraries: [JSON_PATCH_LIBRARY] });

function judge({ name, expression, issues }: Case, answer: CelAnswer): CaseResult {
  if (answer.failure !== undefined) return { name, outcome: 'skipped', reason: `no answer: ${answer.failure}` };
  const result = environment.compile(expression);
  const difference = differenceOf(expression, result, answer, issues);
  return difference === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: difference };
}

function differenceOf(expression: string, result: CompileResult, answer: CelAnswer, issues: Case['issues']): string | undefined {
  const differ = (what: string, expected: unknown, found: unknown): string | undefined =>
    String(expected) === String(found) ? undefined : `${what}: expected ${expected}\nfound ${found}`;
  if (!result.ok) {
    // What only shows when the program is made is another answer of the API server's, given later.
    if (result.issues.every((issue) => issue.code === 'instantiation')) return differ('issues', answer.text ?? '', '');
    const text = formatIssues(expression, result.issues);
    if (issues === 'all') return differ('issues', answer.text, text);
    return answer.text?.includes(firstOf(text)) ? undefined : `first issue: expected one of ${answer.text}\nfound ${firstOf(text)}`;
  }
  if (answer.text !== undefined) return differ('issues', answer.text, 'none');
  const bound = (cost: number): number | string => (cost < 0 || cost > UNBOUNDED ? 'unbounded' : cost);
  return (
    differ('type', answer.type, typeName(result.resultType)) ??
    differ('least cost', answer.min, result.estimate.min) ??
    differ('greatest cost', bound(answer.max!), bound(result.estimate.max)) ??
    treeDifference(expression, result.program.ast, answer.tree!)
  );
}

function firstOf(text: string): string {
  return text.split('\n').slice(0, 3).join('\n');
}

/** The first node whose position, type or reference is another one there. */
function treeDifference(expression: string, ast: CheckedAst, tree: CelTree): string | undefined {
  const nodes = new Map<number, Expr>();
  walk(ast.root, (expr) => nodes.set(expr.id, expr));
  for (const theirs of treeNodes(tree)) {
    const ours = nodes.get(theirs.id);
    if (!ours) return `no node ${theirs.id}: expected ${JSON.stringify({ ...theirs, children: undefined }).slice(0, 200)}`;
    const reference = ast.references[theirs.id];
    const type = ast.types[theirs.id];
    const found = {
      at: Array.from(expression.slice(0, ours.at)).length,
      type: type && formatType(type),
      overloads: reference?.kind === 'function' ? reference.overloads.map((overload) => overload.id).sort() : [],
      reference: reference && reference.kind !== 'function' ? reference.name : undefined,
    };
    const expected = { at: theirs.at, type: theirs.type, overloads: theirs.overloads ?? [], reference: theirs.reference };
    if (JSON.stringify(expected) !== JSON.stringify(found)) {
      return `node ${theirs.id} (${ours.kind}): expected ${JSON.stringify(expected)}\nfound ${JSON.stringify(found)}`;
    }
  }
  return undefined;
}

/** All nodes of an answered tree, other than the names of fields, which have no type there. */
function* treeNodes(value: unknown, parent?: CelTree): Generator<CelTree> {
  if (Array.isArray(value)) for (const each of value) yield* treeNodes(each, parent);
  else if (typeof value === 'object' && value !== null) {
    const node = value as CelTree;
    const isNode = 'kind' in node;
    if (isNode && !(parent?.['fn'] === '_?._' && node['kind'] === 'literal')) yield node;
    for (const child of Object.values(node)) yield* treeNodes(child, isNode ? node : parent);
  }
}
