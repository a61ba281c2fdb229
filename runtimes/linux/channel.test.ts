import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { Channel } from './channel.ts';
import { fakeChild, fakeIp } from './child-ends.fixture.ts';
import { iprouteFraming } from './framing.ts';

const framing = iprouteFraming('ip');

describe('a channel', () => {
  it('asks without waiting for answers, and gives each its own', async () => {
    const child = fakeIp((line) => ({ says: `${line}!\n`, fails: line === 'b' }));
    const channel = new Channel(child, framing, manualClock());
    expect(await Promise.all(['a', 'b', 'c'].map((line) => channel.ask(line, 1000)))).toEqual([
      { kind: 'answered', text: 'a!\n', failed: false },
      { kind: 'answered', text: 'b!\n', failed: true },
      { kind: 'answered', text: 'c!\n', failed: false },
    ]);
  });

  it('tells which command a child that ended may have done, and what it said of it', async () => {
    const child = fakeIp((line) => (line === 'b' ? undefined : {}));
    const channel = new Channel(child, framing, manualClock());
    const answers = ['a', 'b', 'c'].map((line) => channel.ask(line, 1000));
    expect(await Promise.all(answers)).toEqual([
      { kind: 'answered', text: '', failed: false },
      { kind: 'ended', begun: true, text: '' },
      { kind: 'ended', begun: false, text: '' },
    ]);
    expect(channel.isOpen).toBe(false);
    expect(await channel.ask('d', 1000)).toEqual({ kind: 'ended', begun: false, text: '' });
  });

  it('tells that a child that was dead already has done nothing', async () => {
    const child = fakeChild();
    const channel = new Channel(child, framing, manualClock());
    child.input.destroy();
    const answer = channel.ask('a', 1000);
    child.end();
    expect(await answer).toEqual({ kind: 'ended', begun: false, text: '' });
  });

  it('gives what a child said before it ended', async () => {
    const child = fakeChild();
    const channel = new Channel(child, framing, manualClock());
    const answer = channel.ask('a', 1000);
    child.say('Error: bad\n');
    child.end();
    expect(await answer).toEqual({ kind: 'ended', begun: true, text: 'Error: bad\n' });
  });

  it('counts a deadline from when earlier questions are answered, and kills the child that does not keep it', async () => {
    const clock = manualClock();
    const child = fakeChild();
    const channel = new Channel(child, framing, clock);
    const first = channel.ask('a', 1000);
    const second = channel.ask('b', 1000);
    await setImmediate();
    clock.advance(900);
    child.say('Object "fairlead-end" is unknown, try "ip help".\nCommand failed -:2\n');
    expect(await first).toMatchObject({ kind: 'answered' });
    clock.advance(900);
    expect(child.isKilled).toBe(false);
    clock.advance(100);
    expect(await second).toEqual({ kind: 'timeout', begun: true, text: '' });
    expect(child.isKilled).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  it('ends when its answers are given', async () => {
    const child = fakeIp(() => ({ says: 'x' }));
    const channel = new Channel(child, framing, manualClock());
    const answer = channel.ask('a', 1000);
    const closed = channel.close();
    expect(await answer).toEqual({ kind: 'answered', text: 'x', failed: false });
    await closed;
    await channel.close();
  });

  it('takes characters apart nowhere', async () => {
    const child = fakeChild();
    const channel = new Channel(child, framing, manualClock());
    const answer = channel.ask('a', 1000);
    const bytes = Buffer.from('ä€😀\nObject "fairlead-end" is unknown, try "ip help".\nCommand failed -:2\n');
    for (const byte of bytes) (child.output as import('node:stream').PassThrough).write(Buffer.from([byte]));
    expect(await answer).toMatchObject({ text: 'ä€😀\n' });
  });
});
