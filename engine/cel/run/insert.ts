import { CelError, CelMap, type CelValue, type PlainObject } from '../values.ts';
import { noSuchOverload } from './errors.ts';
import { formatForMessage } from './format.ts';
import { mapKey } from './map-key.ts';
import { isPlainObject } from './type-of.ts';

/**
 * A map under construction by `transformMap` and `transformMapEntry`. It changes in place, because copying the map for each
 * entry would be quadratic; it becomes an ordinary value with {@link MapBuilder.finish}.
 */
export class MapBuilder {
  readonly #entries = new Map<string, readonly [CelValue, CelValue]>();
  #stringsOnly = true;

  get size(): number {
    return this.#entries.size;
  }

  /** Throws cel-go's text when the map has an equal key already. */
  insert(key: CelValue, value: CelValue): this {
    const identity = mapKey(key) ?? `?${this.#entries.size}`;
    if (this.#entries.has(identity)) throw new CelError(`insert failed: key ${formatForMessage(key)} already exists`);
    if (typeof key !== 'string') this.#stringsOnly = false;
    this.#entries.set(identity, [key, value]);
    return this;
  }

  /** Inserts all entries of a map. */
  insertAll(entries: CelValue): this {
    if (entries instanceof CelMap) {
      for (const [key, value] of entries.entries.values()) this.insert(key, value);
    } else if (isPlainObject(entries)) {
      for (const key of Object.keys(entries)) this.insert(key, entries[key]!);
    } else {
      throw noSuchOverload();
    }
    return this;
  }

  finish(): CelMap | PlainObject {
    if (!this.#stringsOnly) return new CelMap(this.#entries);
    const result: Record<string, CelValue> = Object.create(null);
    for (const [key, value] of this.#entries.values()) result[key as string] = value;
    return result;
  }
}

/** `cel.@mapInsert(map, key, value)` and `cel.@mapInsert(map, entries)` on a finished map. */
export function insertIntoMap(map: CelValue, keyOrEntries: CelValue, value?: CelValue): CelValue {
  const builder = new MapBuilder().insertAll(map);
  return (value === undefined ? builder.insertAll(keyOrEntries) : builder.insert(keyOrEntries, value)).finish();
}
