import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judge, readKnownFailures } from './known-failures.ts';

const outcomes = new Map([
  ['a', 'passed'],
  ['b', 'failed'],
  ['c', 'skipped'],
] as const);

test.each([
  { known: ['b'], complete: true, unexpected: [], fixed: [], stale: [] },
  { known: [], complete: true, unexpected: ['b'], fixed: [], stale: [] },
  { known: ['a', 'b'], complete: true, unexpected: [], fixed: ['a'], stale: [] },
  { known: ['b', 'gone'], complete: true, unexpected: [], fixed: [], stale: ['gone'] },
  { known: ['b', 'gone'], complete: false, unexpected: [], fixed: [], stale: [] },
  { known: ['b', 'c'], complete: true, unexpected: [], fixed: [], stale: [] },
])('known $known, complete $complete', ({ known, complete, ...expected }) => {
  expect(judge(outcomes, new Set(known), complete)).toEqual(expected);
});

test('a list has one name per line and says why in lines that begin with #', () => {
  const folder = mkdtempSync(join(tmpdir(), 'known-failures-'));
  try {
    const file = join(folder, 'known-failures.txt');
    writeFileSync(file, '# protobuf messages are left out\nproto2/set # with hash\n\nproto3/empty\n');
    expect([...readKnownFailures(file)]).toEqual(['proto2/set # with hash', 'proto3/empty']);
    expect(readKnownFailures(join(folder, 'absent.txt')).size).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
