import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { Effect } from '../../engine/step/effect.ts';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { createHost, type Host } from './host.ts';

/* What needs no kernel. `host.kernel.test.ts` is about what does. */

describe('a host', () => {
  let clock: ManualClock;
  let host: Host;
  beforeEach(() => {
    clock = manualClock();
    host = createHost({
      clock,
      custom: new Map<string, (request: JsonObject) => Promise<unknown>>([
        ['echo', (request) => Promise.resolve(request)],
        ['fail', () => Promise.reject(new Error('by itself'))],
      ]),
    });
  });
  afterEach(() => host.close());

  it('asks who performs the effects of a floor above, by their names', async () => {
    expect(await host.perform({ kind: 'custom', name: 'echo', request: { a: 1 } })).toEqual({ a: 1 });
    await expect(host.perform({ kind: 'custom', name: 'toString', request: {} })).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('waits, until it is given up', async () => {
    const waiting = host.perform({ kind: 'pause', milliseconds: 100 });
    clock.advance(100);
    await waiting;
    const abort = new AbortController();
    const given = host.perform({ kind: 'pause', milliseconds: 100 }, abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'timeout' });
    expect(clock.pending()).toBe(0);
  });

  it('begins effects of no order at once, and throws the first failure of their order when all have ended', async () => {
    let isDone = false;
    const effects: readonly Effect[] = [
      { kind: 'pause', milliseconds: 50 },
      { kind: 'custom', name: 'none', request: {} },
      { kind: 'custom', name: 'fail', request: {} },
    ];
    const all = host.perform({ kind: 'all', effects }).finally(() => {
      isDone = true;
    });
    all.catch(() => {});
    await setImmediate();
    expect(isDone).toBe(false);
    clock.advance(50);
    await expect(all).rejects.toMatchObject({ code: 'unsupported' });
    expect(await host.perform({ kind: 'all', effects: [{ kind: 'custom', name: 'echo', request: {} }] })).toEqual([{}]);
  });

  it.each<[string, Effect, string]>([
    ['a program', { kind: 'run', program: 'sh', arguments: [] }, 'program'],
    ['a call', { kind: 'http', method: 'GET', url: 'http://127.0.0.1/', headers: {} }, 'invalid'],
    ['a memory', { kind: 'remember', value: 1 }, 'unsupported'],
    ['a word that would end its line', { kind: 'show', program: 'ip', netns: undefined, words: ['link', 'show\n'] }, 'invalid'],
    ['a script that would read a file', { kind: 'nft', netns: undefined, script: 'include "/etc/passwd"' }, 'invalid'],
    ['a key outside', { kind: 'sysctl-read', netns: undefined, key: 'net/../../self/environ' }, 'invalid'],
    ['a table that is none', { kind: 'iptables-save', family: 4, table: '-f' }, 'invalid'],
    ['a script of iptables that is more', { kind: 'iptables', family: 4, script: '*nat\n--modprobe=/tmp/x\nCOMMIT\n' }, 'invalid'],
    ['a path that is none', { kind: 'read-file', path: 'etc/passwd', limit: 1 }, 'invalid'],
    ['a namespace that can have no path', { kind: 'sysctl-read', netns: 'a\nb', key: 'net/x' }, 'invalid'],
  ])('does not perform %s without leave', async (_, effect, code) => {
    await expect(host.perform(effect)).rejects.toMatchObject({ name: 'EffectError', code });
  });

  it('performs nothing for who has given up', async () => {
    await expect(host.perform({ kind: 'custom', name: 'echo', request: {} }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'timeout',
    });
  });
});
