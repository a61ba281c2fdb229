import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnsweredAddsFile, openAnsweredAdds } from './answered-adds.ts';

let folder: string;
let file: string;
const opened: AnsweredAddsFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flf-answered-'));
  file = join(folder, 'answered');
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  rmSync(folder, { recursive: true, force: true });
});

const A = 'a'.repeat(16);
const B = 'b'.repeat(16);
function open(isRecorded: (id: string) => boolean = () => true, log: (line: string) => void = () => {}): AnsweredAddsFile {
  const answered = openAnsweredAdds({ file, isRecorded, log });
  opened.push(answered);
  return answered;
}

describe('answered ADDs', () => {
  it('are known after a restart, unless they were deleted', () => {
    const first = open();
    first.add(A);
    first.add(B);
    first.delete(A);
    expect([first.has(A), first.has(B)]).toEqual([false, true]);
    // Killed: nothing is closed.
    const second = open();
    expect([second.has(A), second.has(B)]).toEqual([false, true]);
    expect(readFileSync(file, 'utf8')).toBe(`+${B}\n`);
    expect(readdirSync(folder)).toEqual(['answered']);
  });

  it('are forgotten with their records', () => {
    open().add(A);
    expect(open((id) => id !== A).has(A)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('are read over what was cut off or is not ours', () => {
    writeFileSync(file, `+${A}\nnonsense\n+\n+${B.slice(1)}`);
    const answered = open();
    expect([answered.has(A), answered.has(B)]).toEqual([true, false]);
  });

  it('stay in a file of bounded size', () => {
    const answered = openAnsweredAdds({ file, isRecorded: () => true, log: () => {}, rewriteSize: 1000 });
    opened.push(answered);
    for (let round = 0; round < 200; round++) {
      answered.add(A);
      answered.delete(A);
    }
    answered.add(B);
    expect(readFileSync(file, 'utf8').length).toBeLessThan(1100);
    expect(open().has(B)).toBe(true);
  });

  it('are known for as long as the process lives where they can not be kept', () => {
    mkdirSync(`${file}.new`);
    const lines: string[] = [];
    const answered = open(undefined, (line) => lines.push(line));
    answered.add(A);
    expect(answered.has(A)).toBe(true);
    expect(lines).toEqual(['it is not kept which ADDs were answered']);
  });
});
