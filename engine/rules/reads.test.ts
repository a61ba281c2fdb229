import { expect, test } from 'vitest';
import { createEnvironment } from '../cel/create-environment.ts';
import { DYN, listOf, mapOf, STRING } from '../cel/types.ts';
import { mergeDemand, readsOf } from './reads.ts';

const environment = createEnvironment({
  variables: { a: DYN, b: DYN, list: listOf(DYN), map: mapOf(STRING, DYN), now: DYN },
  homogeneousLiterals: false,
});

function reads(text: string): Record<string, unknown> {
  const compiled = environment.compile(text);
  if (!compiled.ok) throw new Error(compiled.issues[0]?.message);
  return Object.fromEntries(readsOf(compiled.program.ast));
}

test.each<[string, unknown]>([
  ['1 + 2', {}],
  ['a', { a: true }],
  ['a.b.c', { a: { b: { c: true } } }],
  ['a.b == a.c', { a: { b: true, c: true } }],
  ['a.b.c + a.b', { a: { b: true } }],
  ['a.?b.?c.orValue(1)', { a: { b: { c: true } } }],
  ['a.?b.orValue({}).c', { a: { b: { c: true } } }],
  ["a['x'].y", { a: { x: { y: true } } }],
  ['a[b.i].y', { a: { '*': { y: true } }, b: { i: true } }],
  ['a.list[0].y', { a: { list: { '*': { y: true } } } }],
  ['has(a.b.c)', { a: { b: { c: true } } }],
  ['size(a.b)', { a: { b: true } }],
  ['a.list.all(x, x.p > 0 && x.q.r)', { a: { list: { '*': { p: true, q: { r: true } } } } }],
  ['list.exists(x, x.p == a.q)', { list: { '*': { p: true } }, a: { q: true } }],
  ['list.filter(x, x.p > 0)', { list: { '*': true } }],
  ['list.map(x, x.p)', { list: { '*': { p: true } } }],
  ['list.map(x, x.p, x.q)', { list: { '*': { p: true, q: true } } }],
  ['list.all(x, true)', { list: true }],
  ['map.all(k, k.startsWith("a"))', { map: true }],
  ['map.all(k, v, v.p == k)', { map: { '*': { p: true } } }],
  ['list.all(a, a.p)', { list: { '*': { p: true } } }],
  ['a.?b.optMap(x, x.c).orValue(1)', { a: { b: true } }],
  ['{"x": a.b, "y": [a.c]}', { a: { b: true, c: true } }],
  ['a.b ? a.c.d : a.e', { a: { b: true, c: { d: true }, e: true } }],
  ['a.b.split(",")[0]', { a: { b: true } }],
])('%s reads %j', (text, expected) => {
  expect(reads(text)).toEqual(expected);
});

test('demands together', () => {
  expect(mergeDemand({ a: { b: true } }, { a: { c: true }, d: true })).toEqual({ a: { b: true, c: true }, d: true });
  expect(mergeDemand({ a: true }, { a: { c: true } })).toEqual({ a: true });
  expect(mergeDemand(undefined, { a: true })).toEqual({ a: true });
});
