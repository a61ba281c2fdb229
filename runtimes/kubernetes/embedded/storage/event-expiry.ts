import type { Clock, Timer } from '../../../host/clock.ts';
import type { ObjectStore } from './object-store.ts';

/** Milliseconds after its last change for which an Event is kept. Kubernetes: kube-apiserver --event-ttl. */
export const EVENT_LIFETIME = 60 * 60_000;
const EVENTS = '/events';

/**
 * Removes Events an hour after their last change, so that they don't fill the memory. Those that a store begins with live as long as
 * new ones. Answers how to stop.
 */
export function expireEvents(store: ObjectStore, clock: Clock): () => void {
  // In the order in which they come to their end, since all live equally long.
  const ends = new Map<string, { readonly revision: number; readonly at: number }>();
  const collection = store.collection(EVENTS);
  let timer: Timer | undefined;

  const note = (key: string, revision: number): void => {
    ends.delete(key);
    ends.set(key, { revision, at: clock.elapsed() + EVENT_LIFETIME });
    timer ??= clock.after(EVENT_LIFETIME, expire);
  };
  const expire = (): void => {
    timer = undefined;
    for (const [key, { revision, at }] of ends) {
      const left = at - clock.elapsed();
      if (left > 0) {
        timer = clock.after(left, expire);
        return;
      }
      ends.delete(key);
      const stored = collection.objects.get(key);
      if (stored !== undefined) store.remove(EVENTS, key, stored.object, revision);
    }
  };

  for (const { key, revision } of collection.objects.values()) note(key, revision);
  const unsubscribe = store.subscribe(({ type, resource, current }) => {
    if (resource !== EVENTS) return;
    if (type === 'DELETED') ends.delete(current.key);
    else note(current.key, current.revision);
  });
  return () => {
    unsubscribe();
    timer?.cancel();
  };
}
