import { describe, expect, it } from 'vitest';
import { writeResponse } from './response.ts';
import { decisionOf, reviewOf } from './review.fixture.ts';
import { readReview } from './review.ts';
import { budgetWarnings } from './warnings.ts';

type Response = { readonly apiVersion: string; readonly kind: string; readonly response: Readonly<Record<string, unknown>> };

function respond(
  decision: Parameters<typeof decisionOf>[0],
  patches: 'patch' | 'no-patch' = 'patch',
  request = {},
  version = 'v1',
): Response {
  const review = readReview(reviewOf(request, `admission.k8s.io/${version}`));
  return JSON.parse(writeResponse(review, decisionOf(decision), patches)) as Response;
}

const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';

describe('a response', () => {
  it.each(['v1', 'v1beta1'])('is of the version of its request: %s', (version) => {
    expect(respond({}, 'patch', {}, version)).toEqual({
      apiVersion: `admission.k8s.io/${version}`,
      kind: 'AdmissionReview',
      response: { uid, allowed: true },
    });
  });

  it('echoes any uid', () => {
    expect(respond({}, 'patch', { uid: '"\\\u2028' }).response['uid']).toBe('"\\\u2028');
  });

  it('carries a patch, with its type, in base64', () => {
    const patch = [{ op: 'add', path: '/metadata/labels', value: { team: 'é' } }] as const;
    const { response } = respond({ patch });
    expect(response).toEqual({ uid, allowed: true, patch: expect.any(String), patchType: 'JSONPatch' });
    expect(JSON.parse(Buffer.from(response['patch'] as string, 'base64').toString())).toEqual(patch);
  });

  it('writes integers beyond 2^53 of a patch as they are', () => {
    const { response } = respond({ patch: [{ op: 'add', path: '/a', value: 9007199254740993n }] });
    expect(Buffer.from(response['patch'] as string, 'base64').toString()).toBe('[{"op":"add","path":"/a","value":9007199254740993}]');
  });

  it.each([
    ['it is empty', { patch: [] }, 'patch', {}],
    ['the webhook is a validating one', { patch: [{ op: 'remove', path: '/a' }] }, 'no-patch', {}],
    ['the request is denied', { patch: [{ op: 'remove', path: '/a' }], allowed: false }, 'patch', {}],
    ['there is no object', { patch: [{ op: 'remove', path: '/a' }] }, 'patch', { operation: 'DELETE', object: null, oldObject: {} }],
  ] as const)('has neither patch nor patchType where %s', (_, decision, patches, request) => {
    expect(Object.keys(respond(decision, patches, request).response)).not.toContain('patch');
    expect(Object.keys(respond(decision, patches, request).response)).not.toContain('patchType');
  });

  it('says why it denies, in the field that the API server reads', () => {
    const status = { message: 'no "latest"', reason: 'Invalid', code: 422 };
    expect(respond({ allowed: false, status }).response).toEqual({ uid, allowed: false, status: { status: 'Failure', ...status } });
  });

  it.each([
    [undefined, { message: 'the request was denied by a rule that gave no message', reason: 'Forbidden', code: 403 }],
    [
      { message: '', reason: '', code: 0 },
      { message: 'the request was denied by a rule that gave no message', reason: 'Forbidden', code: 403 },
    ],
    [
      { message: 'm', reason: 'r', code: 200 },
      { message: 'm', reason: 'r', code: 403 },
    ],
  ])('never denies without an explanation', (status, expected) => {
    expect(respond({ allowed: false, ...(status === undefined ? {} : { status }) }).response['status']).toEqual({
      status: 'Failure',
      ...expected,
    });
  });

  it('leaves the status out when it allows, and carries warnings and audit annotations either way', () => {
    const decision = { warnings: ['w'], auditAnnotations: { key: 'value' }, status: { message: 'm', reason: 'r', code: 400 } };
    expect(respond(decision).response).toEqual({ uid, allowed: true, warnings: ['w'], auditAnnotations: { key: 'value' } });
    expect(respond({ ...decision, allowed: false }).response).toMatchObject({ warnings: ['w'], auditAnnotations: { key: 'value' } });
  });
});

describe('warnings', () => {
  it.each([
    ['none', [], []],
    ['duplicates and empty ones', ['a', '', 'b', 'a'], ['a', 'b']],
    ['a long one within the budget', ['x'.repeat(4096)], ['x'.repeat(4096)]],
    ['one beyond the budget', ['x'.repeat(4097)], ['x'.repeat(256)]],
    ['runes, not code units', ['😀'.repeat(4097)], ['😀'.repeat(256)]],
    ['runes within the budget', ['😀'.repeat(4096)], ['😀'.repeat(4096)]],
    ['what is the same once cut', [`${'x'.repeat(3000)}1`, `${'x'.repeat(3000)}2`], ['x'.repeat(256)]],
  ])('%s', (_, warnings, expected) => expect(budgetWarnings(warnings)).toEqual(expected));

  it('drops those beyond the budget, in order', () => {
    const many = Array.from({ length: 40 }, (_, index) => `${index} `.padEnd(300, 'x'));
    expect(budgetWarnings(many)).toEqual(many.slice(0, 16).map((text) => text.slice(0, 256)));
  });
});
