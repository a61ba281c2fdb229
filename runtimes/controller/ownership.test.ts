import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { bookkeepingMetadata, judgeAdoption, mayOwn, readBookkeeping, releasePatch, ruleLabel } from './ownership.ts';

describe('a rule as a label', () => {
  it.each([
    ['myapp', 'myapp'],
    [`${'a'.repeat(63)}`, 'a'.repeat(63)],
  ])('%s', (name, label) => expect(ruleLabel(name)).toBe(label));

  it('shortens long names so that two stay two', () => {
    const [one, two] = ['x', 'y'].map((end) => ruleLabel(`${'a.'.repeat(40)}${end}`));
    expect(one).toMatch(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
    expect(one).not.toBe(two);
  });
});

const owned = (metadata: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'ns', ...metadata },
});
const mark = { rule: 'r', instance: 'uid-1', id: 'config', key: 'eu/west', level: 2, deletion: 'Orphan' } as const;

describe('bookkeeping', () => {
  it('is read as it was written', () => expect(readBookkeeping(owned(bookkeepingMetadata(mark)))).toEqual(mark));

  it.each([
    ['no labels', {}],
    ['labels of others', { labels: { app: 'a' } }],
    ['no instance', { labels: { 'fairlead.dev/rule': 'r' } }],
  ])('is none with %s', (_, metadata) => expect(readBookkeeping(owned(metadata))).toBeUndefined());

  it('survives a level that somebody broke', () => {
    const { labels } = bookkeepingMetadata(mark);
    expect(readBookkeeping(owned({ labels, annotations: { 'fairlead.dev/level': 'high' } }))?.level).toBe(0);
  });

  it('is released with the owner reference of the instance and no other', () => {
    const references = [{ uid: 'uid-1' }, { uid: 'uid-2' }];
    const object = owned({ ...bookkeepingMetadata(mark), ownerReferences: references, resourceVersion: '7' });
    const patch = releasePatch(object)['metadata'] as JsonObject;
    expect(patch['ownerReferences']).toEqual([{ uid: 'uid-2' }]);
    expect(patch['resourceVersion']).toBe('7');
    expect(patch['labels']).toEqual({ 'fairlead.dev/rule': null, 'fairlead.dev/instance': null });
  });
});

describe('who may own whom', () => {
  it.each([
    ['in the same namespace', 'a', 'a', true],
    ['elsewhere', 'a', 'b', false],
    ['a cluster-scoped object of a namespaced owner', 'a', undefined, false],
    ['a namespaced object of a cluster-scoped owner', '', 'a', true],
    ['a cluster-scoped object of a cluster-scoped owner', '', undefined, true],
  ])('%s', (_, owner, child, may) => expect(mayOwn({ namespace: owner }, child)).toBe(may));
});

describe('adoption', () => {
  const instance = { uid: 'uid-1' };
  const controlled = (uid: string) => ({ ownerReferences: [{ controller: true, uid, kind: 'Deployment', name: 'web' }] });
  const made = (uid: string) => ({ labels: bookkeepingMetadata({ ...mark, instance: uid }).labels });
  const lives = (uid: string) => uid !== 'gone';
  it.each([
    ['ours', owned(made('uid-1')), 'Never', 'ours'],
    ['nobody’s, never', owned({}), 'Never', 'refuse'],
    ['nobody’s, if unowned', owned({}), 'IfUnowned', 'adopt'],
    ['a controller’s, if unowned', owned(controlled('d')), 'IfUnowned', 'refuse'],
    ['a controller’s, by force', owned(controlled('d')), 'Force', 'adopt'],
    ['another instance’s', owned(made('uid-2')), 'IfUnowned', 'refuse'],
    ['another instance’s, by force', owned(made('uid-2')), 'Force', 'adopt'],
    ['of an instance that is gone', owned(made('gone')), 'IfUnowned', 'adopt'],
    ['of an instance that is gone, to be collected', owned({ ...made('gone'), ...controlled('gone') }), 'IfUnowned', 'wait'],
    ['being deleted', owned({ deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Force', 'wait'],
  ] as const)('of what is %s', (_, object, adopt, kind) => expect(judgeAdoption(object, instance, adopt, lives).kind).toBe(kind));

  it('leaves the place of the controller to who has it', () => {
    expect(judgeAdoption(owned(controlled('d')), instance, 'Force', lives)).toEqual({ kind: 'adopt', controller: false });
  });

  it('names who has it', () => {
    expect(judgeAdoption(owned(controlled('d')), instance, 'IfUnowned', lives)).toEqual({
      kind: 'refuse',
      reason: 'Deployment web controls it',
    });
  });
});
