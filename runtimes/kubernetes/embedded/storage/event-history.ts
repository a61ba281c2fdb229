import type { JsonObject } from '../../../../engine/object/json.ts';
import type { GroupResource } from '../registry.ts';

/** One object as it is stored. */
export interface StoredObject {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  /** `` for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  /** In the version it is stored in, `metadata.resourceVersion` included. Never changed in place. */
  readonly object: JsonObject;
  /** Of its last change. */
  readonly revision: number;
}

/** A change of one object. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: GroupResource;
  readonly revision: number;
  /** After the change; of a deletion the last state, with the deletion's resourceVersion. */
  readonly current: StoredObject;
  readonly previous: StoredObject | undefined;
}

/**
 * The newest changes of one resource, so that a watch can begin in the past and a list can be read as it was. What falls out, by
 * number or by {@link compact}, is forgotten for good.
 */
export class EventHistory {
  readonly #limit: number;
  #events: StoreEvent[] = [];
  /** Events before this index are forgotten; they are cut off in bulk. */
  #start = 0;
  /** Changes up to and with this revision may be missing. */
  #forgotten: number;

  /** `limit`: how many changes are kept at most. `since`: the revision at which the history begins. */
  constructor(limit: number, since: number) {
    this.#limit = limit;
    this.#forgotten = since;
  }

  /** States before this revision can't be told any more. */
  get oldest(): number {
    return this.#forgotten;
  }

  add(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#start > this.#limit) this.#forget(this.#start + 1);
  }

  /** Forgets changes up to and with a revision. */
  compact(revision: number): void {
    if (revision <= this.#forgotten) return;
    this.#forget(this.#indexAfter(revision));
    this.#forgotten = revision;
  }

  /** Whether everything after `revision` is known. */
  reaches(revision: number): boolean {
    return revision >= this.#forgotten;
  }

  /** The changes after a revision, oldest first. {@link reaches} must hold. */
  after(revision: number): readonly StoreEvent[] {
    const from = this.#indexAfter(revision);
    return from >= this.#events.length ? NONE : this.#events.slice(from);
  }

  #indexAfter(revision: number): number {
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as StoreEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forget(end: number): void {
    const last = this.#events[end - 1];
    if (end > this.#start && last !== undefined) this.#forgotten = Math.max(this.#forgotten, last.revision);
    this.#start = end;
    // Cutting costs as much as what remains, so it waits until that is no more than what goes.
    if (this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }
}

const NONE: readonly StoreEvent[] = [];
