import type { JsonObject } from '../../engine/object/json.ts';
import type { ObjectStore, StoreKey } from '../kubernetes/informer.ts';
import { compareResourceVersions } from '../kubernetes/resource-version.ts';
import { KeySets } from './key-sets.ts';
import { INSTANCE_LABEL, labelOf, nameOf, namespaceOf, resourceVersionOf, uidOf } from './ownership.ts';

/** `namespace/name`, or `name`: the key under which stores keep an object. */
export function storeKeyOf(namespace: string | undefined, name: string): StoreKey {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export const keyOf = (object: JsonObject): StoreKey => storeKeyOf(namespaceOf(object), nameOf(object));

/** Whether a version is older than another of the same resource. What can't be compared is not known to be. */
const isOlder = (version: string, than: string): boolean => (compareResourceVersions(version, than) ?? 0) < 0;

type Written = { readonly object: JsonObject; readonly version: string } | { readonly goneUid: string };

/**
 * What we wrote and the watch has not shown yet. A store is behind its own writer for a moment; whoever decided by it would make
 * twice what is there already, and delete twice what is gone.
 */
export class WrittenObjects {
  readonly #written = new Map<StoreKey, Written>();
  /** Keys of written objects by the instance they were made for. */
  readonly #byInstance = new KeySets();

  /** As the server answered a write. */
  wrote(object: JsonObject): void {
    const key = keyOf(object);
    this.#forget(key);
    this.#written.set(key, { object, version: resourceVersionOf(object) });
    const instance = labelOf(object, INSTANCE_LABEL);
    if (instance !== undefined) this.#byInstance.add(instance, key);
  }

  /** The server has deleted it. */
  gone(object: JsonObject): void {
    const key = keyOf(object);
    this.#forget(key);
    this.#written.set(key, { goneUid: uidOf(object) });
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
    this.#forget(key);
    return stored;
  }

  /** Keys of objects that were written for an instance and that the store may not show. */
  ofInstance(uid: string): readonly StoreKey[] {
    return [...this.#byInstance.of(uid)];
  }

  /** Keys of all objects that the store may not show. */
  keys(): readonly StoreKey[] {
    return [...this.#written.keys()];
  }

  get size(): number {
    return this.#written.size;
  }

  /** Whether news tells nothing that we did not write ourselves. */
  isEcho(key: StoreKey, object: JsonObject): boolean {
    const written = this.#written.get(key);
    if (written === undefined) return false;
    if ('goneUid' in written) return uidOf(object) === written.goneUid;
    return uidOf(object) === uidOf(written.object) && !isOlder(written.version, resourceVersionOf(object));
  }

  /** What we kept of the answer to the write that made an object what it is here. */
  answerOf(object: JsonObject): JsonObject | undefined {
    const written = this.#written.get(keyOf(object));
    if (written === undefined || 'goneUid' in written) return undefined;
    const isSame = written.version !== '' && written.version === resourceVersionOf(object) && uidOf(written.object) === uidOf(object);
    return isSame ? written.object : undefined;
  }

  /** Whether the store shows everything that was written. */
  isShownBy(store: ObjectStore): boolean {
    for (const key of this.#written.keys()) {
      this.get(key, store);
      if (this.#written.has(key)) return false;
    }
    return true;
  }

  #forget(key: StoreKey): void {
    const written = this.#written.get(key);
    if (written === undefined) return;
    this.#written.delete(key);
    if ('goneUid' in written) return;
    const instance = labelOf(written.object, INSTANCE_LABEL);
    if (instance !== undefined) this.#byInstance.delete(instance, key);
  }
}
