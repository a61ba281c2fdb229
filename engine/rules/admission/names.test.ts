import { describe, expect, test } from 'vitest';
import { isDnsLabel1035, isDnsSubdomain, isPathSegmentName, isQualifiedName, type NameCheck } from './names.ts';

const cases: readonly [string, NameCheck, readonly string[], readonly string[]][] = [
  ['isDnsSubdomain', isDnsSubdomain, ['a', 'a.b', 'a-1.b2', 'x'.repeat(253)], ['', 'A', 'a_b', '-a', 'a-', 'a..b', 'a.', 'x'.repeat(254)]],
  ['isDnsLabel1035', isDnsLabel1035, ['a', 'a-1'], ['', '1a', 'a.b', 'a-', 'x'.repeat(64)]],
  ['isQualifiedName', isQualifiedName, ['a', 'A.b_c-1', 'example.com/A'], ['', '/a', 'a/', 'a/b/c', 'A_/b', '-a', 'a b', 'x'.repeat(64)]],
  ['isPathSegmentName', isPathSegmentName, ['a', 'A b', '...'], ['.', '..', 'a/b', 'a%b']],
];

describe.each(cases)('%s', (_name, check, good, bad) => {
  test.each(good)('takes %j', (name) => expect(check(name)).toBeUndefined());
  test.each(bad)('refuses %j', (name) => expect(check(name)).toEqual(expect.any(String)));
});
