import type { JsonObject } from '../../engine/object/json.ts';

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type StoreKey = string;

/** What changed in a store. */
export interface StoreChange {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly key: StoreKey;
  /** As the store keeps it; of a deleted object the last that is known. */
  readonly object: JsonObject;
  /** Before a modification. */
  readonly previous?: JsonObject;
  /** Came with a list and not as news: whoever orders work may let it wait behind news. */
  readonly initial: boolean;
  /** The deletion was missed and found by a list: {@link object} may not be the final state. */
  readonly finalStateUnknown?: boolean;
}

/** The objects of one query, as the server has them. Replaced as a whole or not at all; reads are immediate. */
export interface ObjectStore {
  get(key: StoreKey): JsonObject | undefined;
  list(): Iterable<JsonObject>;
  /** Objects for which the indexer `index` answers `value`. */
  byIndex(index: string, value: string): readonly JsonObject[];
  readonly size: number;
  /** Of the newest list, event or bookmark; `` before the first. */
  readonly resourceVersion: string;
}

/** Names the values under which an object is found. */
export type Indexer = (object: JsonObject) => readonly string[];

/** One query that is kept up to date: list, watch, and list again where that is needed. */
export interface Informer {
  readonly store: ObjectStore;
  /** True once the store holds everything the server had when it was first asked. */
  readonly synced: boolean;
  /** Resolves once {@link synced}; rejects when the signal aborts or the informer is closed. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Why nothing is received at present, in words for a person; undefined while all is well. */
  failure(): string | undefined;
  /** Calls back on every change, in order; objects that are there already come as initial additions. Answers how to stop. */
  subscribe(handler: (change: StoreChange) => void): () => void;
  close(): void;
}
