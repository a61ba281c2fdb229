import { describe, expect, it } from 'vitest';
import { reviewOf } from './review.fixture.ts';
import { MAX_DEPTH, readReview } from './review.ts';

const nested = (depth: number): unknown => JSON.parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth));

describe('reading a review', () => {
  it.each(['v1', 'v1beta1'] as const)('accepts %s', (version) => {
    const review = reviewOf({}, `admission.k8s.io/${version}`);
    expect(readReview(review)).toEqual({ version, request: review.request });
    expect(readReview(review).request).toBe(review.request);
  });

  it.each([
    ['a delete', { operation: 'DELETE', object: null, oldObject: {} }],
    ['a connect', { operation: 'CONNECT', object: { kind: 'PodExecOptions' }, subResource: 'exec' }],
    ['a generated name', { name: '' }],
    [
      'nothing that is optional',
      {
        name: undefined,
        namespace: undefined,
        object: undefined,
        oldObject: undefined,
        dryRun: undefined,
        options: undefined,
        requestKind: undefined,
        requestResource: undefined,
        userInfo: {},
      },
    ],
    ['nulls for what is optional', { name: null, requestKind: null, dryRun: null, options: null, userInfo: { groups: null, extra: null } }],
    ['depth up to the bound', { object: nested(MAX_DEPTH) }],
  ])('accepts %s', (_, request) => expect(() => readReview(reviewOf(request))).not.toThrow());

  it.each([
    [null, 'the body must be an object, found null'],
    [[], 'the body must be an object, found a list'],
    ['x', 'the body must be an object, found "x"'],
    [{}, 'kind must be "AdmissionReview", found nothing'],
    [{ ...reviewOf(), kind: 'Pod' }, 'kind must be "AdmissionReview", found "Pod"'],
    [
      reviewOf({}, 'admission.k8s.io/v2'),
      'apiVersion must be "admission.k8s.io/v1" or "admission.k8s.io/v1beta1", found "admission.k8s.io/v2"',
    ],
    [{ ...reviewOf(), request: undefined }, 'request must be an object, found nothing'],
    [JSON.parse('{"__proto__":{"kind":"AdmissionReview"}}'), 'kind must be "AdmissionReview", found nothing'],
  ])('refuses %j', (body, message) => expect(() => readReview(body)).toThrow(message));

  it.each([
    [{ uid: '' }, 'request.uid must be a non-empty string'],
    [{ uid: 7 }, 'request.uid must be a non-empty string'],
    [{ operation: 'PATCH' }, 'request.operation must be CREATE, UPDATE, DELETE or CONNECT, found "PATCH"'],
    [{ operation: 'x'.repeat(100) }, `found "${'x'.repeat(64)}…"`],
    [{ kind: undefined }, 'request.kind must be an object, found nothing'],
    [{ kind: { group: '', version: 'v1' } }, 'request.kind.kind must be a string'],
    [{ resource: { group: '', version: 'v1', kind: 'x' } }, 'request.resource.resource must be a string'],
    [{ requestKind: [] }, 'request.requestKind must be an object, found a list'],
    [{ namespace: 1 }, 'request.namespace must be a string'],
    [{ dryRun: 'true' }, 'request.dryRun must be a boolean'],
    [{ userInfo: undefined }, 'request.userInfo must be an object'],
    [{ userInfo: { username: {} } }, 'request.userInfo.username must be a string'],
    [{ userInfo: { groups: ['a', 1] } }, 'request.userInfo.groups must be a list of strings'],
    [{ userInfo: { extra: { a: 'x' } } }, 'request.userInfo.extra must hold lists of strings'],
    [{ object: [] }, 'request.object must be an object, found a list'],
    [{ oldObject: 'x' }, 'request.oldObject must be an object'],
    [{ options: 1 }, 'request.options must be an object, found a number'],
    [{ object: nested(MAX_DEPTH + 1) }, 'request.object is nested more than 512 levels deep'],
    [{ oldObject: { list: [[nested(100_000)]] } }, 'request.oldObject is nested more than 512 levels deep'],
  ])('refuses a request: case %#', (request, message) => {
    expect(() => readReview(reviewOf(request))).toThrow(message);
  });
});
