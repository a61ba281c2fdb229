import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../object/json.ts';
import { diffJson } from '../../object/json-diff.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { AdmissionDecision, AdmissionProgram, AdmissionRequest, UserInfo } from '../admission/decision.ts';
import { objectRequest } from '../admission/object-request.ts';
import { recordedFacts } from '../admission/recorded-facts.ts';
import { missing, show } from './compare.ts';
import type { AdmissionCaseDocument, AdmissionExpectation } from './document.ts';
import type { RuleTestCase } from './run.ts';

const DEFAULT_USER: UserInfo = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/** A request to decide, and what is to come of it. */
export function runAdmissionCase(
  test: AdmissionCaseDocument,
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

function requestOf(test: AdmissionCaseDocument, types: TypeTable | undefined): AdmissionRequest | string {
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

function compare(expected: AdmissionExpectation, decision: AdmissionDecision, request: AdmissionRequest): readonly string[] {
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
  if (expected.contains !== undefined) missing('object', expected.contains as Json, decision.object, [], problems);
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
