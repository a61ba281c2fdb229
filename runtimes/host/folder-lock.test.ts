import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { holdFolder } from './folder-lock.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'fairlead-lock-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('makes the folder, and leaves no lock behind', () => {
  const folder = join(parent, 'a', 'b');
  const release = holdFolder(folder);
  expect(readFileSync(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}( \\d+)?\n$`));
  release();
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

it('refuses a folder that a running process holds', () => {
  writeFileSync(join(parent, 'lock'), `${process.ppid}\n`);
  expect(() => holdFolder(parent)).toThrow(`${parent}: process ${process.ppid} works with it`);
  expect(readFileSync(join(parent, 'lock'), 'utf8')).toBe(`${process.ppid}\n`);
});

it('refuses a folder that a process holds that found its disk full', () => {
  symlinkSync(`${process.ppid}`, join(parent, 'lock'));
  expect(() => holdFolder(parent)).toThrow(`${parent}: process ${process.ppid} works with it`);
  rmSync(join(parent, 'lock'));
  symlinkSync('999999999', join(parent, 'lock'));
  holdFolder(parent)();
  expect(readdirSync(parent)).toEqual([]);
});

it.skipIf(!existsSync('/proc/self/stat'))(
  'is taken over from a process that was killed, though its parent does not want to know',
  async () => {
    // What the shell has begun ends when it is told to, and by then the shell has become something that waits for nobody.
    const careless = spawn('sh', ['-c', 'cat <&3 >/dev/null & echo $!; exec sleep 600 3<&-'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    try {
      const [pid] = (await once(careless.stdout!, 'data')).toString().split('\n');
      const stat = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
      const name = () => readFileSync(`/proc/${careless.pid}/comm`, 'latin1').trim();
      await vi.waitFor(() => expect(name()).toBe('sleep'), { timeout: 15_000 });
      (careless.stdio[3] as Writable).end();
      await vi.waitFor(() => expect(stat()[0]).toBe('Z'), { timeout: 15_000 });
      writeFileSync(join(parent, 'lock'), `${pid} ${stat()[19]}\n`);
      holdFolder(parent)();
    } finally {
      careless.kill('SIGKILL');
    }
  },
);

it.skipIf(!existsSync('/proc/self/stat'))('is taken over where another process has the number of its holder by now', () => {
  writeFileSync(join(parent, 'lock'), `${process.ppid} 99999999999999\n`);
  holdFolder(parent)();
});

it.each([
  ['of a process that is gone', '999999999'],
  ['that is torn', ''],
  ['of a process that is gone, with its beginning', '999999999 17'],
  ['of its own number', `${process.pid}`],
])('takes over a lock %s', (_, text) => {
  writeFileSync(join(parent, 'lock'), text);
  holdFolder(parent)();
});

it('says when it is a file', () => {
  writeFileSync(join(parent, 'file'), '');
  expect(() => holdFolder(join(parent, 'file'))).toThrow('is not a folder');
  expect(() => holdFolder(join(parent, 'file', 'x'))).toThrow('is below something that is not a folder');
});
