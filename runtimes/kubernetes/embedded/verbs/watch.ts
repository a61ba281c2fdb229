import type { JsonObject } from '../../../../engine/object/json.ts';
import { fromStored } from '../kinds/conversion.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { tooLarge, tooOld } from '../status-error.ts';
import type { StoredObject, StoreEvent } from '../storage/event-history.ts';
import { withMetadata } from './object-metadata.ts';
import { parseResourceVersion } from './resource-version.ts';
import type { Selection } from './selection.ts';

export interface WatchRequest {
  /** `` for all namespaces. */
  readonly namespace: string;
  readonly selection: Selection;
  readonly resourceVersion: string;
  /** Begin with the objects that are there, and say where they end. */
  readonly sendInitialEvents: boolean | undefined;
  readonly allowBookmarks: boolean;
}

/** An event as a watcher is to see it. */
export interface Notice {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: JsonObject;
}

export interface WatchSink {
  notice(notice: Notice): void;
  /** `initialEnd`: everything that was there at the beginning has been told. */
  bookmark(revision: number, initialEnd: boolean): void;
}

/**
 * Tells `sink` what happens to the objects of a resource, from a version on. Everything that is known already is told before this
 * returns. Answers how to stop. Throws where the version is too old or not yet reached.
 * Kubernetes: apiserver pkg/storage/cacher.
 */
export function watchObjects(state: ServerState, definition: ResourceDefinition, request: WatchRequest, sink: WatchSink): () => void {
  const collection = state.store.collection(definition.storedIn);
  const { namespace, selection, sendInitialEvents } = request;
  const version = parseResourceVersion(request.resourceVersion);
  const current = state.store.revision;
  const prefix = namespace === '' ? '' : `${namespace}/`;
  if (version > current) throw tooLarge(version, current);

  const tell = (event: StoreEvent): void => {
    if (namespace !== '' && event.current.namespace !== namespace) return;
    const notice = noticeOf(definition, selection, event);
    if (notice !== undefined) sink.notice(notice);
  };
  const fromState = sendInitialEvents ?? version === 0;
  if (fromState) {
    for (const { object } of collection.range(prefix)) {
      const shown = fromStored(definition, object);
      if (selection.matches(shown)) sink.notice({ type: 'ADDED', object: shown });
    }
    if (sendInitialEvents === true && request.allowBookmarks) sink.bookmark(current, true);
  } else if (version > 0) {
    if (!collection.history.reaches(version)) throw tooOld(version, collection.history.oldest);
    for (const event of collection.history.after(version)) tell(event);
  }
  collection.listeners.add(tell);
  return () => void collection.listeners.delete(tell);
}

/** Notices are made once for all watchers that see an event in the same way. */
const deletions = new WeakMap<StoredObject, JsonObject>();

function noticeOf(definition: ResourceDefinition, selection: Selection, event: StoreEvent): Notice | undefined {
  const { current, previous, type } = event;
  const object = fromStored(definition, current.object);
  if (selection.everything) return { type, object };
  const is = type !== 'DELETED' && selection.matches(object);
  const was = previous !== undefined && selection.matches(fromStored(definition, previous.object));
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  if (type === 'DELETED') return { type: 'DELETED', object };
  // To this watcher it is gone: the last state that it could see, as of now.
  let last = deletions.get(current);
  if (last === undefined) {
    last = withMetadata((previous as StoredObject).object, { resourceVersion: String(event.revision) });
    deletions.set(current, last);
  }
  return { type: 'DELETED', object: fromStored(definition, last) };
}
