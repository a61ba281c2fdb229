import { expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { createRewriteWatch } from './rewrite-watch.ts';

it('lets an object be written now and then', () => {
  const clock = manualClock();
  const watch = createRewriteWatch({ clock, limit: 3 });
  for (let i = 0; i < 20; i++) {
    expect(watch.rewrote('a').pause).toBe(0);
    clock.advance(31_000);
  }
});

it('leaves alone what is written again and again, longer each time', () => {
  const clock = manualClock();
  const watch = createRewriteWatch({ clock, limit: 3, pause: 60_000 });
  expect(['a', 'a', 'a'].map((object) => watch.rewrote(object).pause)).toEqual([0, 0, 60_000]);
  watch.explain('a', 'why');
  expect(watch.pauseOf('a')).toEqual({ milliseconds: 60_000, reason: 'why' });
  expect(watch.pauseOf('b')).toBeUndefined();
  clock.advance(59_000);
  expect(watch.pauseOf('a')?.milliseconds).toBe(1000);
  expect(watch.rewrote('a').pause).toBe(120_000);
});

it('forgives after a quiet time', () => {
  const clock = manualClock();
  const watch = createRewriteWatch({ clock, limit: 2, window: 10_000, pause: 1000 });
  watch.rewrote('a');
  expect(watch.rewrote('a').pause).toBe(1000);
  clock.advance(60_000);
  watch.rewrote('a');
  expect(watch.rewrote('a').pause).toBe(1000);
});

it('remembers a bounded number of objects', () => {
  const watch = createRewriteWatch({ clock: manualClock(), limit: 2, maxObjects: 2 });
  watch.rewrote('a');
  watch.rewrote('b');
  watch.rewrote('c');
  expect(watch.rewrote('a').count).toBe(1);
});

it('tells beforehand that the next is one too many', () => {
  const watch = createRewriteWatch({ clock: manualClock(), limit: 3 });
  const before = [1, 2, 3].map(() => [watch.isAtLimit('a'), watch.rewrote('a').pause > 0]);
  expect(before).toEqual([
    [false, false],
    [false, false],
    [true, true],
  ]);
});
