import { describe, expect, it } from 'vitest';
import type { OwnedThing } from '../../../engine/step/operation.ts';
import { StraySweep } from './stray-sweep.ts';

function setUp() {
  const looks: { readonly plans: readonly string[]; readonly end: (left?: readonly string[]) => void; readonly fail: () => void }[] = [];
  const sweep = new StraySweep(
    ({ plans = [] }) =>
      new Promise((resolve, reject) =>
        looks.push({ plans, end: (left = []) => resolve({ removed: [] as OwnedThing[], left }), fail: () => reject(new Error('no')) }),
      ),
  );
  return { sweep, looks };
}
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('StraySweep', () => {
  it('looks once for all that wait, and again for those who came meanwhile', async () => {
    const { sweep, looks } = setUp();
    const first = [sweep.sweep('r', 'a'), sweep.sweep('r', 'b')];
    await turns();
    const second = [sweep.sweep('r', 'c'), sweep.sweep('r', 'd')];
    const other = sweep.sweep('other', 'e');
    await turns();
    expect(looks.map(({ plans }) => plans)).toEqual([['a', 'b'], ['e']]);
    looks[0]!.end();
    await Promise.all(first);
    await turns();
    expect(looks.map(({ plans }) => plans)).toEqual([['a', 'b'], ['e'], ['c', 'd']]);
    looks[1]!.end();
    looks[2]!.end();
    await Promise.all([...second, other]);
  });

  it('does not look for what was undone, until something is made anew', async () => {
    const { sweep, looks } = setUp();
    sweep.markClean('a');
    await sweep.sweep('r', 'a');
    expect(looks).toHaveLength(0);
    sweep.markUsed('a');
    const looking = sweep.sweep('r', 'a');
    await turns();
    looks[0]!.end();
    await looking;
    await sweep.sweep('r', 'a');
    expect(looks).toHaveLength(1);
  });

  it('looks again after something was left, or it could not look', async () => {
    const { sweep, looks } = setUp();
    const first = sweep.sweep('r', 'a');
    await turns();
    looks[0]!.end(['link x: busy']);
    expect((await first).left).toEqual(['link x: busy']);
    const second = sweep.sweep('r', 'a');
    await turns();
    looks[1]!.fail();
    await expect(second).rejects.toThrow('no');
    const third = sweep.sweep('r', 'a');
    await turns();
    looks[2]!.end();
    await third;
  });
});
