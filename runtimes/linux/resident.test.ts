import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { type FakeChild, fakeChild, fakeIp } from './child-ends.fixture.ts';
import { iprouteFraming } from './framing.ts';
import { Resident, type ResidentOptions } from './resident.ts';

function residentOf(start: (number: number) => FakeChild, more: Partial<ResidentOptions> = {}) {
  const children: FakeChild[] = [];
  const clock: ManualClock = manualClock();
  const resident = new Resident({
    name: 'ip',
    start: () => {
      const child = start(children.length);
      children.push(child);
      return child;
    },
    framing: iprouteFraming('ip'),
    clock,
    maxAge: 1000,
    keepsSpare: false,
    ...more,
  });
  return { resident, children, clock };
}

const ask = { deadline: 1000 };

describe('a resident', () => {
  it('is started when it is first asked, and stays', async () => {
    const { resident, children } = residentOf(() => fakeIp((line) => ({ says: line })));
    expect(children).toHaveLength(0);
    expect(await resident.ask('a', ask)).toMatchObject({ text: 'a' });
    expect(await resident.ask('b', ask)).toMatchObject({ text: 'b' });
    expect(children).toHaveLength(1);
  });

  it('may be started before it is asked', async () => {
    const { resident, children } = residentOf(() => fakeIp((line) => ({ says: line })));
    resident.prepare();
    resident.prepare();
    expect(children).toHaveLength(1);
    expect(await resident.ask('a', ask)).toMatchObject({ text: 'a' });
    expect(children).toHaveLength(1);
  });

  it('asks the next child what the last had not read, and tells what it may have done', async () => {
    const { resident, children } = residentOf((number) =>
      fakeIp((line) => (number === 0 && line === 'a' ? undefined : { says: `${number}` })),
    );
    const [a, b] = await Promise.all([resident.ask('a', ask), resident.ask('b', ask)]);
    expect(a).toMatchObject({ kind: 'ended', begun: true });
    expect(b).toMatchObject({ kind: 'answered', text: '1' });
    expect(children).toHaveLength(2);
  });

  it('gives up on children that end before they read anything', async () => {
    const { resident } = residentOf(() => {
      const child = fakeChild();
      child.output.destroy();
      return child;
    });
    const failure = await resident.ask('a', ask).then(
      (answer) => answer,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ kind: 'ended' });
  });

  it('is replaced when it has grown old, and by a spare that was kept ready', async () => {
    const { resident, children, clock } = residentOf((number) => fakeIp(() => ({ says: `${number}` })), { keepsSpare: true });
    expect(await resident.ask('a', ask)).toMatchObject({ text: '0' });
    clock.advance(10);
    expect(children).toHaveLength(2);
    clock.advance(1000);
    expect(await resident.ask('a', ask)).toMatchObject({ text: '1' });
    expect(children).toHaveLength(2);
    await setImmediate();
    expect(children[0]!.input.writableEnded).toBe(true);
  });

  it('is replaced for who asks for a child that saw nothing before a time', async () => {
    const { resident, children, clock } = residentOf((number) => fakeIp(() => ({ says: `${number}` })));
    await resident.ask('a', ask);
    clock.advance(5);
    expect(await resident.ask('a', { ...ask, since: clock.elapsed() })).toMatchObject({ text: '1' });
    expect(await resident.ask('a', { ...ask, since: clock.elapsed() })).toMatchObject({ text: '1' });
    expect(children).toHaveLength(2);
  });

  it('lets go of a caller whose signal aborts', async () => {
    const { resident } = residentOf(() => fakeChild());
    const abort = new AbortController();
    const asked = resident.ask('a', { ...ask, signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'timeout' });
    await expect(resident.ask('a', { ...ask, signal: abort.signal })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('takes no more than so many questions at once', async () => {
    const { resident, children } = residentOf(() => fakeChild());
    const asked = Array.from({ length: 4096 }, () => resident.ask('a', ask).catch(() => {}));
    await expect(resident.ask('a', ask)).rejects.toMatchObject({ code: 'busy' });
    children[0]!.end();
    await setImmediate();
    children[1]?.kill();
    children[2]?.kill();
    children[3]?.kill();
    void asked;
  });

  it('waits at its end for what is being answered, but not for ever', async () => {
    const { resident, children, clock } = residentOf(() => fakeChild());
    const asked = resident.ask('a', { deadline: 60_000 });
    await setImmediate();
    (children[0]!.input as import('node:stream').PassThrough).removeAllListeners('end');
    const closed = resident.close(5000);
    clock.advance(5000);
    await closed;
    expect(children[0]!.isKilled).toBe(true);
    expect(await asked).toMatchObject({ kind: 'ended', begun: true });
    await expect(resident.ask('a', ask)).rejects.toMatchObject({ code: 'program' });
  });
});
