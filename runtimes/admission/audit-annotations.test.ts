import { expect, test } from 'vitest';
import { webhookAnnotations } from './audit-annotations.ts';

test.each([
  { given: 'no-latest/image', expected: 'no-latest.image' },
  { given: 'validation.policy.admission.k8s.io/validation_failure', expected: 'validation_failure' },
  { given: 'a/b/c', expected: 'a.b_c' },
  { given: 'rule:x/ä', expected: 'rule_x' },
  { given: '/', expected: 'annotation' },
])('$given becomes $expected', ({ given, expected }) => {
  expect(webhookAnnotations({ [given]: 'v' })).toEqual({ [expected]: 'v' });
});

test('keys that are too long are cut and stay different', () => {
  const policy = 'p'.repeat(80);
  const keys = Object.keys(webhookAnnotations({ [`${policy}/a`]: '1', [`${policy}/b`]: '2' }));
  expect(keys).toHaveLength(2);
  for (const key of keys) expect(key).toMatch(/^p{54}-[0-9a-f]{8}$/);
});

test('values that come to share a key are joined', () => {
  expect(webhookAnnotations({ 'a.b/c': '1', 'a/b.c': '2' })).toEqual({ 'a.b.c': '1, 2' });
});
