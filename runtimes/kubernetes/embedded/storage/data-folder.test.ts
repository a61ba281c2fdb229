import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { openDataFolder } from './data-folder.ts';
import { ObjectStore } from './object-store.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'fairlead-data-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const at = (name: string): string => join(parent, name);

async function open(folder: string, snapshotAfter?: number): Promise<ObjectStore> {
  return new ObjectStore(
    await openDataFolder({ folder, durability: 'process', ...(snapshotAfter === undefined ? {} : { snapshotAfter }) }),
  );
}

const map = (name: string, value: string): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });

/** Names and values of everything in a store. */
function content(store: ObjectStore): Record<string, unknown> {
  return Object.fromEntries(
    [...store.collection('/configmaps').range('')].map(({ key, object, revision }) => [
      key,
      [(object['data'] as JsonObject)['value'], revision],
    ]),
  );
}

function write(store: ObjectStore, name: string, value: string): void {
  const old = store.get('/configmaps', `x/${name}`);
  expect(store.put('/configmaps', 'x', name, map(name, value), old?.revision ?? 0)).toBeDefined();
}

function remove(store: ObjectStore, name: string): void {
  const old = store.get('/configmaps', `x/${name}`);
  expect(store.remove('/configmaps', `x/${name}`, old!.object, old!.revision)).toBeDefined();
}

test('what was written is there again, and revisions go on', async () => {
  const first = await open(at('data'));
  write(first, 'a', 'ä');
  write(first, 'b', '1');
  write(first, 'a', '2');
  remove(first, 'b');
  const before = content(first);
  const { revision } = first;
  await first.close();
  const second = await open(at('data'));
  expect(content(second)).toEqual(before);
  expect(second.revision).toBe(revision);
  expect(second.collection('/configmaps').history.reaches(revision - 1)).toBe(false);
  write(second, 'c', '3');
  expect(second.revision).toBe(revision + 1);
  await second.close();
});

test('a crash at any byte leaves a state that once was, and loses only what was not whole', async () => {
  const store = await open(at('data'));
  const log = join(at('data'), 'log-0');
  const states: { readonly bytes: number; readonly state: Record<string, unknown>; readonly revision: number }[] = [];
  const note = (): void => void states.push({ bytes: readFileSync(log).length, state: content(store), revision: store.revision });
  note();
  for (const step of [() => write(store, 'a', '1'), () => write(store, 'b', '2'), () => write(store, 'a', '3'), () => remove(store, 'b')]) {
    step();
    note();
  }
  await store.close();
  const size = readFileSync(log).length;
  for (let length = 0; length <= size; length++) {
    cpSync(at('data'), at('crashed'), { recursive: true });
    truncateSync(join(at('crashed'), 'log-0'), length);
    const again = await open(at('crashed'));
    const expected = states.findLast(({ bytes }) => bytes <= length)!;
    expect({ length, state: content(again), revision: again.revision }).toEqual({
      length,
      state: expected.state,
      revision: expected.revision,
    });
    // The torn end is gone: what is written now can be read again.
    write(again, 'z', 'later');
    await again.close();
    const third = await open(at('crashed'));
    expect(Object.keys(content(third))).toEqual([...Object.keys(expected.state), 'x/z']);
    await third.close();
    rmSync(at('crashed'), { recursive: true });
  }
});

test('a flipped bit ends the log where it is', async () => {
  const store = await open(at('data'));
  write(store, 'a', '1');
  const good = readFileSync(join(at('data'), 'log-0')).length;
  write(store, 'b', '2');
  await store.close();
  const bytes = readFileSync(join(at('data'), 'log-0'));
  bytes[good + 12]! ^= 1;
  writeFileSync(join(at('data'), 'log-0'), bytes);
  const again = await open(at('data'));
  expect(Object.keys(content(again))).toEqual(['x/a']);
  await again.close();
});

describe('snapshots', () => {
  test('begin a new log, and old files go', async () => {
    const store = await open(at('data'), 400);
    for (let i = 0; i < 40; i++) write(store, `m${i % 5}`, String(i));
    remove(store, 'm0');
    const before = content(store);
    const { revision } = store;
    await store.close();
    const names = readdirSync(at('data')).sort();
    expect(names).toHaveLength(2);
    expect(names.map((name) => name.replace(/\d+/, 'N'))).toEqual(['log-N', 'snapshot-N']);
    const again = await open(at('data'));
    expect(content(again)).toEqual(before);
    expect(again.revision).toBe(revision);
    await again.close();
  });

  test('a half-written one counts for nothing', async () => {
    const store = await open(at('data'));
    write(store, 'a', '1');
    const before = content(store);
    await store.close();
    writeFileSync(join(at('data'), 'new-snapshot-1'), 'half');
    writeFileSync(join(at('data'), 'log-1'), '');
    const again = await open(at('data'));
    expect(content(again)).toEqual(before);
    write(again, 'b', '2');
    await again.close();
    const third = await open(at('data'));
    expect(Object.keys(content(third))).toEqual(['x/a', 'x/b']);
    await third.close();
  });

  test('a damaged one is an error, not an empty store', async () => {
    const store = await open(at('data'), 100);
    for (let i = 0; i < 5; i++) write(store, `m${i}`, 'x');
    await store.close();
    const name = readdirSync(at('data')).find((each) => each.startsWith('snapshot-'))!;
    truncateSync(join(at('data'), name), 20);
    await expect(open(at('data'))).rejects.toThrow(/is damaged/);
  });
});

test('writes wait for the disk together', async () => {
  const { initial, journal } = await openDataFolder({ folder: at('data') });
  const store = new ObjectStore({ initial, journal });
  write(store, 'a', '1');
  const waits = [store.durable(), store.durable()];
  write(store, 'b', '2');
  await Promise.all([...waits, store.durable()]);
  await store.close();
  const again = await open(at('data'));
  expect(Object.keys(content(again))).toEqual(['x/a', 'x/b']);
  await again.close();
});
