import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { type FakeChild, fakeChild } from './child-ends.fixture.ts';
import { iprouteFraming } from './framing.ts';
import { LinkDeletion } from './link-deletion.ts';
import { Resident } from './resident.ts';

function deletionOf(links: Set<string>, count = 1) {
  const clock = manualClock();
  const children: FakeChild[] = [];
  const gone: string[] = [];
  const residents = Array.from(
    { length: count },
    () =>
      new Resident({
        name: 'ip',
        framing: iprouteFraming('ip'),
        clock,
        maxAge: Number.POSITIVE_INFINITY,
        keepsSpare: false,
        start: () => {
          const child = fakeChild();
          children.push(child);
          return child;
        },
      }),
  );
  const deletion = new LinkDeletion({
    residents,
    clock,
    deadline: 1000,
    gone: (name) => void gone.push(name),
    isInView: (name) => links.has(name),
  });
  return { deletion, children, clock, gone };
}

const END = 'Object "fairlead-end" is unknown, try "ip help".\nCommand failed -:2\n';

describe('a deletion', () => {
  it('is answered when the link is out of view, while it goes on', async () => {
    const links = new Set(['a']);
    const { deletion, children, clock, gone } = deletionOf(links);
    const answer = deletion.delete('a', undefined);
    await setImmediate();
    expect(children[0]!.lines[0]).toBe('link del dev a');
    clock.advance(1);
    expect(gone).toEqual([]);
    links.delete('a');
    clock.advance(1);
    expect(await answer).toMatchObject({ kind: 'answered', failed: false });
    expect(gone).toEqual(['a']);
    children[0]!.say(END);
    await setImmediate();
    expect(clock.pending()).toBe(0);
  });

  it('is answered with its failure', async () => {
    const { deletion, children, clock } = deletionOf(new Set(['a']));
    const answer = deletion.delete('a', undefined);
    await setImmediate();
    children[0]!.say(`RTNETLINK answers: Operation not permitted\nCommand failed -:1\n${END}`);
    expect(await answer).toMatchObject({ kind: 'answered', failed: true });
    clock.advance(1);
    expect(clock.pending()).toBe(0);
  });

  it('of what is not in view is answered when it returns', async () => {
    const { deletion, children, clock } = deletionOf(new Set());
    const answer = deletion.delete('a', undefined);
    await setImmediate();
    clock.advance(5);
    children[0]!.say(`Cannot find device "a"\nCommand failed -:1\n${END}`);
    expect(await answer).toMatchObject({ failed: true, text: 'Cannot find device "a"\n' });
  });

  it('goes to the child that deletes least', async () => {
    const links = new Set(['a', 'b', 'c']);
    const { deletion, children } = deletionOf(links, 2);
    void deletion.delete('a', undefined);
    void deletion.delete('b', undefined);
    void deletion.delete('c', undefined);
    await setImmediate();
    expect(children.map(({ lines }) => lines.filter((line) => line.startsWith('link')))).toEqual([
      ['link del dev a', 'link del dev c'],
      ['link del dev b'],
    ]);
  });
});
