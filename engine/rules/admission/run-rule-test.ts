import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../object/json.ts';
import { diffJson } from '../../object/json-diff.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import { type Document, type DocumentPath, formatPath } from '../../text/document.ts';
import { checkShape, diagnosticAt } from '../../text/shape-check.ts';
import type { AdmissionDecision, AdmissionProgram, AdmissionRequest, UserInfo } from './decision.ts';
import { objectRequest } from './object-request.ts';
import { recordedFacts } from './recorded-facts.ts';
import { type Expectation, type RuleTestCaseDocument, type RuleTestDocument, ruleTest } from './rule-test-document.ts';

export interface RuleTestParts {
  readonly types: TypeTable | undefined;
  /** Compiles the bundle the test is about, with these values of its parameters and with these rules only. */
  readonly compile: (
    params: JsonObject | undefined,
    rules: readonly string[] | undefined,
  ) => { readonly program?: AdmissionProgram | undefined; readonly diagnostics: readonly Diagnostic[] };
}

export interface RuleTestCase {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected and what was found; empty when it is as expected. */
  readonly problems: readonly string[];
  /** Where the case stands in the document. */
  readonly path: DocumentPath;
  readonly decision?: AdmissionDecision;
}

export interface RuleTestRun {
  readonly name: string;
  readonly cases: readonly RuleTestCase[];
  readonly diagnostics: readonly Diagnostic[];
}

const DEFAULT_USER: UserInfo = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/** Runs a RuleTest document. Pure: the same documents give the same results. */
export function runRuleTest(document: Document, parts: RuleTestParts): RuleTestRun {
  const checked = checkShape<RuleTestDocument>(ruleTest, document);
  if (checked.value === undefined) return { name: '', cases: [], diagnostics: checked.diagnostics };
  const { spec, metadata } = checked.value;
  const diagnostics: Diagnostic[] = [];
  const programs = new Map<string, AdmissionProgram | undefined>();
  const programFor = (params: JsonObject | undefined): AdmissionProgram | undefined => {
    const key = JSON.stringify(params ?? null);
    if (!programs.has(key)) {
      const compiled = parts.compile(params, spec.rules);
      diagnostics.push(...compiled.diagnostics);
      programs.set(key, compiled.program);
    }
    return programs.get(key);
  };
  const known = new Set(programFor(spec.params as JsonObject | undefined)?.rules.map((rule) => rule.name));
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    if (known.has(rule)) continue;
    const message = `no rule of the bundle is called ${rule}`;
    diagnostics.push(diagnosticAt(document, ['spec', 'rules', index], { code: 'test-unknown-rule', message }));
  }
  const names = new Set<string>();
  const cases = spec.cases.map((test, index): RuleTestCase => {
    const path = ['spec', 'cases', index];
    if (names.has(test.name)) {
      const message = `there is another case called ${test.name}`;
      diagnostics.push(diagnosticAt(document, [...path, 'name'], { code: 'test-duplicate', message }));
    }
    names.add(test.name);
    const params = test.params === undefined ? spec.params : { ...spec.params, ...test.params };
    const program = programFor(params as JsonObject | undefined);
    if (program === undefined) return { name: test.name, ok: false, problems: ['the bundle does not compile'], path };
    return runCase(test, path, program, (spec.objects ?? []) as readonly JsonObject[], parts.types);
  });
  return { name: metadata.name, cases, diagnostics };
}

function runCase(
  test: RuleTestCaseDocument,
  path: DocumentPath,
  program: AdmissionProgram,
  objects: readonly JsonObject[],
  types: TypeTable | undefined,
): RuleTestCase {
  const request = requestOf(test, types);
  if (typeof request === 'string') return { name: test.name, ok: false, problems: [request], path };
  const namespace = test.namespaceObject === undefined ? [] : [namespaceOf(test.namespaceObject as JsonObject, request)];
  const facts = recordedFacts([...objects, ...((test.objects ?? []) as readonly JsonObject[]), ...namespace]);
  const answer = program.admit(request, facts, { phase: 'all' });
  if (answer.kind === 'needs') {
    return { name: test.name, ok: false, problems: [`a fact is missing: ${JSON.stringify(answer.needs[0])}`], path };
  }
  const problems = compare(test.expect, answer.decision, request);
  return { name: test.name, ok: problems.length === 0, problems, path, decision: answer.decision };
}

