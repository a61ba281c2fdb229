import { expect, test } from 'vitest';
import { namespaceOf } from '../apiserver/namespace.ts';
import { kubectlCases } from './cases.ts';
import { normaliseText } from './normalise.ts';
import { words } from './script.ts';

test.each([
  { text: 'get cm  a', expected: ['get', 'cm', 'a'] },
  { text: `patch x -p '{"a": "b c"}'`, expected: ['patch', 'x', '-p', '{"a": "b c"}'] },
  { text: `get -o jsonpath='{.a}{"/"}'`, expected: ['get', '-o', 'jsonpath={.a}{"/"}'] },
  { text: 'label a b="c d"', expected: ['label', 'a', 'b=c d'] },
])('the words of $text', ({ text, expected }) => {
  expect(words(text)).toEqual(expected);
});

test.each([
  { text: 'web-6b8d7f9c4d-x2z4b   1/1   Running   0   12s', expected: 'web-<hash>-<random> 1/1 Running 0 <age>' },
  { text: 'replicaset.apps/web-6b8d7f9c4d', expected: 'replicaset.apps/web-<hash>' },
  { text: 'Created:  Thu, 26 Nov 2026 15:00:00 +0000', expected: 'Created: <time>' },
  { text: '  resourceVersion: "123"', expected: ' resourceVersion: <version>' },
  { text: 'at http://127.0.0.1:4567 in /tmp/x', expected: 'at <server> in <folder>' },
  { text: 'ClusterIP 10.96.3.4 <none> 80:31234/TCP', expected: 'ClusterIP <address> <none> 80:<port>/TCP' },
  { text: 'deployment.apps/web-backend', expected: 'deployment.apps/web-backend' },
])('$text without what differs', ({ text, expected }) => {
  expect(normaliseText(text, '/tmp/x')).toBe(expected);
});

test('each case has a namespace of its own', () => {
  expect(new Set(kubectlCases.map(({ name }) => namespaceOf(name))).size).toBe(kubectlCases.length);
});
