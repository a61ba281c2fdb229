import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { faultAnswer } from './fault-answer.ts';
import { createSpool } from './spool.ts';
import { type Answer, formatInvocation, type Invocation } from './wire.ts';

const DONE: Answer = { exitCode: 0, stdout: '', stderr: '' };
const name = (time: number, pid = 1): string => `${String(time).padStart(19, '0')}-${pid}`;
const call = (container: string, verb = 'DEL', ifName = 'eth0'): Invocation => ({
  environment: new Map([
    ['CNI_COMMAND', verb],
    ['CNI_CONTAINERID', container],
    ['CNI_IFNAME', ifName],
  ]),
  stdin: '{}',
});

describe('the spool', () => {
  let folder: string;
  let asked: string[];
  let lines: string[];
  const clock = manualClock(1_000_000_000);
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'fairlead-spool-')), 'spool');
    asked = [];
    lines = [];
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

  const spool = (handle: (invocation: Invocation) => Answer | Promise<Answer> = () => DONE) =>
    createSpool({
      folder,
      clock,
      log: (_, message) => void lines.push(message),
      async handle(invocation) {
        asked.push(`${invocation.environment.get('CNI_COMMAND')} ${invocation.environment.get('CNI_CONTAINERID')}`);
        return handle(invocation);
      },
    });
  const keep = (file: string, invocation: Invocation | string): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, file), typeof invocation === 'string' ? invocation : formatInvocation(invocation));
  };
  const files = () => readdirSync(folder, { recursive: true }).sort();

  it('does each DEL in the order in which it was kept, and removes its file', async () => {
    keep(name(2), call('b'));
    keep(name(1), call('a'));
    keep(name(30), call('c'));
    expect(await spool().perform()).toEqual({ done: 3, left: 0 });
    expect(asked).toEqual(['DEL a', 'DEL b', 'DEL c']);
    expect(files()).toEqual([]);
  });

  it('sets aside what is no file, which would never be read to its end, and follows no links', async () => {
    keep(name(1), call('a'));
    mkdirSync(join(folder, name(2)));
    symlinkSync(join(folder, name(1)), join(folder, name(3)));
    expect(await spool().perform()).toEqual({ done: 1, left: 0 });
    expect(asked).toEqual(['DEL a']);
    expect(files()).toEqual(['unreadable', `unreadable/${name(2)}`, `unreadable/${name(3)}`]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('keeps what fails, and tries it again', async () => {
    keep(name(1), call('a'));
    let answer = faultAnswer({ code: 11, msg: 'later' });
    const kept = spool(() => answer);
    expect(await kept.perform()).toEqual({ done: 0, left: 1 });
    expect(files()).toEqual([name(1)]);
    answer = DONE;
    expect(await kept.perform()).toEqual({ done: 1, left: 0 });
    expect(files()).toEqual([]);
  });

  it.each([1, 4, 6, 7])('sets aside what can never be done, as code %i says', async (code) => {
    keep(name(1), call('a'));
    await spool(() => faultAnswer({ code, msg: 'wrong' })).perform();
    expect(files()).toEqual(['unreadable', `unreadable/${name(1)}`]);
    expect(lines).toEqual(['kept DEL can never be done; it is set aside']);
  });

  it.each([
    ['bytes that are no invocation', 'x'],
    ['an empty file', ''],
    ['an ADD', call('a', 'ADD')],
  ])('sets aside %s, and does the others', async (_, invocation) => {
    keep(name(1), invocation);
    keep(name(2), call('b'));
    expect(await spool().perform()).toEqual({ done: 1, left: 0 });
    expect(asked).toEqual(['DEL b']);
    expect(files()).toEqual(['unreadable', `unreadable/${name(1)}`]);
  });

  it('leaves alone what is being written, and removes what will never be', async () => {
    keep(`.${name(1)}`, 'half');
    keep(`.${name(2)}`, 'half');
    keep('note', 'of somebody');
    const now = clock.now() / 1000;
    utimesSync(join(folder, `.${name(1)}`), now - 601, now - 601);
    utimesSync(join(folder, `.${name(2)}`), now, now);
    await spool().perform();
    expect(files()).toEqual([`.${name(2)}`, 'note']);
    expect(asked).toEqual([]);
  });

  it('does what is kept for one interface before something is made for it', async () => {
    keep(name(1), call('a'));
    keep(name(2), call('b'));
    keep(name(3), call('a', 'DEL', 'net1'));
    keep(name(4), call('a'));
    expect(await spool().performFor('a', 'eth0')).toBeUndefined();
    expect(asked).toEqual(['DEL a', 'DEL a']);
    expect(files()).toEqual([name(2), name(3)]);
  });

  it('says why something is left of it', async () => {
    keep(name(1), call('a'));
    const kept = spool(() => faultAnswer({ code: 100, msg: 'the link is busy' }));
    expect(await kept.performFor('a', 'eth0')).toBe('the link is busy');
    expect(await kept.performFor('b', 'eth0')).toBeUndefined();
  });

  it('does nothing twice at the same time', async () => {
    keep(name(1), call('a'));
    let end = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      end = resolve;
    });
    const kept = spool(() => waiting.then(() => DONE));
    const all = kept.perform();
    const one = kept.performFor('a', 'eth0');
    end();
    expect([await all, await one]).toEqual([{ done: 1, left: 0 }, undefined]);
    expect(asked).toEqual(['DEL a']);
  });

  it('looks into its folder again and again until it is closed', async () => {
    const kept = spool();
    kept.watch();
    keep(name(1), call('a'));
    clock.advance(30_000);
    await kept.perform();
    expect(asked).toEqual(['DEL a']);
    await kept.close();
    keep(name(2), call('b'));
    clock.advance(60_000);
    expect(asked).toEqual(['DEL a']);
    expect(clock.pending()).toBe(0);
  });

  it('says how many wait', () => {
    keep(name(1), call('a'));
    keep(`.${name(2)}`, call('b'));
    expect(spool().waiting()).toBe(1);
  });
});
