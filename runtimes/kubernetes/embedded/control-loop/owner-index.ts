import type { JsonObject } from '../../../../engine/object/json.ts';
import type { GroupResource, ObjectEvent, Registry } from '../registry.ts';
import { controllerOf, groupResource, type KubernetesObject, typed } from './kind.ts';

/** An object of any resource. */
export interface IndexedObject {
  readonly resource: GroupResource;
  readonly object: KubernetesObject;
}

/** Objects by their uid and by the uids of their owners, over all resources: kept by events, never by looking through everything. */
export class OwnerIndex {
  readonly #objects = new Map<string, IndexedObject>();
  readonly #dependents = new Map<string, Map<string, IndexedObject>>();
  /** Those that nobody controls, by resource and namespace. */
  readonly #uncontrolled = new Map<string, Map<string, IndexedObject>>();

  /** Made by {@link ownerIndex}. */
  constructor(registry: Registry) {
    registry.subscribe((event) => this.#follow(event));
    const seen = new Set<GroupResource>();
    for (const resource of registry.resources()) {
      const name = groupResource(resource);
      if (seen.has(name)) continue;
      seen.add(name);
      for (const object of registry.list(resource)) this.#put(name, object);
    }
  }

  #follow(event: ObjectEvent): void {
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

  /** Objects of a resource in a namespace that have no controller. */
  uncontrolled(resource: GroupResource, namespace: string | undefined): readonly IndexedObject[] {
    const found = this.#uncontrolled.get(`${resource} ${namespace}`);
    return found === undefined ? [] : [...found.values()];
  }

  #put(resource: GroupResource, stored: JsonObject): void {
    const object = typed<KubernetesObject>(stored);
    const { uid, ownerReferences = [] } = object.metadata;
    const before = this.#objects.get(uid)?.object;
    const indexed = { resource, object };
    this.#objects.set(uid, indexed);
    if (controllerOf(object) === undefined) link(this.#uncontrolled, placeOf(indexed), uid, indexed);
    else if (before !== undefined) unlink(this.#uncontrolled, placeOf(indexed), uid);
    for (const owner of before?.metadata.ownerReferences ?? [])
      if (!ownerReferences.some((reference) => reference.uid === owner.uid)) unlink(this.#dependents, owner.uid, uid);
    for (const owner of ownerReferences) link(this.#dependents, owner.uid, uid, indexed);
  }

  #remove({ metadata: { uid } }: KubernetesObject): void {
    const before = this.#objects.get(uid);
    if (before === undefined) return;
    this.#objects.delete(uid);
    unlink(this.#uncontrolled, placeOf(before), uid);
    for (const owner of before.object.metadata.ownerReferences ?? []) unlink(this.#dependents, owner.uid, uid);
  }
}

const indexes = new WeakMap<Registry, OwnerIndex>();

/**
 * The index of a registry: one for all who ask. It is made when it is first asked for, and changes with every object from then on,
 * before those hear of it who subscribe later.
 */
export function ownerIndex(registry: Registry): OwnerIndex {
  let index = indexes.get(registry);
  if (index === undefined) {
    index = new OwnerIndex(registry);
    indexes.set(registry, index);
  }
  return index;
}

const placeOf = ({ resource, object }: IndexedObject): string => `${resource} ${object.metadata.namespace}`;

type Links = Map<string, Map<string, IndexedObject>>;

function link(links: Links, key: string, uid: string, object: IndexedObject): void {
  const found = links.get(key);
  if (found === undefined) links.set(key, new Map([[uid, object]]));
  else found.set(uid, object);
}

function unlink(links: Links, key: string, uid: string): void {
  const found = links.get(key);
  found?.delete(uid);
  if (found?.size === 0) links.delete(key);
}
