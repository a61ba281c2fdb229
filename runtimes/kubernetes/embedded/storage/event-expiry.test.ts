import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import { EVENT_LIFETIME, expireEvents } from './event-expiry.ts';
import { ObjectStore } from './object-store.ts';

const event = (name: string) => ({ metadata: { name, namespace: 'a' } });
const names = (store: ObjectStore, resource = '/events'): readonly string[] =>
  Array.from(store.collection(resource).range(''), ({ name }) => name);

describe('events', () => {
  it('go an hour after their last change, and nothing else does', () => {
    const clock = manualClock();
    const store = new ObjectStore();
    expireEvents(store, clock);
    store.put('/events', 'a', 'first', event('first'), 0);
    const changed = store.put('/events', 'a', 'changed', event('changed'), 0);
    store.put('/configmaps', 'a', 'map', event('map'), 0);
    clock.advance(EVENT_LIFETIME / 2);
    store.put('/events', 'a', 'changed', event('changed'), changed!.revision);
    store.put('/events', 'a', 'later', event('later'), 0);
    clock.advance(EVENT_LIFETIME / 2);
    expect(names(store)).toEqual(['changed', 'later']);
    clock.advance(EVENT_LIFETIME / 2);
    expect(names(store)).toEqual([]);
    expect(names(store, '/configmaps')).toEqual(['map']);
    expect(clock.pending()).toBe(0);
  });

  it('that are deleted before are forgotten, and a name can be used again', () => {
    const clock = manualClock();
    const store = new ObjectStore();
    expireEvents(store, clock);
    const first = store.put('/events', 'a', 'x', event('x'), 0);
    store.remove('/events', 'a/x', event('x'), first!.revision);
    clock.advance(EVENT_LIFETIME / 2);
    store.put('/events', 'a', 'x', event('x'), 0);
    clock.advance(EVENT_LIFETIME / 2);
    expect(names(store)).toEqual(['x']);
  });

  it('that a store begins with go too, until it is told to stop', () => {
    const clock = manualClock();
    const stored = { key: 'a/x', namespace: 'a', name: 'x', object: event('x'), revision: 3 };
    const store = new ObjectStore({ initial: { revision: 3, objects: [['/events', stored]] } });
    const stop = expireEvents(store, clock);
    clock.advance(EVENT_LIFETIME);
    expect(names(store)).toEqual([]);
    store.put('/events', 'a', 'y', event('y'), 0);
    stop();
    clock.advance(EVENT_LIFETIME);
    expect(names(store)).toEqual(['y']);
    expect(clock.pending()).toBe(0);
  });
});
