import { expect, test } from 'vitest';
import { EventHistory, type StoreEvent } from './event-history.ts';

function event(revision: number): StoreEvent {
  const current = { key: 'a', namespace: '', name: 'a', object: {}, revision };
  return { type: 'ADDED', resource: '/things', revision, current, previous: undefined };
}

function history(limit: number, since: number, ...revisions: readonly number[]): EventHistory {
  const made = new EventHistory(limit, since);
  for (const revision of revisions) made.add(event(revision));
  return made;
}

const after = (made: EventHistory, revision: number): readonly number[] => made.after(revision).map((each) => each.revision);

test('tells what came after a revision, whether or not that was of this resource', () => {
  const made = history(10, 1, 3, 5, 9);
  expect([0, 1, 2, 3, 4, 8, 9, 100].map((revision) => made.reaches(revision))).toEqual([false, true, true, true, true, true, true, true]);
  expect(after(made, 1)).toEqual([3, 5, 9]);
  expect(after(made, 4)).toEqual([5, 9]);
  expect(after(made, 9)).toEqual([]);
});

test('forgets the oldest beyond its limit, and knows that it has', () => {
  const made = history(2, 1, 3, 5, 9, 12);
  expect(made.oldest).toBe(5);
  expect([made.reaches(4), made.reaches(5)]).toEqual([false, true]);
  expect(after(made, 5)).toEqual([9, 12]);
});

test('is compacted at revisions that have no event of their own', () => {
  const made = history(10, 1, 3, 5, 9);
  made.compact(7);
  expect([made.oldest, made.reaches(6), made.reaches(7)]).toEqual([7, false, true]);
  expect(after(made, 7)).toEqual([9]);
  made.compact(2);
  expect(made.oldest).toBe(7);
});

test('stays small under a long life', () => {
  const made = history(100, 0, ...Array.from({ length: 10_000 }, (_, i) => i + 1));
  expect([made.oldest, after(made, made.oldest).length, after(made, 9_990)]).toEqual([
    9_900,
    100,
    [9_991, 9_992, 9_993, 9_994, 9_995, 9_996, 9_997, 9_998, 9_999, 10_000],
  ]);
});
