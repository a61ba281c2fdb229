import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Journal, type JournalOptions, type JournalRecord } from './journal.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flb-journal-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const open = (fields: Partial<JournalOptions> = {}): Promise<Journal> =>
  Journal.open({ folder, bootId: 'boot', log: () => undefined, crashPoint: () => undefined, small: 4000, ...fields });

function record(id: string): JournalRecord {
  const subject = { id, text: 'x'.repeat(100) };
  return { id, rule: 'rule', tag: `tag of ${id}`, subject, netns: undefined, state: 'performing', steps: [], bootId: 'boot', since: 1 };
}

function perform(journal: Journal, id: string): void {
  journal.put(record(id));
  journal.beginStep(id, { key: 'a', operation: 'thing', arguments: { id }, timeout: 1, path: [] });
  journal.remember(id, 'a', 'before');
  journal.endStep(id, 'a', { done: true });
  journal.performed(id);
}

it('is written anew when most of it is about what is over', async () => {
  const points: string[] = [];
  const journal = await open({ crashPoint: (name) => void points.push(name) });
  perform(journal, 'stays');
  for (let i = 0; i < 100; i++) {
    perform(journal, `goes ${i}`);
    journal.forget(`goes ${i}`);
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  await journal.close();
  expect(points.filter((name) => name === 'after rename').length).toBeGreaterThan(0);
  const again = await open();
  expect([...again.records()]).toEqual([
    {
      ...record('stays'),
      state: 'performed',
      steps: [
        {
          step: { key: 'a', operation: 'thing', arguments: { id: 'stays' }, timeout: 1, path: [] },
          memory: 'before',
          outputs: { done: true },
        },
      ],
    },
  ]);
  await again.close();
});

it('is written anew when one record is put again and again, and nothing ever goes', async () => {
  const points: string[] = [];
  const journal = await open({ crashPoint: (name) => void points.push(name) });
  for (let i = 0; i < 100; i++) {
    journal.put({ ...record('node'), since: i });
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  await journal.close();
  expect(points.filter((name) => name === 'after rename').length).toBeGreaterThan(0);
  const again = await open();
  expect([...again.records()]).toEqual([{ ...record('node'), since: 99 }]);
  await again.close();
});

it.each(['rewrite written', 'before rename', 'after rename'])(
  'says the same when the process dies while it is written anew (%s)',
  async (death) => {
    let isDead = false;
    const journal = await open({
      crashPoint(name) {
        if (name === death) isDead = true;
        if (isDead) throw new Error('dead');
      },
    });
    const expected = new Set<string>();
    try {
      for (let i = 0; i < 1000; i++) {
        const id = `plan ${i}`;
        perform(journal, id);
        expected.add(id);
        if (i % 20 !== 0) {
          journal.forget(id);
          expected.delete(id);
        }
        await new Promise(setImmediate);
      }
    } catch {
      // What it was about to write when it died is known to nobody.
    }
    expect(isDead).toBe(true);
    await journal.close();
    const again = await open();
    const performed = [...again.records()].filter(({ state }) => state === 'performed').map(({ id }) => id);
    expect(performed.filter((id) => !expected.has(id)).length).toBeLessThanOrEqual(1);
    expect([...expected].filter((id) => again.get(id) === undefined)).toEqual([]);
    await again.close();
  },
);

it('passes over changes of a record whose first line was taken out', async () => {
  const journal = await open();
  journal.beginStep('unknown', { key: 'a', operation: 'thing', arguments: {}, timeout: 1, path: [] });
  journal.performed('unknown');
  await journal.close();
  const again = await open();
  expect([...again.records()]).toEqual([]);
  await again.close();
});
