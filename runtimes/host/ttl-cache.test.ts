import { describe, expect, it } from 'vitest';
import { manualClock } from './clock.ts';
import { ttlCache } from './ttl-cache.ts';

function counted(): {
  readonly cache: ReturnType<typeof ttlCache<string>>;
  readonly clock: ReturnType<typeof manualClock>;
  readonly load: (key: string, weight?: number) => Promise<string>;
  readonly fetches: () => number;
} {
  const clock = manualClock();
  const cache = ttlCache<string>({ ttl: 100, maxEntries: 3, maxWeight: 100, clock });
  let fetches = 0;
  return {
    cache,
    clock,
    fetches: () => fetches,
    load: (key, weight = 1) => cache.load(key, async () => ({ value: `${key}${++fetches}`, weight })),
  };
}

describe('a cache with a time to live', () => {
  it('remembers for its time, then asks again', async () => {
    const { cache, clock, load } = counted();
    expect(await load('a')).toBe('a1');
    clock.advance(99);
    expect(await load('a')).toBe('a1');
    expect(cache.get('a')?.value).toBe('a1');
    clock.advance(1);
    expect(cache.get('a')).toBeUndefined();
    expect(await load('a')).toBe('a2');
  });

  it('asks once for callers of one moment', async () => {
    const { load, fetches } = counted();
    expect(await Promise.all([load('a'), load('a'), load('b')])).toEqual(['a1', 'a1', 'b2']);
    expect(fetches()).toBe(2);
  });

  it('does not remember failures', async () => {
    const { cache, load } = counted();
    await expect(cache.load('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await load('a')).toBe('a1');
  });

  it('is bounded in number and weight, and keeps nothing that is too heavy alone', async () => {
    const { cache, load } = counted();
    for (const key of ['a', 'b', 'c', 'd']) await load(key);
    expect(cache.size).toBe(3);
    expect(cache.get('a')).toBeUndefined();
    await load('heavy', 99);
    expect(cache.size).toBe(2);
    expect(await load('heaviest', 101)).toMatch(/^heaviest/);
    expect(cache.get('heaviest')).toBeUndefined();
  });
});
