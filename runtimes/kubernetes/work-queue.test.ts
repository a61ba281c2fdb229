import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { createWorkQueue, type WorkQueueOptions } from './work-queue.ts';

function open(options: WorkQueueOptions = {}) {
  const clock = manualClock();
  return { clock, queue: createWorkQueue({ clock, random: () => 0, ...options }) };
}

describe('a work queue', () => {
  it('holds a key once, in the order of first addition', async () => {
    const { queue } = open();
    for (const key of ['a', 'b', 'a', 'c', 'b']) expect(queue.add(key)).toBe(true);
    expect(queue.length).toBe(3);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['a', 'b', 'c']);
    expect(queue).toMatchObject({ length: 0, processing: 3 });
  });

  it('gives a key that is added while it is processed out exactly once more', async () => {
    const { queue } = open();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(queue.length).toBe(1);
    expect(await queue.take()).toBe('a');
    queue.done('a');
    expect(queue).toMatchObject({ length: 0, processing: 0 });
  });

  it('lets takers wait, in their order', async () => {
    const { queue } = open();
    const first = queue.take();
    const second = queue.take();
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  it('adds after a while, and at the earliest time that was asked for', async () => {
    const { clock, queue } = open();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 400);
    queue.addAfter('a', 2000);
    queue.addAfter('now', 0);
    expect(queue.length).toBe(1);
    clock.advance(399);
    expect(queue.length).toBe(1);
    clock.advance(1);
    expect(queue.length).toBe(2);
    expect(clock.pending()).toBe(0);
  });

  it('retries a key after longer and longer, up to a limit, until it is forgotten', () => {
    const { queue } = open({ baseDelay: 100, maxDelay: 1000 });
    expect([1, 2, 3, 4, 5, 6].map(() => queue.retry('a'))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(queue.retries('a')).toBe(6);
    expect(queue.retry('b')).toBe(100);
    queue.forget('a');
    expect(queue.retry('a')).toBe(100);
    for (let i = 0; i < 100; i++) queue.retry('c');
    expect(queue.retry('c')).toBe(1000);
  });

  it('spreads retries', () => {
    const { queue } = open({ baseDelay: 100, random: () => 0.5 });
    expect(queue.retry('a')).toBe(112.5);
  });

  it('puts news before what came with the first list, also when it is both', async () => {
    const { queue } = open();
    queue.add('old', 'initial');
    queue.add('both', 'initial');
    queue.add('new');
    queue.add('both');
    queue.add('new', 'initial');
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['new', 'both', 'old']);
  });

  it('does not hold up what came with the first list for ever', async () => {
    const { queue } = open();
    queue.add('old', 'initial');
    for (let i = 0; i < 100; i++) queue.add(`new${i}`);
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 101; i++) order.push(await queue.take());
    expect(order.indexOf('old')).toBe(15);
  });

  it('keeps the urgency of what is added while it is processed', async () => {
    const { queue } = open();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('b', 'initial');
    queue.done('a');
    expect(await queue.take()).toBe('a');
  });

  it('lets groups take turns', async () => {
    const { queue } = open({ groupOf: (key) => key[0]! });
    for (const key of ['a1', 'a2', 'a3', 'b1', 'a4', 'c1', 'b2']) queue.add(key);
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 7; i++) order.push(await queue.take());
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('is bounded', () => {
    const { queue } = open({ maxKeys: 2 });
    expect(queue.add('a')).toBe(true);
    expect(queue.addAfter('b', 1000)).toBe(true);
    expect(queue.add('c')).toBe(false);
    expect(queue.addAfter('c', 1000)).toBe(false);
    expect(queue.add('a')).toBe(true);
  });

  it('shuts down when what was taken is done, and forgets the rest', async () => {
    const { clock, queue } = open();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1000);
    await queue.take();
    queue.add('a');
    let drained = false;
    const shutdown = queue.shutdown().then(() => {
      drained = true;
    });
    expect(clock.pending()).toBe(0);
    expect(queue.add('d')).toBe(false);
    expect(await queue.take()).toBeUndefined();
    expect(drained).toBe(false);
    queue.done('a');
    await shutdown;
    expect(await queue.take()).toBeUndefined();
  });

  it('lets takers go when it shuts down', async () => {
    const { queue } = open();
    const waiting = queue.take();
    await queue.shutdown();
    expect(await waiting).toBeUndefined();
  });

  it('keeps its promises in whatever order things happen', async () => {
    const key = fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1');
    const priority = fc.constantFrom('changed' as const, 'initial' as const);
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key, priority }),
      fc.record({ do: fc.constant('addAfter' as const), key, delay: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant('retry' as const), key }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('done' as const), index: fc.nat(10) }),
      fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 0, max: 60 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = open({ groupOf: (name) => name[0]!, baseDelay: 10, maxDelay: 40 });
        /** Model: keys that somebody asked for after they were last given out. */
        const asked = new Set<string>();
        const later = new Map<string, number>();
        const running: string[] = [];
        const lapse = (): void => {
          for (const [name, due] of later)
            if (due <= clock.elapsed()) {
              later.delete(name);
              asked.add(name);
            }
        };
        const ask = (name: string, delay: number): void => {
          if (delay <= 0) asked.add(name);
          else later.set(name, Math.min(later.get(name) ?? Number.POSITIVE_INFINITY, clock.elapsed() + delay));
        };
        const ready = (): number => [...asked].filter((name) => !running.includes(name)).length;
        for (const each of steps) {
          if (each.do === 'add') {
            queue.add(each.key, each.priority);
            ask(each.key, 0);
          } else if (each.do === 'addAfter') {
            queue.addAfter(each.key, each.delay);
            ask(each.key, each.delay);
          } else if (each.do === 'retry') ask(each.key, queue.retry(each.key));
          else if (each.do === 'advance') {
            clock.advance(each.by);
            lapse();
          } else if (each.do === 'done') {
            const [name] = running.splice(each.index % Math.max(1, running.length), 1);
            if (name !== undefined) queue.done(name);
          } else if (queue.length > 0) {
            const name = (await queue.take())!;
            expect(running).not.toContain(name);
            expect(asked.delete(name)).toBe(true);
            running.push(name);
          }
          expect(queue.length).toBe(ready());
          expect(queue.processing).toBe(running.length);
        }
        // Nothing that was asked for is lost.
        clock.advance(1000);
        lapse();
        for (const name of running.splice(0)) queue.done(name);
        while (queue.length > 0) asked.delete((await queue.take())!);
        expect(asked.size).toBe(0);
      }),
    );
  });
});
