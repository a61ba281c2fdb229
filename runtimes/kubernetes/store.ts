import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import type { Indexer, ObjectStore, StoreChange, StoreKey } from './informer.ts';
import { compareResourceVersions } from './resource-version.ts';

/** A store that follows a server. Each method answers what changed, in the order in which handlers should hear of it. */
export interface MutableStore extends ObjectStore {
  /** Takes over what a whole list says, at once. Everything that is not in it has been deleted. */
  replace(objects: Iterable<JsonObject>, resourceVersion: string): readonly StoreChange[];
  /** Takes over an object of an ADDED or MODIFIED event. What is older than what is known changes nothing. */
  put(object: JsonObject): readonly StoreChange[];
  /** Takes over the final state of a DELETED event. */
  remove(object: JsonObject): readonly StoreChange[];
  entries(): Iterable<readonly [StoreKey, JsonObject]>;
  /** Takes over a bookmark. */
  advance(resourceVersion: string): void;
}

/** What tells one state of one object from any other. */
export interface ObjectIdentity {
  readonly key: StoreKey;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** `` for what an object does not say. */
export function identityOf(object: JsonObject): ObjectIdentity {
  const { metadata } = object;
  const { namespace, name, uid, resourceVersion } = isJsonObject(metadata) ? metadata : ({} as JsonObject);
  const plainName = typeof name === 'string' ? name : '';
  return {
    key: typeof namespace === 'string' && namespace !== '' ? `${namespace}/${plainName}` : plainName,
    uid: typeof uid === 'string' ? uid : '',
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
  };
}

type Index = Map<string, Set<StoreKey>>;

/** An empty store. The first {@link MutableStore.replace} is the initial list: its additions are marked so. */
export function createStore(indexers: Readonly<Record<string, Indexer>> = {}): MutableStore {
  const named = Object.entries(indexers);
  let objects = new Map<StoreKey, JsonObject>();
  let indexes = new Map<string, Index>(named.map(([name]) => [name, new Map()]));
  let version = '';
  let listed = false;

  function index(into: Map<string, Index>, key: StoreKey, object: JsonObject): void {
    for (const [name, indexer] of named) addKey(into.get(name)!, indexer(object), key);
  }

  function unindex(key: StoreKey, object: JsonObject): void {
    for (const [name, indexer] of named) dropKey(indexes.get(name)!, indexer(object), key);
  }

  /** As {@link unindex} and {@link index}, without touching an index under whose values the object was already. */
  function reindex(key: StoreKey, former: JsonObject, object: JsonObject): void {
    for (const [name, indexer] of named) {
      const values = indexer(object);
      const formerValues = indexer(former);
      if (values.length === formerValues.length && values.every((value, i) => value === formerValues[i])) continue;
      const byValue = indexes.get(name)!;
      dropKey(byValue, formerValues, key);
      addKey(byValue, values, key);
    }
  }

  function advance(to: string): void {
    // Events come in order; one that repeats an older state must not lead back to its version.
    if (to !== '' && !(version !== '' && isOlder(to, version))) version = to;
  }

  return {
    get: (key) => objects.get(key),
    list: () => objects.values(),
    entries: () => objects,
    byIndex(name, value) {
      const byValue = indexes.get(name);
      if (byValue === undefined) throw new Error(`the store has no index ${JSON.stringify(name)}`);
      const keys = byValue.get(value);
      return keys === undefined ? [] : Array.from(keys, (key) => objects.get(key)!);
    },
    get size() {
      return objects.size;
    },
    get resourceVersion() {
      return version;
    },
    replace(list, resourceVersion) {
      const former = objects;
      const initial = !listed;
      const next = new Map<StoreKey, JsonObject>();
      const nextIndexes = new Map<string, Index>(named.map(([name]) => [name, new Map()]));
      const changes: StoreChange[] = [];
      for (const object of list) {
        const { key, uid, resourceVersion: at } = identityOf(object);
        const known = former.get(key);
        let kept = object;
        if (known === undefined) changes.push({ type: 'added', key, object, initial });
        else {
          const identity = identityOf(known);
          if (identity.uid !== uid) {
            changes.push({ type: 'deleted', key, object: known, initial: false, finalStateUnknown: true });
            changes.push({ type: 'added', key, object, initial: false });
          } else if (identity.resourceVersion === at) kept = known;
          else changes.push({ type: 'modified', key, object, previous: known, initial: false });
        }
        next.set(key, kept);
        index(nextIndexes, key, kept);
      }
      for (const [key, object] of former)
        if (!next.has(key)) changes.push({ type: 'deleted', key, object, initial: false, finalStateUnknown: true });
      objects = next;
      indexes = nextIndexes;
      version = resourceVersion;
      listed = true;
      return changes;
    },
    put(object) {
      const { key, uid, resourceVersion } = identityOf(object);
      advance(resourceVersion);
      const known = objects.get(key);
      if (known === undefined) {
        objects.set(key, object);
        index(indexes, key, object);
        return [{ type: 'added', key, object, initial: false }];
      }
      const identity = identityOf(known);
      if (resourceVersion === identity.resourceVersion || isOlder(resourceVersion, identity.resourceVersion)) return NOTHING;
      objects.set(key, object);
      reindex(key, known, object);
      if (identity.uid === uid) return [{ type: 'modified', key, object, previous: known, initial: false }];
      // The deletion in between was missed.
      return [
        { type: 'deleted', key, object: known, initial: false, finalStateUnknown: true },
        { type: 'added', key, object, initial: false },
      ];
    },
    remove(object) {
      const { key, uid, resourceVersion } = identityOf(object);
      advance(resourceVersion);
      const known = objects.get(key);
      if (known === undefined) return NOTHING;
      const identity = identityOf(known);
      if (isOlder(resourceVersion, identity.resourceVersion)) return NOTHING;
      objects.delete(key);
      unindex(key, known);
      // Of an object that came and went unseen: what is known is another of the same name, which must have gone before it.
      if (identity.uid !== uid) return [{ type: 'deleted', key, object: known, initial: false, finalStateUnknown: true }];
      return [{ type: 'deleted', key, object, previous: known, initial: false }];
    },
    advance,
  };
}

function addKey(index: Index, values: readonly string[], key: StoreKey): void {
  for (const value of values) {
    const keys = index.get(value);
    if (keys === undefined) index.set(value, new Set([key]));
    else keys.add(key);
  }
}

function dropKey(index: Index, values: readonly string[], key: StoreKey): void {
  for (const value of values) {
    const keys = index.get(value);
    if (keys?.delete(key) && keys.size === 0) index.delete(value);
  }
}

const NOTHING: readonly StoreChange[] = [];

function isOlder(version: string, than: string): boolean {
  const order = compareResourceVersions(version, than);
  return order !== undefined && order < 0;
}
