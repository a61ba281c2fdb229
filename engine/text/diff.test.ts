import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffHunks, diffLines, unifiedDiff } from './diff.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

/** Length of the longest common subsequence, by the book. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
    }
  }
  return table[a.length]![b.length]!;
}

describe('an edit script', () => {
  test('holds both texts, and is as short as can be', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const script = diffLines(before, after);
        expect(script.filter(({ kind }) => kind !== 'added').map(({ text }) => text)).toEqual(before);
        expect(script.filter(({ kind }) => kind !== 'removed').map(({ text }) => text)).toEqual(after);
        expect(script.filter(({ kind }) => kind === 'same').length).toBe(longestCommon(before, after));
      }),
      { numRuns: 500 },
    );
  });

  test('of two long texts without a common line', () => {
    const before = Array.from({ length: 5000 }, (_, i) => `a${i}`);
    const after = Array.from({ length: 5000 }, (_, i) => `b${i}`);
    expect(diffLines(before, after).length).toBe(10_000);
  });
});

describe('a unified diff', () => {
  test('shows changes with context', () => {
    const before = 'one\ntwo\nthree\nfour\nfive\nsix\n';
    const after = 'one\ntwo\n3\nfour\nfive\nsix\nseven\n';
    expect(unifiedDiff(before, after, { context: 1 })).toBe('@@ -2,3 +2,3 @@\n two\n-three\n+3\n four\n@@ -6 +6,2 @@\n six\n+seven\n');
  });

  test('joins changes that are near', () => {
    expect(diffHunks('a\nb\nc\nd\ne\n', 'A\nb\nc\nd\nE\n').map(({ header }) => header)).toEqual(['@@ -1,5 +1,5 @@']);
  });

  test('counts lines as diff -u does', () => {
    expect(unifiedDiff('', 'a\nb\n')).toBe('@@ -0,0 +1,2 @@\n+a\n+b\n');
    expect(unifiedDiff('a\n', '')).toBe('@@ -1 +0,0 @@\n-a\n');
    expect(unifiedDiff('a\n', 'a\n')).toBe('');
  });

  test('applied, it gives the new text', () => {
    fc.assert(
      fc.property(lines, lines, fc.nat(3), (before, after, context) => {
        const result: string[] = [];
        let at = 0;
        for (const hunk of diffHunks(before.map((l) => `${l}\n`).join(''), after.map((l) => `${l}\n`).join(''), { context })) {
          const [, start = '', count] = /^@@ -(\d+)(?:,(\d+))?/.exec(hunk.header) ?? [];
          const from = Number(start) - (count === '0' ? 0 : 1);
          result.push(...before.slice(at, from));
          result.push(...hunk.lines.filter(({ kind }) => kind !== 'removed').map(({ text }) => text));
          at = from + hunk.lines.filter(({ kind }) => kind !== 'added').length;
        }
        result.push(...before.slice(at));
        expect(result).toEqual(after);
      }),
    );
  });
});
