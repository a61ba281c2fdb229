import { describe, expect, it } from 'vitest';
import { KeyLocks } from './key-locks.ts';

/** Lets everything run that is not waiting. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

describe('locks', () => {
  it('are given in the order of asking', async () => {
    const locks = new KeyLocks();
    const order: string[] = [];
    const hold = async (name: string): Promise<void> => {
      const release = await locks.acquire(['link:cni0'], name);
      order.push(`${name} has it`);
      await Promise.resolve();
      order.push(`${name} gives it back`);
      release();
    };
    await Promise.all([hold('a'), hold('b'), hold('c')]);
    expect(order).toEqual(['a has it', 'a gives it back', 'b has it', 'b gives it back', 'c has it', 'c gives it back']);
  });

  it('of different keys do not wait for each other', async () => {
    const locks = new KeyLocks();
    const releases = await Promise.all([locks.acquire(['a'], 'one'), locks.acquire(['b'], 'two'), locks.acquire([], 'three')]);
    expect(releases).toHaveLength(3);
  });

  it('of several keys are no dead end, whatever the order in which they are named', async () => {
    const locks = new KeyLocks();
    let ended = 0;
    const hold = async (keys: readonly string[]): Promise<void> => {
      const release = await locks.acquire(keys, 'somebody');
      await Promise.resolve();
      ended++;
      release();
    };
    await Promise.all([hold(['a', 'b']), hold(['b', 'a']), hold(['b', 'c', 'a']), hold(['c', 'b', 'b']), hold(['a'])]);
    expect(ended).toBe(5);
  });

  it('are not given to who gave up, and the message says who has it', async () => {
    const locks = new KeyLocks();
    const release = await locks.acquire(['a', 'b'], 'the first');
    const patience = new AbortController();
    const second = locks.acquire(['0', 'b'], 'the second', patience.signal);
    const third = locks.acquire(['b'], 'the third');
    patience.abort();
    await expect(second).rejects.toThrow('waited in vain for b, which the first has');
    // What it had before is free again.
    (await locks.acquire(['0'], 'the fourth'))();
    release();
    (await third)();
    (await locks.acquire(['a', 'b'], 'the fifth'))();
  });

  it('are not waited for when the signal has aborted before', async () => {
    const locks = new KeyLocks();
    await locks.acquire(['a'], 'the first');
    await expect(locks.acquire(['a'], 'the second', AbortSignal.abort())).rejects.toThrow('waited in vain');
  });

  it('have a bound on those who wait', async () => {
    const locks = new KeyLocks();
    const release = await locks.acquire(['a'], 'the first');
    const waiting = Array.from({ length: 10_000 }, () => locks.acquire(['a'], 'another').then((each) => each()));
    await settle();
    await expect(locks.acquire(['a'], 'one too many')).rejects.toThrow('10000 wait for a already, which the first has');
    release();
    await Promise.all(waiting);
  });

  it('may be given back twice', async () => {
    const locks = new KeyLocks();
    const first = await locks.acquire(['a'], 'the first');
    first();
    const second = await locks.acquire(['a'], 'the second');
    first();
    const third = locks.acquire(['a'], 'the third', AbortSignal.abort());
    await expect(third).rejects.toThrow('which the second has');
    second();
  });
});
