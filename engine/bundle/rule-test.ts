import { isJsonObject, type Json, type JsonObject, ownValue } from '../object/json.ts';
import type { TypeTable } from '../object/type-table.ts';
import type { AdmissionDecision, AdmissionProgram, AdmissionRequest, UserInfo } from '../rules/admission/decision.ts';
import { objectRequest } from '../rules/admission/object-request.ts';
import { recordedFacts } from '../rules/admission/recorded-facts.ts';
import type { Diagnostic } from '../text/diagnostic.ts';
import type { Document, DocumentPath } from '../text/document.ts';
import { checkShape, diagnosticAt } from '../text/shape-check.ts';
import type { CompiledBundle } from './bundle.ts';
import { compileBundle } from './compile.ts';
import { unpackLists } from './document-list.ts';
import { type RuleTestCaseDocument, type RuleTestDocument, type RuleTestExpectation, ruleTest } from './rule-test-document.ts';

export interface RuleTestParts {
  /** The documents of the bundle that is tested. */
  readonly bundle: readonly Document[];
  readonly types: TypeTable;
  /** Documents of the files that a test names under `recordings`; undefined for a file that can't be read. */
  readonly recordings: (name: string) => readonly Document[] | undefined;
}

export interface RuleTestResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected and what was found, one line for each difference. */
  readonly problems: readonly string[];
  /** Where the case stands in the document. */
  readonly path: DocumentPath;
}

