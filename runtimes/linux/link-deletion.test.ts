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
    newGroup: () => 7,
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

  it('goes to a child that is free, and is gathered with others when none is', async () => {
    const { deletion, children } = deletionOf(new Set(['a', 'b', 'c', 'd', 'e']), 2);
    const answers = ['a', 'b', 'c', 'd', 'e'].map((name) => deletion.delete(name, undefined));
    await setImmediate();
    expect(children.map(commands)).toEqual([['link del dev a'], ['link del dev b']]);
    children[1]!.say(END);
    await setImmediate();
    expect(commands(children[1]!).slice(1)).toEqual(['link set dev c group 7', 'link set dev d group 7', 'link set dev e group 7']);
    children[1]!.say(`${ends(4)}Cannot find device "d"\nCommand failed -:5\n${ends(6)}${ends(8)}`);
    await setImmediate();
    expect(commands(children[1]!).slice(4)).toEqual(['link del group 7']);
    children[1]!.say(ends(10));
    children[0]!.say(END);
    const all = await Promise.all(answers);
    expect(all.map((answer) => answer.kind === 'answered' && answer.failed)).toEqual([false, false, false, true, false]);
  });

  it('is one by one where a group can not be deleted', async () => {
    const { deletion, children } = deletionOf(new Set(['a', 'b', 'c']));
    const answers = ['a', 'b', 'c'].map((name) => deletion.delete(name, undefined));
    await setImmediate();
    const [child] = children;
    for (const said of [END, ends(4) + ends(6), `RTNETLINK answers: Operation not supported\nCommand failed -:7\n${ends(8)}`]) {
      child!.say(said);
      await setImmediate();
    }
    for (const [line, failed] of [10, 12, 14, 16].entries()) {
      child!.say(line === 3 ? `RTNETLINK answers: Operation not supported\nCommand failed -:15\n${ends(failed)}` : ends(failed));
      await setImmediate();
    }
    expect(commands(child!).slice(4)).toEqual([
      'link set dev b group default',
      'link del dev b',
      'link set dev c group default',
      'link del dev c',
    ]);
    const all = await Promise.all(answers);
    expect(all.map((answer) => answer.kind === 'answered' && answer.failed)).toEqual([false, false, true]);
  });
});

const commands = (child: FakeChild): readonly string[] => child.lines.filter((line) => line.startsWith('link'));
const ends = (line: number): string => `Object "fairlead-end" is unknown, try "ip help".\nCommand failed -:${line}\n`;
