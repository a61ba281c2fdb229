import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../host/clock.ts';
import { FLAGS, MessageWriter, namespaceOf, RTM, register } from './message.ts';
import { Relay } from './relay.ts';

/** A relay's other end: the frames that it was sent, and how it answers. */
function fakeRelay({ deadline = 1000, isThere = true } = {}) {
  const input = new PassThrough();
  const output = new PassThrough();
  const clock = manualClock();
  const frames: Buffer[] = [];
  let isKilled = false;
  let rest = Buffer.alloc(0);
  input.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      frames.push(rest.subarray(4, 4 + rest.readUInt32LE(0)));
      rest = rest.subarray(4 + rest.readUInt32LE(0));
    }
  });
  input.on('end', () => output.destroy());
  const kill = (): void => {
    isKilled = true;
    output.destroy();
  };
  const relay = new Relay({ ends: { input, output, kill }, clock, deadline });
  if (isThere) output.write(answer(0));
  return { relay, input, output, clock, frames, isKilled: () => isKilled };
}

function answer(errno: number, text: Buffer | string = ''): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(4 + body.length, 0);
  head.writeUInt32LE(errno, 4);
  return Buffer.concat([head, body]);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a relay', () => {
  it('is sent frames, and answers them in order, in whatever pieces', async () => {
    const { relay, output, frames } = fakeRelay();
    const answers = [relay.open(258, '/run/netns/a'), relay.write(258, 'net/ipv4/ip_forward', '1'), relay.show(0, 'kernel/ostype')];
    await turn();
    expect(frames.map((frame) => frame.toString('latin1'))).toEqual([
      '\x01\x02\x01/run/netns/a',
      '\x04\x02\x01net/ipv4/ip_forward\0' + '1',
      '\x05\0\0kernel/ostype',
    ]);
    const said = Buffer.concat([answer(0), answer(13), answer(0, 'Linux\n')]);
    for (const byte of said) output.write(Buffer.of(byte));
    const ended = await Promise.all(answers);
    expect(ended.map(({ errno, rest }) => [errno, rest.toString()])).toEqual([
      [0, ''],
      [13, ''],
      [0, 'Linux\n'],
    ]);
  });

  it('is told what depends on how something else ends', async () => {
    const { relay, frames } = fakeRelay();
    const asked = [relay.talk(0, [], 'sets'), relay.write(258, 'net/ipv4/ip_forward', '1', 'heeds'), relay.talk(258, [], 'heeds')];
    for (const each of asked) each.catch(() => {});
    await turn();
    expect(frames.map((frame) => frame[0])).toEqual([3 + 64, 4 + 128, 3 + 128]);
    await relay.end(1000);
  });

  it('is sent messages with what it has to fill in, and answers each', async () => {
    const { relay, output, frames } = fakeRelay();
    const first = new MessageWriter(RTM.getLink, FLAGS.request).request(1);
    const second = new MessageWriter(RTM.newLink, FLAGS.request).u32(register(1)).u32(namespaceOf(258)).request();
    const talk = relay.talk(3, [first, second]);
    await turn();
    const [frame] = frames as [Buffer];
    expect([frame[0], frame.readUInt16LE(1)]).toEqual([3, 3]);
    const at = 3 + 6 + first.bytes.length;
    expect([frame.readUInt32LE(3), frame[7], frame[8]]).toEqual([first.bytes.length, 1, 0]);
    expect([frame.readUInt32LE(at), frame[at + 4], frame[at + 5]]).toEqual([second.bytes.length, 255, 2]);
    expect(frame.subarray(at + 6, at + 16).toString('hex')).toBe('1000000100' + '1400010201');
    expect(frame.subarray(at + 16)).toEqual(second.bytes);
    const lengths = Buffer.alloc(4);
    lengths.writeUInt32LE(2, 0);
    output.write(answer(0, Buffer.concat([lengths, Buffer.from('ab'), lengths, Buffer.from('cd')])));
    expect((await talk).answers.map(String)).toEqual(['ab', 'cd']);
  });

  it('that ends leaves it open whether the first of what was asked is done', async () => {
    const { relay, output } = fakeRelay();
    await turn();
    const asked = [relay.show(0, 'a'), relay.show(0, 'b')];
    output.destroy();
    const ends = await Promise.allSettled(asked);
    expect(ends.map((end) => end.status === 'rejected' && end.reason.wasBegun)).toEqual([true, false]);
    for (const each of asked)
      await expect(each).rejects.toMatchObject({ code: 'program', message: expect.stringContaining('may be done or not') });
    expect(relay.isOpen).toBe(false);
    await expect(relay.show(0, 'c')).rejects.toMatchObject({ code: 'program', wasBegun: false });
  });

  it('that was never there has begun nothing', async () => {
    const { relay, output } = fakeRelay({ isThere: false });
    const asked = relay.show(0, 'a');
    output.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'program', wasBegun: false });
  });

  it('that was dead already has begun nothing', async () => {
    const { relay, output, input } = fakeRelay();
    input.destroy();
    const asked = relay.show(0, 'a');
    output.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'program', wasBegun: false });
  });

  it('that does not answer in time is killed; each answer begins the time anew', async () => {
    const { relay, output, clock, isKilled } = fakeRelay();
    const [first, second] = [relay.show(0, 'a'), relay.show(0, 'b')];
    clock.advance(900);
    output.write(answer(0));
    await first;
    clock.advance(900);
    expect(isKilled()).toBe(false);
    clock.advance(200);
    await expect(second).rejects.toMatchObject({ code: 'timeout' });
    expect(isKilled()).toBe(true);
  });

  it('that says too much is killed', async () => {
    const { relay, output, isKilled } = fakeRelay();
    const asked = relay.show(0, 'a');
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0xffff_ffff, 0);
    output.write(head);
    output.write(Buffer.alloc(65 * 1024 * 1024));
    await expect(asked).rejects.toMatchObject({ code: 'full' });
    expect(isKilled()).toBe(true);
  });

  it('is asked no more when too many wait', async () => {
    const { relay } = fakeRelay();
    for (let count = 0; count < 4096; count++) relay.show(0, 'a').catch(() => {});
    await expect(relay.show(0, 'a')).rejects.toMatchObject({ code: 'busy' });
  });

  it('ends by itself when it is let go, and is killed when it does not', async () => {
    const quick = fakeRelay();
    await quick.relay.end(1000);
    expect(quick.isKilled()).toBe(false);
    const slow = fakeRelay();
    slow.output.pause();
    const ended = slow.relay.end(1000);
    slow.clock.advance(1000);
    await ended;
    expect(slow.isKilled()).toBe(true);
  });
});
