import { describe, expect, it } from 'vitest';
import { FLAGS, MessageWriter, namespaceOf, RTM, readAnswer, readAttributes, register, textOf } from './message.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a message', () => {
  it('has its length, its type and its flags before what it says', () => {
    const { bytes, patches, keep } = new MessageWriter(RTM.getLink, FLAGS.request).u8(1, 2).u16(3).u32(4).request(7);
    expect(hex(bytes)).toBe(`18000000${'1200'}${'0500'}${'00000000'}${'00000000'}${'0102'}${'0300'}${'04000000'}`);
    expect({ patches, keep }).toEqual({ patches: [], keep: 7 });
  });

  it('has attributes that begin at multiples of 4, and are as long as what they hold', () => {
    const message = new MessageWriter(RTM.newLink, FLAGS.request);
    message.attribute(18, () => {
      message.text(1, 'veth');
      message.attribute(2, () => message.u8(1));
    });
    message.name(3, 'a');
    const body = message.request().bytes.subarray(16);
    const attributes = readAttributes(body);
    expect([...attributes.keys()]).toEqual([18, 3]);
    expect(textOf(attributes.get(3))).toBe('a');
    const inner = readAttributes(attributes.get(18)!);
    expect(textOf(inner.get(1))).toBe('veth');
    expect(hex(inner.get(2)!)).toBe('01');
  });

  it('knows the places that others fill', () => {
    const { bytes, patches } = new MessageWriter(RTM.newLink, FLAGS.request).u32(register(1)).number(28, namespaceOf(9)).request();
    expect(patches).toEqual([
      { at: 16, what: 'register', of: 1 },
      { at: 24, what: 'place', of: 9 },
    ]);
    expect(bytes).toHaveLength(28);
  });

  it('grows', () => {
    const message = new MessageWriter(RTM.newLink, FLAGS.request);
    for (let index = 0; index < 100; index++) message.text(index + 1, 'x'.repeat(index));
    const attributes = readAttributes(message.request().bytes.subarray(16));
    expect(attributes.size).toBe(100);
    expect(textOf(attributes.get(100))).toBe('x'.repeat(99));
  });
});

/** A message as the kernel sends it. */
function said(type: number, body: Buffer, flags = 0): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return Buffer.concat([header, body, Buffer.alloc(-body.length & 3)]);
}

/** `nlmsgerr`, whose request is cut off behind its header. */
function acknowledgement(errno: number, text?: string): Buffer {
  const body = Buffer.alloc(20);
  body.writeInt32LE(-errno, 0);
  if (text === undefined) return said(2, body);
  const attribute = Buffer.alloc(4);
  attribute.writeUInt16LE(4 + text.length + 1, 0);
  attribute.writeUInt16LE(1, 2);
  return said(2, Buffer.concat([body, attribute, Buffer.from(`${text}\0`)]), 0x300);
}

describe('an answer', () => {
  it('is done, or says why not', () => {
    expect(readAnswer(acknowledgement(0))).toEqual({ errno: 0, text: '', isInterrupted: false, messages: [] });
    expect(readAnswer(acknowledgement(17))).toMatchObject({ errno: 17, text: '' });
    expect(readAnswer(acknowledgement(22, 'mtu less than device minimum'))).toMatchObject({
      errno: 22,
      text: 'mtu less than device minimum',
    });
  });

  it('has what was asked for before its end', () => {
    const answer = readAnswer(Buffer.concat([said(16, Buffer.from('abcdefg')), said(20, Buffer.from('hi')), acknowledgement(0)]));
    expect(answer.messages.map(({ type, body }) => [type, body.toString()])).toEqual([
      [16, 'abcdefg'],
      [20, 'hi'],
    ]);
  });

  it('may end a list with a failure, or have been interrupted', () => {
    const failed = Buffer.alloc(4);
    failed.writeInt32LE(-95, 0);
    expect(readAnswer(said(3, failed)).errno).toBe(95);
    expect(readAnswer(Buffer.concat([said(16, Buffer.alloc(4), 0x12), said(3, Buffer.alloc(4))]))).toMatchObject({
      errno: 0,
      isInterrupted: true,
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(7)],
    ['a length that is too long', said(16, Buffer.alloc(8)).subarray(0, 20)],
    ['a length of nothing', Buffer.alloc(32)],
  ])('of %s has no messages', (_, bytes) => {
    expect(readAnswer(bytes)).toEqual({ errno: 0, text: '', isInterrupted: false, messages: [] });
  });
});
