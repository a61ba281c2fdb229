import type { FieldDemand, Projection } from '../../engine/object/projection.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { type Log, silentLog } from '../host/log.ts';
import { ConnectionError } from './api-error.ts';
import type { KubernetesClient, ResourceType } from './client.ts';
import { createObjectDecoder } from './event-decoder.ts';
import { namespaceIndexer, ownerIndexer } from './indexers.ts';
import type { Indexer, Informer, StoreChange } from './informer.ts';
import { startReflector } from './reflector.ts';
import { createStore } from './store.ts';

export interface InformerOptions {
  readonly client: KubernetesClient;
  readonly type: ResourceType;
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  /** In the form of `kubectl -l`. */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /**
   * What is kept of each object besides its identity; what is not kept costs next to nothing. Default: all but managedFields, and
   * all where {@link project} says what is kept.
   */
  readonly fields?: FieldDemand;
  /** Makes of what {@link fields} leaves what is stored; must keep metadata.{name,namespace,uid,resourceVersion}. */
  readonly project?: Projection;
  /** By name, besides `owner` (uids of owners) and `namespace`. */
  readonly indexers?: Readonly<Record<string, Indexer>>;
  /** Tries a streaming list first, where the server does that; default: true. */
  readonly streams?: boolean;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly log?: Log;
}

/** Follows the objects of one query, from now on. */
export function createInformer(options: InformerOptions): Informer {
  const { client, type, namespace, labelSelector, fieldSelector, clock = systemClock, random = Math.random, log = silentLog } = options;
  const decoder = createObjectDecoder(options.fields, options.project);
  const store = createStore({ owner: ownerIndexer, namespace: namespaceIndexer, ...options.indexers });
  const handlers = new Set<(change: StoreChange) => void>();
  const waiting = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  let synced = false;
  let closed = false;

  function tell(changes: readonly StoreChange[]): void {
    // Who subscribes now sees the store with all of these changes already.
    const listening = [...handlers];
    for (const change of changes) for (const handler of listening) if (handlers.has(handler)) call(handler, change);
  }

  /** One handler's bug must not keep changes from the others. */
  function call(handler: (change: StoreChange) => void, change: StoreChange): void {
    try {
      handler(change);
    } catch (error) {
      log('error', 'a handler of changes failed', { kind: type.kind, key: change.key, error: String(error) });
    }
  }

  const reflector = startReflector({
    resource: client.resource(type),
    namespace,
    labelSelector,
    fieldSelector,
    project: decoder.object,
    decode: decoder.event,
    sink: {
      replace(objects, resourceVersion) {
        const changes = store.replace(objects, resourceVersion);
        synced = true;
        tell(changes);
        for (const { resolve } of waiting) resolve();
        waiting.clear();
      },
      apply(event, object) {
        const changes = event === 'DELETED' ? store.remove(object) : store.put(object);
        tell(changes);
        return changes.length > 0;
      },
      advance: (resourceVersion) => store.advance(resourceVersion),
      get resourceVersion() {
        return store.resourceVersion;
      },
    },
    clock,
    random,
    streams: options.streams ?? true,
    onState({ failure, step }) {
      if (failure !== undefined) log('warn', 'nothing is received', { kind: type.kind, reason: failure, retryIn: Math.round(step.after) });
    },
  });

  return {
    store,
    get synced() {
      return synced;
    },
    whenSynced(signal) {
      if (synced) return Promise.resolve();
      if (closed || signal?.aborted) return Promise.reject(new ConnectionError('given up before everything was there', 'ABORT_ERR'));
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => (): void => {
          waiting.delete(entry);
          signal?.removeEventListener('abort', abort);
          settle();
        };
        const abort = end(() => reject(new ConnectionError('given up before everything was there', 'ABORT_ERR')));
        const entry = { resolve: end(resolve), reject: (error: Error) => end(() => reject(error))() };
        waiting.add(entry);
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    failure: () => reflector.state.failure,
    subscribe(handler) {
      for (const [key, object] of store.entries()) call(handler, { type: 'added', key, object, initial: true });
      if (!closed) handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    close() {
      closed = true;
      reflector.close();
      handlers.clear();
      for (const { reject } of waiting) reject(new ConnectionError('the informer is closed', 'ABORT_ERR'));
      waiting.clear();
    },
  };
}
