import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { NamespacePool } from './namespace-pool.ts';

describe('turns to enter a namespace', () => {
  const poolOf = (limit: number) => {
    const clock = manualClock();
    return { clock, pool: new NamespacePool({ clock, spares: 0, kept: 0, limit, patience: 500 }) };
  };
  const state = async (turn: Promise<void>): Promise<string> => {
    let now = 'waits';
    turn.then(
      () => {
        now = 'has it';
      },
      (error: { readonly code: string }) => {
        now = error.code;
      },
    );
    await setImmediate();
    return now;
  };

  it('are given up to a limit, then in order as others leave', async () => {
    const { pool, clock } = poolOf(1);
    await pool.turn(undefined);
    const [second, third] = [pool.turn(undefined), pool.turn(undefined)];
    expect([await state(second), await state(third)]).toEqual(['waits', 'waits']);
    pool.leave();
    expect([await state(second), await state(third)]).toEqual(['has it', 'waits']);
    pool.leave();
    expect(await state(third)).toBe('has it');
    pool.leave();
    expect(clock.pending()).toBe(0);
  });

  it('are given to who waited long, as those inside may wait for it', async () => {
    const { pool, clock } = poolOf(1);
    await pool.turn(undefined);
    const second = pool.turn(undefined);
    clock.advance(500);
    expect(await state(second)).toBe('has it');
    const third = pool.turn(undefined);
    pool.leave();
    expect(await state(third)).toBe('waits');
    pool.leave();
    expect(await state(third)).toBe('has it');
  });

  it('are not waited for any more when the signal aborts', async () => {
    const { pool, clock } = poolOf(1);
    await pool.turn(undefined);
    const abort = new AbortController();
    const second = pool.turn(abort.signal);
    const third = pool.turn(undefined);
    abort.abort();
    expect(await state(second)).toBe('timeout');
    pool.leave();
    expect(await state(third)).toBe('has it');
    expect(await state(pool.turn(abort.signal))).toBe('timeout');
    expect(clock.pending()).toBe(0);
  });
});
