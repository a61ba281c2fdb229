import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, jsonEqual } from './json.ts';
import { applyMergePatch, diffMergePatch } from './merge-patch.ts';

describe('applyMergePatch', () => {
  // RFC 7386, appendix A.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, result) => {
    const before = structuredClone(target);
    expect(applyMergePatch(target, patch)).toEqual(result);
    expect(target).toEqual(before);
  });

  it('shares what it leaves, and answers the target itself when nothing changes', () => {
    const target = { a: { b: 1 }, c: { d: [1] } };
    expect((applyMergePatch(target, { a: { b: 2 } }) as typeof target).c).toBe(target.c);
    expect(applyMergePatch(target, { a: { b: 1, x: null }, c: { d: [1] } })).toBe(target);
  });

  it('takes hostile keys for keys', () => {
    const result = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true},"toString":null}') as Json);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  const values = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

  it('law: the difference, applied, gives the other value', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const patch = diffMergePatch(before, after);
        return patch === undefined || jsonEqual(applyMergePatch(before, patch), after);
      }),
      { numRuns: 1000 },
    );
    expect(diffMergePatch({ a: 1, b: { c: 1, d: 2 } }, { b: { c: 1, d: 3 } })).toEqual({ a: null, b: { d: 3 } });
    expect(diffMergePatch({}, { a: { b: null } })).toBeUndefined();
  });

  it('law: applying twice is applying once', () => {
    fc.assert(
      fc.property(values, values, (target, patch) => {
        const once = applyMergePatch(target, patch);
        return applyMergePatch(once, patch) === once || jsonEqual(applyMergePatch(once, patch), once);
      }),
    );
  });
});
