import { beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../host/clock.ts';
import type { PlanRecord } from '../linux/performer.ts';
import { UndoRetries } from './undo-retries.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe('what could not be undone', () => {
  let clock: ManualClock;
  let records: Map<string, PlanRecord>;
  let attempts: string[];
  let failure: string | undefined;
  let retries: UndoRetries;
  const record = (id: string, state: PlanRecord['state']): PlanRecord => ({
    id,
    rule: 'net',
    subject: {},
    netns: undefined,
    state,
    steps: [],
    bootId: 'boot',
    since: 0,
  });
  /** Lets time pass in small parts, so that what is begun ends in between. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 10 * SECOND) {
      clock.advance(10 * SECOND);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };

  beforeEach(() => {
    clock = manualClock();
    records = new Map();
    attempts = [];
    failure = 'the plugin says no';
    retries = new UndoRetries({
      performer: {
        records: () => records.values(),
        record: (id) => records.get(id),
        async undo(id) {
          attempts.push(`${id} after ${clock.elapsed() / SECOND} s`);
          if (failure !== undefined) throw new Error(failure);
          records.delete(id);
        },
      },
      clock,
      log: () => {},
    });
    retries.start();
  });

  it('is tried again, more and more seldom', async () => {
    records.set('a', record('a', 'undoing'));
    await pass(10 * MINUTE);
    expect(attempts).toEqual(['a after 40 s', 'a after 100 s', 'a after 220 s', 'a after 460 s']);
    expect(retries.reason('a')).toBe('the plugin says no');
    attempts = [];
    await pass(60 * MINUTE);
    expect(attempts).toHaveLength(4);
  });

  it('is let go when it is undone, and begins anew when it comes again', async () => {
    records.set('a', record('a', 'undoing'));
    await pass(2 * MINUTE);
    failure = undefined;
    await pass(2 * MINUTE);
    expect(records.size).toBe(0);
    expect(retries.reason('a')).toBeUndefined();
    attempts = [];
    records.set('a', record('a', 'undoing'));
    await pass(40 * SECOND);
    expect(attempts).toHaveLength(1);
  });

  it('is forgotten when somebody else has undone it', async () => {
    records.set('a', record('a', 'undoing'));
    await pass(MINUTE);
    records.delete('a');
    await pass(MINUTE);
    expect(retries.reason('a')).toBeUndefined();
    expect(attempts).toHaveLength(1);
  });

  it('is not what stands, or is being made', async () => {
    records.set('a', record('a', 'performed')).set('b', record('b', 'performing'));
    await pass(10 * MINUTE);
    expect(attempts).toEqual([]);
  });

  it('is not tried after the end', async () => {
    records.set('a', record('a', 'undoing'));
    await pass(20 * SECOND);
    await retries.close();
    await pass(10 * MINUTE);
    expect(attempts).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});
