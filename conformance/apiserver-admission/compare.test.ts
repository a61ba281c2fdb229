import { describe, expect, test } from 'vitest';
import type { AdmissionDecision } from '../../engine/rules/admission/decision.ts';
import { createConfigMap, single, vap } from './case.ts';
import { canonicalObject, compareVerdicts, verdictOf } from './compare.ts';
import type { LiveAnswer } from './live.ts';
import { plan } from './plan.ts';
import { compareReasons, reasonsIn } from './refusals.ts';

const [planned] = plan([single('case', vap(['false']))]);
const DENIED = "ValidatingAdmissionPolicy 'c0-p0' with binding 'c0-p0-b0' denied request: no";

function answer(
  status: number,
  body: unknown,
  warnings: readonly string[] = [],
  annotations: Readonly<Record<string, string>> = {},
): LiveAnswer {
  return { request: planned!.requests[0]!, response: { status, body, warnings, auditId: 'a', headers: {} }, annotations };
}

function decision(message: string | undefined, more: Partial<AdmissionDecision> = {}): AdmissionDecision {
  const status = message === undefined ? {} : { status: { message, reason: 'Invalid', code: 422 } };
  return { allowed: message === undefined, ...status, patch: [], object: null, warnings: [], auditAnnotations: {}, outcomes: [], ...more };
}

const refusal = { message: `configmaps "x0" is forbidden: ${DENIED}`, reason: 'Invalid', code: 422 };

describe('verdicts', () => {
  test('a policy denies, something else fails, the rest is allowed', () => {
    expect(verdictOf(answer(201, {}))).toEqual({ kind: 'allowed' });
    expect(verdictOf(answer(422, refusal))).toEqual({ kind: 'denied', status: { message: DENIED, reason: 'Invalid', code: 422 } });
    expect(verdictOf(answer(500, { message: 'Internal error occurred: x', code: 500 })).kind).toBe('failed');
  });
  test('equal verdicts have no differences', () => {
    expect(compareVerdicts(answer(422, refusal), decision(DENIED), false)).toEqual([]);
    expect(compareVerdicts(answer(201, {}), decision(undefined), false)).toEqual([]);
  });
  test.each([
    ['allowed against denied', answer(201, {}), decision(DENIED)],
    ['another message', answer(422, refusal), decision(`${DENIED}!`)],
    ['another code', answer(403, { ...refusal, code: 403 }), decision(DENIED)],
    ['a warning too few', answer(201, {}, ['Validation failed for x']), decision(undefined)],
    ['a warning too many', answer(201, {}), decision(undefined, { warnings: ['Validation failed for x'] })],
    ['an annotation too few', answer(201, {}, [], { 'p/k': 'v' }), decision(undefined)],
  ])('%s is a difference', (_, live, ours) => {
    expect(compareVerdicts(live, ours, false)).toHaveLength(1);
  });
  test("the API server's own warnings and annotations say nothing", () => {
    const live = answer(201, {}, ['v1 X is deprecated'], { 'authorization.k8s.io/decision': 'allow' });
    expect(compareVerdicts(live, decision(undefined), false)).toEqual([]);
  });
  test('where the order is open, any denial will do', () => {
    const outcomes = [
      { ruleKind: 'ValidatingAdmissionPolicy', rule: 'c0-p0', binding: 'c0-p0-b0', result: 'deny' as const, message: 'no' },
    ];
    const ours = decision("ValidatingAdmissionPolicy 'c0-p0' with binding 'c0-p0-b1' denied request: other", { outcomes });
    expect(compareVerdicts(answer(422, refusal), ours, true)).toEqual([]);
    expect(compareVerdicts(answer(422, refusal), ours, false)).toHaveLength(1);
  });
  test('objects are compared without what the API server writes', () => {
    const live = { kind: 'X', metadata: { name: 'x', uid: '1', managedFields: [] }, data: { a: '1', b: '2' }, status: {} };
    expect(canonicalObject(live)).toBe(canonicalObject({ data: { b: '2', a: '1' }, metadata: { name: 'x' }, kind: 'X' }));
    expect(canonicalObject(live)).not.toBe(canonicalObject({ ...live, data: { a: '1' } }));
  });
});

describe('refusals', () => {
  const message = `Invalid value: "nope": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')\n | nope\n | ^`;
  const live = reasonsIn('spec.x', message);
  const own = (text: string, field = 'spec.x', covers = true) => ({ field, text, covers: () => covers });
  const text = "undeclared reference to 'nope' (in container '')";

  test('an error of an expression has a place and a text', () => {
    expect(live).toEqual([{ field: 'spec.x', place: { line: 1, column: 1 }, text }]);
  });
  test('the same text at the same place is no difference', () => {
    expect(compareReasons(live, [own(text)])).toEqual([]);
  });
  test.each([
    ['another text', [own('other')], 2],
    ['another place', [own(text, 'spec.x', false)], 2],
    ['another field', [own(text, 'spec.y')], 2],
    ['none', [], 1],
    ['one more', [own(text), own('other')], 1],
  ])('%s is a difference', (_, ours, count) => {
    expect(compareReasons(live, ours)).toHaveLength(count);
  });
  test('other rules need only be refused by both', () => {
    const required = reasonsIn('spec.message', 'Invalid value: "a\\nb": must not contain line breaks');
    expect(compareReasons(required, [own('in words of our own', 'spec')])).toEqual([]);
    expect(compareReasons(required, [])).toHaveLength(1);
  });
});

test('a plan keeps cases apart and fills in names', () => {
  const [, second] = plan([single('one', vap(['true'])), single('two', vap(['true']), createConfigMap({ a: '$NS' }))]);
  expect(second!.documents.map((each) => (each['metadata'] as { name: string }).name)).toEqual(['c1-p0', 'c1-p0-b0']);
  expect(second!.documents[0]).toMatchObject({ spec: { matchConstraints: { namespaceSelector: { matchLabels: { case: 'c1' } } } } });
  expect(second!.requests[0]!.send).toMatchObject({
    method: 'POST',
    path: '/api/v1/namespaces/c1/configmaps',
    body: { data: { a: 'c1' } },
  });
});