export interface RuleTestRun {
  readonly name: string;
  readonly cases: readonly RuleTestResult[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Names of the files that a test needs. */
export function ruleTestRecordings(document: Document): readonly string[] {
  return checkShape<RuleTestDocument>(ruleTest, document).value?.spec.recordings ?? [];
}

/** Runs the cases of a `RuleTest` against its bundle. Pure. A test that can't be run has diagnostics and no passing case. */
export function runRuleTest(document: Document, parts: RuleTestParts): RuleTestRun {
  const checked = checkShape<RuleTestDocument>(ruleTest, document);
  const { value } = checked;
  if (value === undefined) return { name: '', cases: [], diagnostics: checked.diagnostics };
  const diagnostics: Diagnostic[] = [];
  const bundle = compileFor(document, value, parts, diagnostics);
  diagnostics.push(...bundle.diagnostics);
  const objects = [...(value.spec.objects ?? []), ...recordedObjects(document, value, parts, diagnostics)] as JsonObject[];
  const program = bundle.program?.admission;
  const cases = value.spec.cases.map((each, index): RuleTestResult => {
    const problems = program === undefined ? ['the rules do not compile'] : runCase(each, value, objects, program, parts.types);
    return { name: each.name, ok: problems.length === 0, problems, path: ['spec', 'cases', index, 'name'] };
  });
  return { name: value.metadata.name, cases, diagnostics };
}

const RULE_KINDS = /^(AdmissionRule|(Namespaced)?(Validating|Mutating)(AdmissionPolicy|Policy))$/;

function compileFor(document: Document, { spec }: RuleTestDocument, parts: RuleTestParts, diagnostics: Diagnostic[]): CompiledBundle {
  const options = { ...(spec.params === undefined ? {} : { params: spec.params as JsonObject }) };
  if (spec.rules === undefined) return compileBundle(parts.bundle, options);
  const wanted = new Set(spec.rules);
  const all = unpackLists(parts.bundle);
  const names = new Set<string>();
  const documents = all.filter(({ value }) => {
    if (!isJsonObject(value)) return true;
    const kind = ownValue(value, 'kind');
    const metadata = ownValue(value, 'metadata');
    const name = isJsonObject(metadata) ? ownValue(metadata, 'name') : undefined;
    if (typeof kind !== 'string') return true;
    if (RULE_KINDS.test(kind)) {
      if (typeof name === 'string') names.add(name);
      return typeof name === 'string' && wanted.has(name);
    }
    if (!kind.endsWith('PolicyBinding')) return true;
    const bindingSpec = ownValue(value, 'spec');
    const policy = isJsonObject(bindingSpec) ? ownValue(bindingSpec, 'policyName') : undefined;
    return typeof policy === 'string' && wanted.has(policy);
  });
  spec.rules.forEach((name, index) => {
    if (names.has(name)) return;
    const hint = `the bundle has ${[...names].join(', ')}`;
    diagnostics.push(
      diagnosticAt(document, ['spec', 'rules', index], { code: 'test-unknown-rule', message: `no rule is called ${name}`, hint }),
    );
  });
  return compileBundle(documents, options);
}

function recordedObjects(document: Document, { spec }: RuleTestDocument, parts: RuleTestParts, diagnostics: Diagnostic[]): JsonObject[] {
  return (spec.recordings ?? []).flatMap((name, index) => {
    const documents = parts.recordings(name);
    if (documents === undefined) {
      diagnostics.push(
        diagnosticAt(document, ['spec', 'recordings', index], { code: 'test-no-recording', message: `${name} can't be read` }),
      );
      return [];
    }
    return unpackLists(documents).flatMap(({ value }) => (isJsonObject(value) ? [value] : []));
  });
}

const TESTER: UserInfo = { username: 'tester', groups: ['system:authenticated'] };

function requestOf(each: RuleTestCaseDocument, { spec }: RuleTestDocument, types: TypeTable): AdmissionRequest | string {
  const operation =
    each.operation ?? spec.operation ?? (each.oldObject === undefined ? 'CREATE' : each.object === undefined ? 'DELETE' : 'UPDATE');
  const about = (operation === 'DELETE' ? (each.oldObject ?? each.object) : (each.object ?? each.oldObject)) as JsonObject | undefined;
  const user = (each.userInfo ?? spec.userInfo ?? TESTER) as UserInfo;
  const namespace = each.namespace ?? spec.namespace ?? 'default';
  if (about === undefined && each.request === undefined) return 'the case has neither an object, nor an oldObject, nor a request';
  const base =
    about === undefined
      ? undefined
      : objectRequest(about, { operation, user, namespace, types, old: each.oldObject as JsonObject | undefined });
  return { uid: '00000000-0000-0000-0000-000000000000', userInfo: user, operation, ...base, ...each.request } as AdmissionRequest;
}

function runCase(
  each: RuleTestCaseDocument,
  test: RuleTestDocument,
  objects: readonly JsonObject[],
  program: AdmissionProgram,
  types: TypeTable,
): string[] {
  const request = requestOf(each, test, types);
  if (typeof request === 'string') return [request];
  if (typeof request.kind !== 'object' || typeof request.resource !== 'object') return ['the request names neither kind nor resource'];
  const facts = recordedFacts([...objects, ...((each.objects ?? []) as JsonObject[])], { assumeNamespaces: test.spec.assumeNamespaces });
  const answer = program.admit(request, facts, { phase: 'all' });
  if (answer.kind === 'needs') return [`not decided: ${JSON.stringify(answer.needs[0])} is needed`];
  return compare(each.expect, answer.decision, request);
}

function compare(expected: RuleTestExpectation, decision: AdmissionDecision, request: AdmissionRequest): string[] {
  const problems: string[] = [];
  const { status } = decision;
  const denial = expected.message ?? expected.messageContains ?? expected.reason ?? expected.code ?? expected.deniedBy;
  const allowed = expected.allowed ?? denial === undefined;
  const same = (what: string, wanted: unknown, found: unknown): void => {
    if (print(wanted) !== print(found)) problems.push(`${what}: expected ${print(wanted)}, found ${print(found)}`);
  };
  if (allowed !== decision.allowed) {
    problems.push(
      decision.allowed ? 'expected a denial, but it is allowed' : `expected to be allowed, but it is denied: ${status?.message ?? ''}`,
    );
  }
  if (!decision.allowed && !allowed) {
    if (expected.message !== undefined) same('message', expected.message, status?.message);
    if (expected.messageContains !== undefined && !status?.message.includes(expected.messageContains)) {
      problems.push(`message: expected a part ${print(expected.messageContains)}, found ${print(status?.message)}`);
    }
    if (expected.reason !== undefined) same('reason', expected.reason, status?.reason);
    if (expected.code !== undefined) same('code', expected.code, status?.code);
  }
  const rulesThat = (...results: readonly string[]) =>
    [...new Set(decision.outcomes.filter(({ result }) => results.includes(result)).map(({ rule }) => rule))].toSorted();
  if (expected.deniedBy !== undefined) same('deniedBy', expected.deniedBy.toSorted(), rulesThat('deny', 'error'));
  if (expected.mutatedBy !== undefined) same('mutatedBy', expected.mutatedBy.toSorted(), rulesThat('mutate'));
  if (expected.warnings !== undefined) same('warnings', expected.warnings, decision.warnings);
  for (const [key, value] of Object.entries(expected.auditAnnotations ?? {}))
    same(`auditAnnotations ${key}`, value, decision.auditAnnotations[key]);
  if (expected.patch !== undefined) same('patch', expected.patch, decision.patch);
  if (expected.unchanged !== undefined && expected.unchanged !== (decision.patch.length === 0)) {
    problems.push(
      expected.unchanged ? `expected no change, found the patch ${print(decision.patch)}` : 'expected a change of the object, found none',
    );
  }
  if (expected.object !== undefined) contains('object', expected.object as Json, decision.object ?? request.object ?? null, problems);
  return problems;
}

/** Reports where `found` lacks what `wanted` has. */
function contains(path: string, wanted: Json, found: Json | undefined, problems: string[]): void {
  if (wanted === null) {
    if (found !== undefined && found !== null) problems.push(`${path}: expected no such field, found ${print(found)}`);
  } else if (isJsonObject(wanted)) {
    if (!isJsonObject(found)) problems.push(`${path}: expected ${print(wanted)}, found ${print(found)}`);
    else for (const [key, value] of Object.entries(wanted)) contains(`${path}.${key}`, value, ownValue(found, key), problems);
  } else if (Array.isArray(wanted)) {
    if (!Array.isArray(found) || found.length !== wanted.length) problems.push(`${path}: expected ${print(wanted)}, found ${print(found)}`);
    else wanted.forEach((item: Json, i) => contains(`${path}[${i}]`, item, found[i] as Json, problems));
  } else if (print(wanted) !== print(found)) problems.push(`${path}: expected ${print(wanted)}, found ${print(found)}`);
}

/** JSON with sorted keys, so that equal values print equally. */
function print(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return Number(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
