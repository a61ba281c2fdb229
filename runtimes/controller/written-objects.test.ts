import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { ObjectStore } from '../kubernetes/informer.ts';
import { keyOf, WrittenObjects } from './written-objects.ts';

const object = (resourceVersion: string, uid = 'u', name = 'a'): JsonObject => ({
  metadata: { namespace: 'ns', name, uid, resourceVersion, labels: { 'fairlead.dev/instance': 'i' } },
});

/** What a watch has shown so far. */
function shown(resourceVersion: string, ...objects: JsonObject[]): ObjectStore {
  const byKey = new Map(objects.map((each) => [keyOf(each), each]));
  return { resourceVersion, get: (key: string) => byKey.get(key) } as unknown as ObjectStore;
}

it('gives out what was written until the watch shows it or something newer', () => {
  const written = new WrittenObjects();
  written.wrote(object('7'));
  expect(written.get('ns/a', shown('5'))).toEqual(object('7'));
  expect(written.get('ns/a', shown('6', object('6')))).toEqual(object('7'));
  expect([written.ofInstance('i'), written.size]).toEqual([['ns/a'], 1]);
  expect(written.get('ns/a', shown('8', object('8')))).toEqual(object('8'));
  expect([written.ofInstance('i'), written.size]).toEqual([[], 0]);
});

it('hides what was deleted until the watch shows that, but not what came after it under its name', () => {
  const written = new WrittenObjects();
  written.gone(object('7'));
  expect(written.get('ns/a', shown('7', object('7')))).toBeUndefined();
  expect(written.get('ns/a', shown('9', object('9', 'other')))).toEqual(object('9', 'other'));
  expect(written.size).toBe(0);
  written.gone(object('7'));
  expect(written.get('ns/a', shown('9'))).toBeUndefined();
  expect(written.size).toBe(0);
});

it('takes for an echo what tells nothing new of our own writes', () => {
  const written = new WrittenObjects();
  written.wrote(object('7'));
  const isEcho = (each: JsonObject): boolean => written.isEcho('ns/a', each);
  expect([isEcho(object('7')), isEcho(object('6')), isEcho(object('8')), isEcho(object('7', 'other'))]).toEqual([true, true, false, false]);
  written.gone(object('7'));
  expect([isEcho(object('8')), isEcho(object('9', 'other'))]).toEqual([true, false]);
});
