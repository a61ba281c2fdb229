import { type Clock, systemClock } from './clock.ts';

export interface TtlCacheOptions {
  /** Milliseconds for which an answer is used. */
  readonly ttl: number;
  readonly maxEntries: number;
  /** Sum of the weights that {@link TtlCache.load} gives; in bytes, as a rule. */
  readonly maxWeight: number;
  readonly clock?: Clock;
}

/** Remembers answers for a time, bounded in number and weight; the least recently loaded go first. */
export interface TtlCache<V> {
  /** What is known now. */
  get(key: string): { readonly value: V } | undefined;
  /** What is known, or else what `fetch` finds; callers of the same key at the same time share one fetch. Failures are not remembered. */
  load(key: string, fetch: () => Promise<{ readonly value: V; readonly weight: number }>): Promise<V>;
  readonly size: number;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
  readonly until: number;
}

/** An empty cache. */
export function ttlCache<V>(options: TtlCacheOptions): TtlCache<V> {
  const { ttl, maxEntries, maxWeight, clock = systemClock } = options;
  const entries = new Map<string, Entry<V>>();
  const loading = new Map<string, Promise<V>>();
  let weight = 0;

  function drop(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    weight -= entry.weight;
    entries.delete(key);
  }

  function get(key: string): Entry<V> | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.until > clock.elapsed()) return entry;
    drop(key);
    return undefined;
  }

  return {
    get,
    get size() {
      return entries.size;
    },
    async load(key, fetch) {
      const known = get(key);
      if (known !== undefined) return known.value;
      let pending = loading.get(key);
      if (pending === undefined) {
        pending = fetch()
          .then((found) => {
            drop(key);
            if (found.weight > maxWeight) return found.value;
            entries.set(key, { ...found, until: clock.elapsed() + ttl });
            weight += found.weight;
            for (const oldest of entries.keys()) {
              if (entries.size <= maxEntries && weight <= maxWeight) break;
              drop(oldest);
            }
            return found.value;
          })
          .finally(() => loading.delete(key));
        loading.set(key, pending);
      }
      return pending;
    },
  };
}
