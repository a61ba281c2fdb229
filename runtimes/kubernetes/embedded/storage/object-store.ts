import type { JsonObject } from '../../../../engine/object/json.ts';
import type { GroupResource } from '../registry.ts';
import { EventHistory, type StoredObject, type StoreEvent } from './event-history.ts';
import { SortedKeys } from './sorted-keys.ts';

/** Writes down every change before anyone is told of it. */
export interface Journal {
  append(event: StoreEvent): void;
  /** Resolves when everything appended so far is as safe as the journal makes it. */
  durable(): Promise<void>;
  close(): Promise<void>;
}

export interface ObjectStoreOptions {
  /** Changes remembered per resource. Default: 10 000. */
  readonly historyLimit?: number;
  /** Where the store begins, from a snapshot and journal. */
  readonly initial?: { readonly revision: number; readonly objects: Iterable<readonly [GroupResource, StoredObject]> };
  readonly journal?: Journal;
}

/** What a write is based on: a revision, 0 where there must be no object yet. */
export type ExpectedRevision = number;

/** The objects of one resource. */
export class Collection {
  readonly resource: GroupResource;
  readonly history: EventHistory;
  readonly objects = new Map<string, StoredObject>();
  readonly keys = new SortedKeys();
  readonly listeners = new Set<(event: StoreEvent) => void>();

  constructor(resource: GroupResource, historyLimit: number, since: number) {
    this.resource = resource;
    this.history = new EventHistory(historyLimit, since);
  }

  /** The objects whose keys begin with `prefix`, in order. */
  *range(prefix: string, after = ''): IterableIterator<StoredObject> {
    const { keys } = this;
    for (let i = keys.lowerBound(after > prefix ? after : prefix); i < keys.size; i++) {
      const key = keys.at(i) as string;
      if (!key.startsWith(prefix)) return;
      yield this.objects.get(key) as StoredObject;
    }
  }
}

/**
 * All objects, in memory, under one counter of revisions as etcd has it. Writes are compare-and-swap and take effect at once; whoever
 * listens is told synchronously and in order.
 */
export class ObjectStore {
  readonly #collections = new Map<GroupResource, Collection>();
  readonly #historyLimit: number;
  readonly #journal: Journal | undefined;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #revision: number;
  #compacted: number;

  constructor(options: ObjectStoreOptions = {}) {
    this.#historyLimit = options.historyLimit ?? 10_000;
    this.#journal = options.journal;
    this.#revision = options.initial?.revision ?? 1;
    this.#compacted = this.#revision;
    for (const [resource, stored] of options.initial?.objects ?? []) {
      const collection = this.collection(resource);
      collection.objects.set(stored.key, stored);
      collection.keys.add(stored.key);
    }
  }

  /** Of the newest change. */
  get revision(): number {
    return this.#revision;
  }

  collection(resource: GroupResource): Collection {
    let collection = this.#collections.get(resource);
    if (collection === undefined) {
      // Nothing was there until now, and what was forgotten elsewhere is not forgotten here; but a restart forgets everything.
      collection = new Collection(resource, this.#historyLimit, this.#compacted);
      this.#collections.set(resource, collection);
    }
    return collection;
  }

  collections(): Iterable<Collection> {
    return this.#collections.values();
  }

  get(resource: GroupResource, key: string): StoredObject | undefined {
    return this.#collections.get(resource)?.objects.get(key);
  }

  /** Stores an object; undefined where what is there is not what was expected. */
  put(resource: GroupResource, namespace: string, name: string, object: JsonObject, expected: ExpectedRevision): StoredObject | undefined {
    const collection = this.collection(resource);
    const key = objectKey(namespace, name);
    const previous = collection.objects.get(key);
    if ((previous?.revision ?? 0) !== expected) return undefined;
    const revision = this.#revision + 1;
    const current: StoredObject = { key, namespace, name, object: withResourceVersion(object, revision), revision };
    this.#commit(collection, { type: previous === undefined ? 'ADDED' : 'MODIFIED', resource, revision, current, previous });
    return current;
  }

  /** Removes an object whose last state is `last`; undefined where what is there is not what was expected. */
  remove(resource: GroupResource, key: string, last: JsonObject, expected: ExpectedRevision): StoredObject | undefined {
    const collection = this.collection(resource);
    const previous = collection.objects.get(key);
    if (previous === undefined || previous.revision !== expected) return undefined;
    const revision = this.#revision + 1;
    const current: StoredObject = { ...previous, object: withResourceVersion(last, revision), revision };
    this.#commit(collection, { type: 'DELETED', resource, revision, current, previous });
    return current;
  }

  /** Calls back on every change of every resource, synchronously and in order. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Forgets the changes up to a revision, as etcd's compaction does. */
  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
    for (const collection of this.#collections.values()) collection.history.compact(revision);
  }

  durable(): Promise<void> {
    return this.#journal?.durable() ?? DONE;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#journal?.close();
  }

  #commit(collection: Collection, event: StoreEvent): void {
    // First of all, so that a disk that is full fails the write and not the world.
    this.#journal?.append(event);
    this.#revision = event.revision;
    const { key } = event.current;
    if (event.type === 'DELETED') {
      collection.objects.delete(key);
      collection.keys.remove(key);
    } else {
      collection.objects.set(key, event.current);
      if (event.type === 'ADDED') collection.keys.add(key);
    }
    collection.history.add(event);
    for (const listener of collection.listeners) listener(event);
    for (const listener of this.#listeners) listener(event);
  }
}

const DONE = Promise.resolve();

export function objectKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function withResourceVersion(object: JsonObject, revision: number): JsonObject {
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), resourceVersion: String(revision) } };
}
