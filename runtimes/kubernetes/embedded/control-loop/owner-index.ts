import type { JsonObject } from '../../../../engine/object/json.ts';
import type { GroupResource, ObjectEvent, Registry } from '../registry.ts';
import { groupResource, type KubernetesObject, typed } from './kind.ts';

/** An object of any resource. */
export interface IndexedObject {
  readonly resource: GroupResource;
  readonly object: KubernetesObject;
}

/** Objects by their uid and by the uids of their owners, over all resources: kept by events, never by looking through everything. */
export class OwnerIndex {
  readonly #objects = new Map<string, IndexedObject>();
  readonly #dependents = new Map<string, Map<string, IndexedObject>>();

  /** With everything that is stored now; {@link follow} it from then on, before anything else is written. */
  constructor(registry: Registry) {
    const seen = new Set<GroupResource>();
    for (const resource of registry.resources()) {
      const name = groupResource(resource);
      if (seen.has(name)) continue;
      seen.add(name);
      for (const object of registry.list(resource)) this.#put(name, object);
    }
  }

  follow(event: ObjectEvent): void {
    if (event.type === 'DELETED') this.#remove(typed(event.object));
    else this.#put(event.resource, event.object);
  }

  byUid(uid: string): IndexedObject | undefined {
    return this.#objects.get(uid);
  }

  all(): Iterable<IndexedObject> {
    return this.#objects.values();
  }

  /** Objects that name `uid` as an owner. */
  dependentsOf(uid: string): readonly IndexedObject[] {
    const found = this.#dependents.get(uid);
    return found === undefined ? [] : [...found.values()];
  }

  hasDependents(uid: string): boolean {
    return this.#dependents.has(uid);
  }

  #put(resource: GroupResource, stored: JsonObject): void {
    const object = typed<KubernetesObject>(stored);
    const { uid, ownerReferences = [] } = object.metadata;
    const before = this.#objects.get(uid)?.object;
    const indexed = { resource, object };
    this.#objects.set(uid, indexed);
    for (const owner of before?.metadata.ownerReferences ?? [])
      if (!ownerReferences.some((reference) => reference.uid === owner.uid)) this.#unlink(owner.uid, uid);
    for (const owner of ownerReferences) {
      let dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) {
        dependents = new Map();
        this.#dependents.set(owner.uid, dependents);
      }
      dependents.set(uid, indexed);
    }
  }

  #remove({ metadata: { uid } }: KubernetesObject): void {
    const before = this.#objects.get(uid);
    this.#objects.delete(uid);
    for (const owner of before?.object.metadata.ownerReferences ?? []) this.#unlink(owner.uid, uid);
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    dependents?.delete(dependent);
    if (dependents?.size === 0) this.#dependents.delete(owner);
  }
}
