import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import { conflict } from '../status-error.ts';
import { type Controller, runControlLoop, type SyncAgain } from './control-loop.ts';
import { typed, untyped } from './kind.ts';
import { memoryRegistry, served } from './memory-registry.fixture.ts';

const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');

function run(sync: (key: string) => Promise<SyncAgain>, more: Partial<Controller> = {}) {
  const clock = manualClock();
  const registry = memoryRegistry({ resources: [CONFIG_MAPS] });
  const errors: string[] = [];
  const loop = runControlLoop({
    registry,
    clock,
    onError: (controller, key, error) => errors.push(`${controller} ${key}: ${(error as Error).message}`),
    controllers: [
      {
        name: 'test',
        watches: ['/configmaps'],
        initial: () => [],
        *keys(event) {
          yield typed(event.object).metadata.name;
        },
        sync,
        ...more,
      },
    ],
  });
  const touch = (name: string) => registry.create(CONFIG_MAPS, untyped({ metadata: { name, namespace: 'a' } }));
  const change = (name: string, to: string) =>
    registry.modify(CONFIG_MAPS, { namespace: 'a', name }, (object) => ({ ...object, data: { to } }));
  return { clock, loop, errors, touch, change };
}

describe('runControlLoop', () => {
  it('looks at what is there first, and at what changes', async () => {
    const seen: string[] = [];
    const { loop, touch } = run(
      async (key) => {
        seen.push(key);
        return undefined;
      },
      { initial: () => ['old'] },
    );
    await touch('new');
    await loop.idle();
    expect(seen).toEqual(['old', 'new']);
  });

  it('looks at a key once for many changes, and once more for changes that came meanwhile', async () => {
    const seen: string[] = [];
    let running = 0;
    const { loop, touch, change } = run(async (key) => {
      expect(++running).toBe(1);
      seen.push(key);
      if (seen.length === 1) for (const to of ['x', 'y', 'z']) await change('a', to);
      running--;
      return undefined;
    });
    await touch('a');
    await change('a', 'b');
    await loop.idle();
    expect(seen).toEqual(['a', 'a']);
  });

  it('does not let keys wait for each other, up to its number of workers', async () => {
    let running = 0;
    let most = 0;
    const { loop, touch } = run(
      async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return undefined;
      },
      { workers: 2 },
    );
    for (const name of ['a', 'b', 'c', 'd']) await touch(name);
    await loop.idle();
    expect(most).toBe(2);
  });

  it('tries again what failed, later every time, and tells', async () => {
    let tries = 0;
    const { clock, loop, errors, touch } = run(async () => {
      if (++tries < 4) throw new Error('no');
      return undefined;
    });
    await touch('a');
    const at: number[] = [];
    for (let i = 0; i < 50; i++) {
      await loop.idle();
      if (at.length < tries) at.push(clock.now());
      clock.advance(1);
    }
    expect(at).toEqual([0, 5, 15, 35]);
    expect(errors).toEqual(['test a: no', 'test a: no', 'test a: no']);
  });

  it('tries again at once after a conflict, which it does not tell', async () => {
    let tries = 0;
    const { loop, errors, touch } = run(async () => {
      if (++tries < 3) throw conflict(CONFIG_MAPS, 'a', 'somebody was faster');
      return undefined;
    });
    await touch('a');
    await loop.idle();
    expect([tries, errors]).toEqual([3, []]);
  });

  it('comes back when a sync asks for it, at the earliest time that was asked for', async () => {
    const seen: number[] = [];
    const { clock, loop, touch, change } = run(async () => {
      seen.push(clock.now());
      return seen.length === 1 ? { after: 100 } : seen.length === 2 ? { after: 1_000 } : undefined;
    });
    await touch('a');
    await loop.idle();
    await change('a', 'b');
    await loop.idle();
    clock.advance(100);
    await loop.idle();
    clock.advance(10_000);
    await loop.idle();
    expect(seen).toEqual([0, 0, 100]);
  });

  it('starts nothing more once it is closed', async () => {
    let tries = 0;
    const { clock, loop, touch } = run(async () => {
      tries++;
      return { after: 10 };
    });
    await touch('a');
    await loop.close();
    const before = tries;
    await touch('b');
    clock.advance(1_000);
    await loop.idle();
    expect([tries, clock.pending()]).toEqual([before, 0]);
  });
});
