import { expect, test } from 'vitest';
import { compareAnswers, compareJson } from './compare.ts';
import type { Answer } from './script.ts';

const answer = (more: Partial<Answer>): Answer => ({ call: 'GET /x', status: 200, headers: {}, warnings: [], body: {}, ...more });

test.each([
  { expected: { a: 1 }, found: { a: 1 }, differences: [] },
  { expected: { a: 1 }, found: { a: 2 }, differences: ['/a: expected 1, found 2'] },
  { expected: { a: { b: [1, { c: 2 }] } }, found: { a: { b: [1, { c: 3 }] } }, differences: ['/a/b/1/c: expected 2, found 3'] },
  { expected: { 'x/y': null }, found: {}, differences: ['/x~1y: expected null, found nothing'] },
  { expected: ['a'], found: ['a', 'b'], differences: ['body: expected ["a"], found ["a","b"]'] },
])('differences of $expected and $found', ({ expected, found, differences }) => {
  expect(compareJson(expected, found, '')).toEqual(differences);
});

test('a refusal on one side only is told by its message', () => {
  const refused = answer({ status: 404, body: { kind: 'Status', message: 'none' } });
  expect(compareAnswers([refused], [answer({ body: { a: 1 } })])).toEqual([
    'step 1: GET /x',
    '  status: expected 404, found 200',
    '  expected "none"',
    '  found {"a":1}',
  ]);
});

test('a case that the real server does not fulfil is wrong itself', () => {
  expect(compareAnswers([answer({ failure: 'never came' })], [answer({})])[0]).toBe(
    'the case is wrong: GET /x: the real API server never came',
  );
});

test('nothing is said of what follows a preparation that failed', () => {
  const differences = compareAnswers([answer({}), answer({ call: 'GET /y' })], [answer({ failure: 'preparation failed' })]);
  expect(differences).toEqual(['step 1: GET /x', '  preparation failed']);
});

test('an answer too many is told', () => {
  expect(compareAnswers([], [answer({ failure: 'preparation failed' })])).toEqual(['GET /x: preparation failed']);
});
