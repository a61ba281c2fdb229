import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../host/clock.ts';
import { Channel } from './channel.ts';
import { findProgram } from './child.ts';
import { iprouteFraming } from './framing.ts';
import { NamespaceEntry } from './namespace-entry.ts';
import { BY_SHELL, byPerl, type NamespaceProgram } from './namespace-program.ts';

const lacks =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'needs root on Linux'
    : ['ip', 'nsenter', 'unshare', 'perl'].filter((program) => findProgram(program) === undefined).join(', ') ||
      (spawnSync('unshare', ['--net', 'true']).status === 0 ? '' : 'may not make network namespaces');

const OURS = `fle${process.pid.toString(36)}-`;
const ip = (...words: readonly string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
const pathOf = (name: string): string => `/run/netns/${OURS}${name}`;
const KEY = 'net/ipv4/conf/lo/arp_notify';
const IP = ['ip', '-json', '-force', '-batch', '-'];
/** Milliseconds until something counts as stuck. */
const DEADLINE = 20_000;

const PERL = byPerl();
const FORMS: readonly (readonly [name: string, program: NamespaceProgram])[] = [
  ['by nsenter and a shell', BY_SHELL],
  ...(PERL === undefined ? [] : [['by perl', PERL] as const]),
];

describe.skipIf(lacks !== '')(`entering namespaces${lacks === '' ? '' : ` (skipped: ${lacks})`}`, () => {
  beforeAll(() => {
    for (const name of ['a', 'b']) ip('netns', 'add', `${OURS}${name}`);
    ip('-n', `${OURS}a`, 'link', 'add', 'only-a', 'type', 'bridge');
  });
  afterAll(() => {
    for (const name of ['a', 'b']) ip('netns', 'del', `${OURS}${name}`);
  });

  describe.each(FORMS)('%s', (_, program) => {
    const enter = (path: string, entry = new NamespaceEntry(program, systemClock)): NamespaceEntry => {
      entry.enter(path);
      return entry;
    };
    const resident = (entry: NamespaceEntry, words = IP): Channel =>
      new Channel(entry.start(words, DEADLINE), iprouteFraming('ip'), systemClock);

    it('writes and shows values of the namespace that it is in, one after the other', async () => {
      const entry = enter(pathOf('a'));
      expect(await entry.ask(`w ${KEY} 1`, DEADLINE)).toMatchObject({ kind: 'answered', failed: false });
      expect(await entry.ask(`r ${KEY}`, DEADLINE)).toMatchObject({ text: '1\n', failed: false });
      expect(await entry.leave(DEADLINE)).toBe(true);
      enter(pathOf('b'), entry);
      expect(await entry.ask(`r ${KEY}`, DEADLINE)).toMatchObject({ text: '0\n', failed: false });
      expect(await entry.leave(DEADLINE)).toBe(true);
      enter(pathOf('a'), entry);
      expect(await entry.ask(`r ${KEY}`, DEADLINE)).toMatchObject({ text: '1\n', failed: false });
      entry.close();
      expect(await entry.failure).toBeUndefined();
    });

    it('says of a value what stands in its way, and goes on', async () => {
      const entry = enter(pathOf('a'));
      expect(await entry.ask('w net/ipv4/conf/none/arp_notify 1', DEADLINE)).toMatchObject({
        text: expect.stringMatching(/nonexistent|No such file/),
        failed: true,
      });
      expect(await entry.ask(`w ${KEY} many`, DEADLINE)).toMatchObject({ failed: true });
      expect(await entry.ask('r net/ipv4/conf/none/arp_notify', DEADLINE)).toMatchObject({ failed: true });
      expect(await entry.ask('r net/ipv4/conf/lo/forwarding', DEADLINE)).toMatchObject({ failed: false });
      entry.close();
    });

    it('has the same descriptors for programs of each namespace, without a word of the one before', async () => {
      const entry = enter(pathOf('a'));
      const first = resident(entry);
      expect(await first.ask('link show dev only-a', DEADLINE)).toMatchObject({ kind: 'answered', failed: false });
      expect(first.release()).toBe(true);
      expect(await entry.leave(DEADLINE)).toBe(true);
      enter(pathOf('b'), entry);
      const second = resident(entry);
      expect(await second.ask('link show dev only-a', DEADLINE)).toMatchObject({
        kind: 'answered',
        failed: true,
        text: expect.stringContaining('only-a'),
      });
      expect(await second.ask('link show dev lo', DEADLINE)).toMatchObject({ kind: 'answered', failed: false });
      expect(second.release()).toBe(true);
      expect(await entry.leave(DEADLINE)).toBe(true);
      entry.close();
    });

    it('tells that a program has ended, and enters nothing any more then', async () => {
      const entry = enter(pathOf('a'));
      const channel = resident(entry, ['sleep', '0.1']);
      expect(await channel.ask('link show dev lo', DEADLINE)).toMatchObject({ kind: 'ended' });
      const missing = resident(entry, ['no-such-program-of-fairlead']);
      expect(await missing.ask('link show dev lo', DEADLINE)).toMatchObject({
        kind: 'ended',
        text: expect.stringMatching(/o such|not found/),
      });
      expect(await entry.leave(DEADLINE)).toBe(false);
      entry.close();
    });

    it('ends programs that nobody waits for, whatever they are about', async () => {
      const entry = enter(pathOf('a'));
      resident(entry).release();
      resident(entry, ['sleep', '1000']).release();
      // Both were begun by the time this is answered.
      await entry.ask(`r ${KEY}`, DEADLINE);
      expect(await entry.leave(DEADLINE)).toBe(true);
      entry.close();
    });

    it('leaves at any moment after a program was asked for', async () => {
      const entry = new NamespaceEntry(program, systemClock);
      for (let round = 0; round < 30; round++) {
        enter(pathOf(round % 2 === 0 ? 'a' : 'b'), entry);
        resident(entry).release();
        resident(entry, ['sleep', '1000']).release();
        if (round % 3 === 0) await entry.ask(`r ${KEY}`, DEADLINE);
        expect(await entry.leave(DEADLINE)).toBe(true);
      }
      entry.close();
    });

    it('says why it did not enter, and does nothing then', async () => {
      const entry = enter(pathOf('none'));
      expect(await entry.ask(`r ${KEY}`, DEADLINE)).toMatchObject({ kind: 'ended' });
      expect(await entry.failure).toMatch(/nsenter: .*No such file/);
      expect(entry.isOpen).toBe(false);
      const file = enter('/proc/self/status');
      expect(await file.ask(`r ${KEY}`, DEADLINE)).toMatchObject({ kind: 'ended' });
      expect(await file.failure).toMatch(/nsenter: .*Invalid argument/);
    });

    it('is killed with all that it started', async () => {
      const entry = enter(pathOf('a'));
      const channel = resident(entry, ['sleep', '1000']);
      const asked = channel.ask('link show dev lo', DEADLINE);
      entry.kill();
      expect(await asked).toMatchObject({ kind: 'ended' });
      expect(await entry.leave(DEADLINE)).toBe(false);
    });
  });
});
