import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Json, jsonEqual } from '../../engine/object/json.ts';
import { parseJsonBody } from '../host/json-body.ts';
import { RecordLog, RecordLogError } from './record-log.ts';

let folder: string;
let file: string;
let logs: RecordLog[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flb-log-'));
  file = join(folder, 'journal');
  logs = [];
});

afterEach(async () => {
  for (const log of logs) await log.close();
  rmSync(folder, { recursive: true });
});

interface Opened {
  readonly log: RecordLog;
  readonly values: readonly unknown[];
  readonly said: readonly string[];
}

interface Circumstances {
  readonly rebooted?: boolean;
  readonly crashPoint?: (name: string) => void;
}

function open({ rebooted = false, crashPoint = () => {} }: Circumstances = {}): Opened {
  const values: unknown[] = [];
  const said: string[] = [];
  const log = RecordLog.open({
    file,
    read: (value) => values.push(value),
    rebooted: () => rebooted,
    log: (line) => said.push(line),
    crashPoint,
  });
  logs.push(log);
  return { log, values, said };
}

/** The lines, without the zeros that follow. */
const text = (): string => readFileSync(file, 'utf8').replace(/\0+$/, '');

describe('a log', () => {
  it('gives back what was appended, in order', () => {
    const { log, values } = open();
    expect(values).toEqual([]);
    const given = [{ a: 1 }, 'text\nwith\0everything\u2028\ud800', [null, 12345678901234567890n], { ['__proto__']: 1 }];
    for (const value of given) log.append(value);
    expect(open().values).toEqual(given);
  });

  it('is for its owner alone', () => {
    open().log.append(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('has lines that a person can read', () => {
    const { log } = open();
    log.append({ kind: 'state' });
    expect(text()).toMatch(/^[0-9a-f]{8} 16 0 \{"kind":"state"\}\n$/);
  });

  it('passes over a last line that was not written to its end, wherever it ends', () => {
    const { log } = open();
    log.append('first');
    const first = text();
    log.append('second');
    const whole = text();
    for (let length = first.length + 1; length < whole.length; length++) {
      writeFileSync(file, whole.slice(0, length));
      const again = open();
      expect(again.values).toEqual(['first']);
      expect(again.said).toHaveLength(1);
      again.log.append('third');
      expect(open().values).toEqual(['first', 'third']);
    }
  });

  it.each([
    ['a byte', (content: string) => content.replace('second', 'sEcond')],
    ['its length', (content: string) => content.replace(' 8 0 "second"', ' 9 0 "second"')],
    ['its newline', (content: string) => content.replace('"second"\n', '"second" ')],
    ['itself', (content: string) => content.replace(/.*"second"/, (line) => '\0'.repeat(line.length))],
  ])('is an error when a line in the middle lost %s', (_, damage) => {
    const { log } = open();
    for (const value of ['first', 'second', 'third']) log.append(value);
    writeFileSync(file, damage(text()));
    expect(() => open()).toThrow(
      `${file}: line 2 is damaged, and lines follow it: keep a copy of the file, delete that line (sed -i 2d), start again, and collect what no record knows any more (fairlead cni gc)`,
    );
  });

  it('can be read when a line was deleted by hand', () => {
    const { log } = open();
    for (const value of ['first', 'second', 'third']) log.append(value);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/.*"second"\n/, ''));
    expect(open().values).toEqual(['first', 'third']);
  });

  it('ends after a start of the machine where what nobody waited for was lost, but not before what somebody did', async () => {
    const { log } = open();
    log.append('first');
    await log.sync();
    for (const value of ['second', 'third']) log.append(value);
    const lost = (name: string): string => text().replace(new RegExp(`.*"${name}"`), (line) => '\0'.repeat(line.length));
    const whole = text();
    writeFileSync(file, lost('second'));
    expect(open({ rebooted: true })).toMatchObject({
      values: ['first'],
      said: [expect.stringContaining('was lost when the machine stopped')],
    });
    writeFileSync(file, whole);
    writeFileSync(file, lost('first'));
    expect(() => open({ rebooted: true })).toThrow('line 1 is damaged');
  });

  it('refuses a value that is too long, and goes on', () => {
    const { log } = open();
    expect(() => log.append('x'.repeat(17 * 1024 * 1024))).toThrow(/too long/);
    log.append('short');
    expect(open().values).toEqual(['short']);
  });

  it('refuses a file that is something else', () => {
    writeFileSync(file, 'a letter\nto somebody\n');
    expect(() => open()).toThrow(RecordLogError);
  });
});

describe('sync', () => {
  it('lets those who wait at the same time share a write of the disk', async () => {
    const { log } = open();
    for (let i = 0; i < 100; i++) log.append(i);
    await Promise.all(Array.from({ length: 100 }, () => log.sync()));
    log.append('last');
    // A line says how much was on disk before it.
    const before = text().length - text().split('\n').at(-2)!.length - 1;
    expect(text().split('\n').at(-2)).toContain(` ${before} "last"`);
  });
});

describe('rewrite', () => {
  it('replaces the content, and what was appended meanwhile follows', async () => {
    const { log } = open();
    for (let i = 0; i < 1000; i++) log.append({ i });
    const before = log.size;
    const rewriting = log.rewrite(['snapshot', 12n]);
    log.append('meanwhile');
    await rewriting;
    log.append('after');
    expect(log.size).toBeLessThan(before);
    expect(open().values).toEqual(['snapshot', 12, 'meanwhile', 'after']);
    expect(existsSync(`${file}.new`)).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each(['rewrite written', 'before rename', 'after rename'])('is all or nothing when the process dies (%s)', async (death) => {
    let armed = true;
    const { log } = open({
      crashPoint: (name) => {
        if (armed && name === death) throw new Error('dead');
      },
    });
    log.append('old');
    const rewriting = log.rewrite(['snapshot']);
    log.append('meanwhile');
    await expect(rewriting).rejects.toThrow();
    armed = false;
    expect(open().values).toEqual(death === 'after rename' ? ['snapshot', 'meanwhile'] : ['old', 'meanwhile']);
  });

  it('throws away what a process left that died in it', () => {
    open().log.append('old');
    writeFileSync(`${file}.new`, 'half of');
    expect(open().values).toEqual(['old']);
    expect(existsSync(`${file}.new`)).toBe(false);
  });
});

describe('any sequence', () => {
  // As the engine holds it: an integer that a number does not hold is a bigint.
  const value = fc.jsonValue().map((each) => parseJsonBody(Buffer.from(JSON.stringify(each))) as Json);

  it('of appends, waits, rewrites and restarts loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(value, fc.constantFrom('#sync', '#rewrite', '#restart'))), async (acts) => {
        rmSync(file, { force: true });
        let { log } = open();
        let expected: Json[] = [];
        for (const act of acts) {
          if (act === '#sync') await log.sync();
          else if (act === '#rewrite') await log.rewrite(expected);
          else if (act === '#restart') {
            const again = open();
            expect(jsonEqual(again.values as Json, expected)).toBe(true);
            log = again.log;
          } else {
            log.append(act);
            expected = [...expected, act];
          }
        }
        expect(jsonEqual(open().values as Json, expected)).toBe(true);
        for (const each of logs.splice(0)) await each.close();
      }),
      { numRuns: 50 },
    );
  });
});
