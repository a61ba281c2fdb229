import type { JsonObject } from '../../engine/object/json.ts';
import type { ObjectStore, StoreKey } from '../kubernetes/informer.ts';
import { compareResourceVersions } from '../kubernetes/resource-version.ts';
import { nameOf, namespaceOf, resourceVersionOf, uidOf } from './ownership.ts';

/** `namespace/name`, or `name`: the key under which stores keep an object. */
export function storeKeyOf(namespace: string | undefined, name: string): StoreKey {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** Whether a version is older than another of the same resource. What can't be compared is not known to be. */
export const isOlder = (version: string, than: string): boolean => (compareResourceVersions(version, than) ?? 0) < 0;

type Written = { readonly object: JsonObject; readonly version: string } | { readonly goneUid: string };

/**
 * What we wrote and the watch has not shown yet. A store is behind its own writer for a moment; whoever decided by it would make
 * twice what is there already, and delete twice what is gone.
 */
export class WrittenObjects {
  readonly #written = new Map<StoreKey, Written>();

  /** As the server answered a write. */
  wrote(object: JsonObject): void {
    const key = storeKeyOf(namespaceOf(object), nameOf(object));
    this.#written.set(key, { object, version: resourceVersionOf(object) });
  }

  /** The server has deleted it. */
  gone(object: JsonObject): void {
    this.#written.set(storeKeyOf(namespaceOf(object), nameOf(object)), { goneUid: uidOf(object) });
  }

  /** The object as it is for all we know. */
  get(key: StoreKey, store: ObjectStore): JsonObject | undefined {
    const stored = store.get(key);
    const written = this.#written.get(key);
    if (written === undefined) return stored;
    if ('goneUid' in written) {
      if (stored !== undefined && uidOf(stored) === written.goneUid) return undefined;
    } else if (isOlder(stored === undefined ? store.resourceVersion : resourceVersionOf(stored), written.version)) {
      return written.object;
    }
    this.#written.delete(key);
    return stored;
  }

  /** Whether news tells nothing that we did not write ourselves. */
  isEcho(key: StoreKey, object: JsonObject): boolean {
    const written = this.#written.get(key);
    if (written === undefined) return false;
    if ('goneUid' in written) return uidOf(object) === written.goneUid;
    return uidOf(object) === uidOf(written.object) && !isOlder(written.version, resourceVersionOf(object));
  }

  /** Keys of what the store does not show yet. */
  pending(store: ObjectStore): readonly StoreKey[] {
    for (const key of [...this.#written.keys()]) this.get(key, store);
    return [...this.#written.keys()];
  }

  clear(): void {
    this.#written.clear();
  }
}
