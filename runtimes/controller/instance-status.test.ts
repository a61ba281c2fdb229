import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { composeStatus, conditionsWith, FIRST_CONDITIONS, statusDiffers, statusFields } from './instance-status.ts';
import { problem } from './problem.ts';

const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: '' } as const;
const own = { type: 'Available', status: 'True', reason: 'Available', message: 'all there' } as const;
const at = (text: string): number => Date.parse(text);
const compose = (observed: JsonObject, now: string, conditions: readonly (typeof ready | typeof own)[] = [own, ready]) =>
  composeStatus({ fields: { replicas: 3 }, conditions, generation: 4, now: at(now) }, observed);

describe('a status', () => {
  const first = compose({}, '2026-01-01T00:00:00.500Z');

  it('has the generation that it is about, and times in whole seconds', () => {
    expect(first).toEqual({
      replicas: 3,
      observedGeneration: 4,
      conditions: [
        { ...own, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 4 },
        { ...ready, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 4 },
      ],
    });
  });

  it('keeps the time of a condition that stays', () => {
    const second = compose(first, '2026-01-02T00:00:00Z');
    expect(second).toEqual(first);
    expect(statusDiffers(second, first, undefined)).toBe(false);
  });

  it('has a new time where a condition turns', () => {
    const turned = composeStatus(
      { fields: undefined, conditions: [{ ...ready, status: 'False' }], generation: 4, now: at('2026-01-02T00:00:00Z') },
      first,
    );
    expect(turned['conditions']).toEqual([
      { ...ready, status: 'False', lastTransitionTime: '2026-01-02T00:00:00Z', observedGeneration: 4 },
    ]);
  });

  it('begins as unknown, which kstatus does not take for current', () => {
    expect(FIRST_CONDITIONS.map(({ type, status }) => [type, status])).toEqual([
      ['Ready', 'Unknown'],
      ['Reconciling', 'True'],
    ]);
  });

  it.each<[string, JsonObject, ReadonlySet<string> | undefined, boolean]>([
    ['another value', { ...first, replicas: 2 }, undefined, true],
    ['a field that we no longer write', { ...first, old: 1 }, new Set(['old']), true],
    ['a field of others', { ...first, theirs: 1 }, statusFields(first), false],
    ['a field that nobody remembers', { ...first, old: 1 }, undefined, true],
    [
      'another time of a condition',
      { ...first, conditions: (first['conditions'] as JsonObject[]).map((c) => ({ ...c, lastTransitionTime: 'x' })) },
      undefined,
      false,
    ],
    ['conditions in another order', { ...first, conditions: [...(first['conditions'] as JsonObject[])].reverse() }, undefined, false],
    [
      'a condition of others',
      { ...first, conditions: [...(first['conditions'] as JsonObject[]), { type: 'Theirs', status: 'True' }] },
      statusFields(first),
      false,
    ],
    ['a condition too few', { ...first, conditions: [] }, undefined, true],
  ])('is written for %s', (_, observed, written, differs) => expect(statusDiffers(first, observed, written)).toBe(differs));
});

describe('problems', () => {
  it('take the place of the plan’s conditions of kstatus and leave its own', () => {
    const conditions = conditionsWith([own, ready], [problem('FieldConflict', 'x owns it', true)]);
    expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Available', 'True', 'Available'],
      ['Ready', 'False', 'FieldConflict'],
      ['Reconciling', 'False', 'FieldConflict'],
      ['Stalled', 'True', 'FieldConflict'],
    ]);
  });

  it('that pass by themselves are no standstill', () => {
    const conditions = conditionsWith([ready], [problem('ServerBusy', 'later', false)]);
    expect(conditions.map(({ type, status }) => [type, status])).toEqual([
      ['Ready', 'False'],
      ['Reconciling', 'True'],
    ]);
  });

  it('are told the one that a person must see to first', () => {
    const [first] = conditionsWith([], [problem('ServerBusy', 'later', false), problem('InvalidObject', 'bad', true)]);
    expect(first).toMatchObject({ reason: 'InvalidObject', message: 'bad; later' });
  });
});
