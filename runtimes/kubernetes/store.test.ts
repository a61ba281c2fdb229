import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { labelIndexer, namespaceIndexer, ownerIndexer } from './indexers.ts';
import { compareResourceVersions } from './resource-version.ts';
import { createStore } from './store.ts';

const pod = (name: string, version: number | string, uid = name, more: JsonObject = {}): JsonObject => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion: String(version), ...more },
});
const changed = (
  changes: readonly { readonly type: string; readonly key: string; readonly initial: boolean; readonly finalStateUnknown?: boolean }[],
) =>
  changes.map(
    ({ type, key, initial, finalStateUnknown }) => `${type} ${key}${initial ? ' initially' : ''}${finalStateUnknown ? ' unseen' : ''}`,
  );

describe('a store', () => {
  it('takes over a list as a whole, and says what it means', () => {
    const store = createStore();
    expect(changed(store.replace([pod('a', 1), pod('b', 2), pod('c', 3)], '10'))).toEqual([
      'added shop/a initially',
      'added shop/b initially',
      'added shop/c initially',
    ]);
    const same = store.get('shop/a');
    const changes = store.replace([pod('a', 1), pod('b', 12), pod('d', 13), pod('c', 14, 'another')], '20');
    expect(changed(changes)).toEqual(['modified shop/b', 'added shop/d', 'deleted shop/c unseen', 'added shop/c']);
    expect(changes[0]).toMatchObject({ object: pod('b', 12), previous: pod('b', 2) });
    expect(changed(store.replace([pod('a', 1)], '30'))).toEqual([
      'deleted shop/b unseen',
      'deleted shop/d unseen',
      'deleted shop/c unseen',
    ]);
    expect(store.get('shop/a')).toBe(same);
    expect(store).toMatchObject({ size: 1, resourceVersion: '30' });
  });

  it('takes over a list that is older than what is known: the server has been set back', () => {
    const store = createStore();
    store.replace([pod('a', 50)], '50');
    expect(changed(store.replace([pod('a', 3)], '4'))).toEqual(['modified shop/a']);
    expect(store.resourceVersion).toBe('4');
  });

  it('follows events', () => {
    const store = createStore();
    store.replace([], '1');
    expect(changed(store.put(pod('a', 2)))).toEqual(['added shop/a']);
    expect(changed(store.put(pod('a', 3)))).toEqual(['modified shop/a']);
    expect(store.remove(pod('a', 4))).toEqual([
      { type: 'deleted', key: 'shop/a', object: pod('a', 4), previous: pod('a', 3), initial: false },
    ]);
    expect(store).toMatchObject({ size: 0, resourceVersion: '4' });
  });

  it.each<
    readonly [
      string,
      (store: ReturnType<typeof createStore>) => readonly { type: string; key: string; initial: boolean }[],
      readonly string[],
    ]
  >([
    ['an addition twice', (store) => store.put(pod('a', 5)), []],
    ['an older state', (store) => store.put(pod('a', 4)), []],
    ['an older state with more digits than fit a number', (store) => store.put(pod('long', '90071992547409931')), []],
    ['the deletion of what is not there', (store) => store.remove(pod('x', 9)), []],
    ['an older deletion', (store) => store.remove(pod('a', 4)), []],
    ['a deletion and addition that were missed', (store) => store.put(pod('a', 8, 'new')), ['deleted shop/a unseen', 'added shop/a']],
    ['a deletion of another of the name', (store) => store.remove(pod('a', 9, 'new')), ['deleted shop/a unseen']],
    ['versions that are no numbers', (store) => store.put(pod('odd', 'c')), ['modified shop/odd']],
  ])('bears %s', (_, act, expected) => {
    const store = createStore();
    store.replace([pod('a', 5), pod('long', '90071992547409932'), pod('odd', 'b')], '7');
    expect(changed(act(store))).toEqual(expected);
  });

  it('never goes back to an older version', () => {
    const store = createStore();
    store.replace([], '100');
    store.advance('99');
    expect(store.resourceVersion).toBe('100');
    store.put(pod('a', 9));
    expect(store.resourceVersion).toBe('100');
    store.advance('1000');
    expect(store.resourceVersion).toBe('1000');
  });

  it('finds objects by owner, namespace and label', () => {
    const store = createStore({ owner: ownerIndexer, namespace: namespaceIndexer, app: labelIndexer('app') });
    const owned = (name: string, version: number, owners: readonly string[], app: string) =>
      pod(name, version, name, { ownerReferences: owners.map((uid) => ({ uid })), labels: { app } });
    store.replace([owned('a', 1, ['o1'], 'x'), owned('b', 2, ['o1', 'o2'], 'y'), { metadata: { name: 'plain' } }], '1');
    const names = (index: string, value: string) => store.byIndex(index, value).map(({ metadata }) => (metadata as JsonObject)['name']);
    expect([names('owner', 'o1'), names('owner', 'o2'), names('owner', 'o3')]).toEqual([['a', 'b'], ['b'], []]);
    expect([names('namespace', 'shop'), names('app', 'x')]).toEqual([['a', 'b'], ['a']]);
    store.put(owned('a', 3, ['o2'], 'y'));
    expect([names('owner', 'o1'), names('owner', 'o2'), names('app', 'x')]).toEqual([['b'], ['b', 'a'], []]);
    store.remove(owned('b', 4, ['o1', 'o2'], 'y'));
    expect([names('owner', 'o1'), names('owner', 'o2'), names('app', 'y')]).toEqual([[], ['a'], ['a']]);
    store.replace([owned('c', 9, ['o1'], 'x')], '9');
    expect([names('owner', 'o1'), names('owner', 'o2')]).toEqual([['c'], []]);
    expect(() => store.byIndex('nothing', 'x')).toThrow('no index "nothing"');
  });
});

describe('versions', () => {
  it.each([
    ['1', '1', 0],
    ['2', '10', -1],
    ['10', '2', 1],
    ['90071992547409931', '90071992547409932', -1],
    ['0', '1', undefined],
    ['01', '2', undefined],
    ['a', 'b', undefined],
    ['', '1', undefined],
    ['a', 'a', 0],
  ])('%j against %j', (a, b, order) =>
    expect(compareResourceVersions(a, b)).toSatisfy((found) => found === order || Math.sign(found as number) === order),
  );
});
