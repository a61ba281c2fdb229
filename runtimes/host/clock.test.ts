import { describe, expect, it } from 'vitest';
import { manualClock, systemClock, waitAtMost } from './clock.ts';

describe('a manual clock', () => {
  it('runs what comes due in order, at its time, and what that starts', () => {
    const clock = manualClock(1000);
    const seen: [string, number][] = [];
    const note = (name: string) => () => seen.push([name, clock.now()]);
    clock.after(20, note('second'));
    clock.after(10, () => {
      note('first')();
      clock.after(5, note('between'));
    });
    clock.after(50, note('late')).cancel();
    clock.after(31, note('later'));
    clock.advance(30);
    expect(seen).toEqual([
      ['first', 1010],
      ['between', 1015],
      ['second', 1020],
    ]);
    expect(clock.now()).toBe(1030);
    expect(clock.pending()).toBe(1);
  });
});

describe('a wait with an end', () => {
  it('ends with the work, and gives its timer up', async () => {
    const clock = manualClock(0);
    await waitAtMost(clock, 10, Promise.resolve());
    await expect(waitAtMost(clock, 10, Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(clock.pending()).toBe(0);
  });

  it('ends when the time is up', async () => {
    const clock = manualClock(0);
    const waiting = waitAtMost(clock, 10, new Promise(() => {}));
    clock.advance(10);
    await waiting;
  });
});

describe('the system clock', () => {
  it('does not call back at once for waits longer than a timer can be', async () => {
    let early = false;
    const timer = systemClock.after(2 ** 40, () => {
      early = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    timer.cancel();
    expect(early).toBe(false);
  });
});