function requestOf(test: RuleTestCaseDocument, types: TypeTable | undefined): AdmissionRequest | string {
  const given = (test.request ?? {}) as JsonObject;
  const object = (test.object ?? ownValue(given, 'object') ?? test.oldObject ?? ownValue(given, 'oldObject')) as JsonObject | undefined;
  const operation = test.operation ?? ownValue(given, 'operation') ?? (test.oldObject === undefined ? 'CREATE' : 'UPDATE');
  const derived =
    object === undefined
      ? undefined
      : objectRequest(object, {
          operation: operation as AdmissionRequest['operation'],
          user: test.userInfo === undefined ? DEFAULT_USER : (test.userInfo as UserInfo),
          namespace: 'default',
          types,
          old: test.oldObject as JsonObject | undefined,
        });
  const request = { ...derived, ...given } as unknown as AdmissionRequest;
  if (request.kind === undefined || request.resource === undefined || request.operation === undefined) {
    return 'the case has neither an object nor a request with kind, resource and operation';
  }
  return request.userInfo === undefined ? { ...request, userInfo: (test.userInfo as UserInfo | undefined) ?? DEFAULT_USER } : request;
}

/** A namespace as written, with what it must have to be found. */
function namespaceOf(namespace: JsonObject, request: AdmissionRequest): JsonObject {
  const metadata = ownValue(namespace, 'metadata');
  const name = request.namespace ?? 'default';
  return { apiVersion: 'v1', kind: 'Namespace', ...namespace, metadata: { name, ...(isJsonObject(metadata) ? metadata : {}) } };
}

function compare(expected: Expectation, decision: AdmissionDecision, request: AdmissionRequest): readonly string[] {
  const problems: string[] = [];
  const differ = (what: string, wanted: unknown, found: unknown) =>
    problems.push(`${what}: expected ${show(wanted)}, found ${show(found)}`);
  const { status } = decision;
  if (expected.allowed !== undefined && expected.allowed !== decision.allowed) {
    const message = status === undefined ? '' : `: ${status.message}`;
    problems.push(`expected ${expected.allowed ? 'allowed' : 'denied'}, found ${decision.allowed ? 'allowed' : 'denied'}${message}`);
  }
  if (expected.message !== undefined && !status?.message.includes(expected.message)) differ('message', expected.message, status?.message);
  if (expected.reason !== undefined && expected.reason !== status?.reason) differ('reason', expected.reason, status?.reason);
  if (expected.code !== undefined && expected.code !== status?.code) differ('code', expected.code, status?.code);
  if (expected.deniedBy !== undefined) {
    const denied = new Set(decision.outcomes.filter((outcome) => outcome.result === 'deny').map((outcome) => outcome.rule));
    if (!jsonEqual([...denied].sort(), [...expected.deniedBy].sort())) differ('deniedBy', expected.deniedBy, [...denied]);
  }
  if (expected.warnings !== undefined && !warningsMatch(expected.warnings, decision.warnings)) {
    differ('warnings', expected.warnings, decision.warnings);
  }
  const annotations = decision.auditAnnotations;
  if (expected.auditAnnotations !== undefined && !jsonEqual(expected.auditAnnotations, annotations)) {
    differ('auditAnnotations', expected.auditAnnotations, annotations);
  }
  if (expected.patch !== undefined && !jsonEqual(expected.patch as Json, decision.patch as unknown as Json)) {
    differ('patch', expected.patch, decision.patch);
  }
  const object = withoutFilledNamespace(decision.object, expected.object as JsonObject | undefined, request);
  if (expected.object !== undefined && !jsonEqual(object, expected.object as Json)) {
    const changes = diffJson(expected.object as Json, object ?? null);
    problems.push(`object differs from the expected one by ${show(changes)}`);
  }
  if (expected.contains !== undefined) missing(expected.contains as Json, decision.object, [], problems);
  return problems;
}

function warningsMatch(expected: readonly string[], found: readonly string[]): boolean {
  return expected.length === found.length && expected.every((part) => found.some((warning) => warning.includes(part)));
}

/** The namespace is filled in to make a request of an object; an expected object without one does not mean that. */
function withoutFilledNamespace(object: JsonObject | null, expected: JsonObject | undefined, request: AdmissionRequest): JsonObject | null {
  const metadata = object === null ? undefined : ownValue(object, 'metadata');
  const wanted = expected === undefined ? undefined : ownValue(expected, 'metadata');
  if (!isJsonObject(metadata) || (isJsonObject(wanted) && Object.hasOwn(wanted, 'namespace'))) return object;
  if (ownValue(metadata, 'namespace') !== request.namespace) return object;
  const { namespace: _filledIn, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function missing(expected: Json, found: Json | null | undefined, path: DocumentPath, problems: string[]): void {
  if (isJsonObject(expected)) {
    for (const [key, value] of Object.entries(expected)) {
      missing(value, isJsonObject(found) ? ownValue(found, key) : undefined, [...path, key], problems);
    }
  } else if (!jsonEqual(expected, found ?? null)) {
    problems.push(`object ${formatPath(path)}: expected ${show(expected)}, found ${show(found)}`);
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
