import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderByReferences } from './order.ts';

/** `{ b: 'a' }`: b refers to a. */
const graph = (edges: Readonly<Record<string, string>>) =>
  new Map(Object.entries(edges).map(([id, to]) => [id, [...to].map((each) => ({ to: each, path: [id, each] }))] as const));

test.each<[Readonly<Record<string, string>>, string, readonly number[]]>([
  [{ a: '', b: '' }, 'ab', [0, 0]],
  [{ b: 'a', a: '' }, 'ab', [0, 1]],
  [{ c: 'ba', b: 'a', a: '' }, 'abc', [0, 1, 2]],
  [{ d: 'bc', c: 'a', b: 'a', a: '' }, 'abcd', [0, 1, 1, 2]],
  [{ a: 'x' }, 'a', [0]],
])('%j', (edges, ids, levels) => {
  const result = orderByReferences(graph(edges));
  if (!result.ok) throw new Error(result.cycle.join());
  expect(result.order.ids.join('')).toBe(ids);
  expect(result.order.ids.map((id) => result.order.levels.get(id))).toEqual(levels);
});

test.each<[Readonly<Record<string, string>>, string]>([
  [{ a: 'a' }, 'aa'],
  [{ a: 'b', b: 'a' }, 'aba'],
  [{ x: 'a', a: 'b', b: 'c', c: 'a' }, 'abca'],
])('%j goes round in a circle', (edges, cycle) => {
  const result = orderByReferences(graph(edges));
  expect(result.ok ? '' : result.cycle.join('')).toBe(cycle);
  expect(result.ok ? [] : result.edge.path).toEqual([cycle.at(-2), cycle.at(-1)]);
});

describe('whatever refers to what', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  test('either all references point back, or a circle is named that is one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids)), { maxLength: 12 }), (pairs) => {
        const edges = new Map(ids.map((id) => [id, pairs.filter(([from]) => from === id).map(([, to]) => ({ to, path: [] }))]));
        const result = orderByReferences(edges);
        const refers = (from: string, to: string) => pairs.some((pair) => pair[0] === from && pair[1] === to);
        if (!result.ok) {
          for (let i = 1; i < result.cycle.length; i++) expect(refers(result.cycle[i - 1]!, result.cycle[i]!)).toBe(true);
          return;
        }
        const { ids: order, levels } = result.order;
        expect([...order].sort()).toEqual(ids);
        for (const [from, to] of pairs) {
          expect(order.indexOf(to)).toBeLessThan(order.indexOf(from));
          expect(levels.get(to)!).toBeLessThan(levels.get(from)!);
        }
      }),
    );
  });
});
