import { type LabelSelector, labelSelectorOf } from '../../../../engine/object/label-selector.ts';
import type { ObjectName } from '../../client.ts';
import type { Registry } from '../registry.ts';
import { controllerOf, groupResource, type Kind, type KubernetesObject, servedKind, typed, untyped } from './kind.ts';
import { ownerIndex } from './owner-index.ts';

/** What decisions are made from: the objects as they are now, and the time. */
export interface ClusterView {
  get<T extends KubernetesObject>(kind: Kind<T>, name: ObjectName): T | undefined;
  /** In the order of names; none where the kind is not served. */
  list<T extends KubernetesObject>(kind: Kind<T>, namespace?: string): readonly T[];
  /** Objects of the kind whose controller is `owner`. */
  controlledBy<T extends KubernetesObject>(kind: Kind<T>, owner: KubernetesObject): readonly T[];
  /** Objects of the kind in a namespace that nobody controls. */
  uncontrolled<T extends KubernetesObject>(kind: Kind<T>, namespace: string | undefined): readonly T[];
  /** Milliseconds since the epoch. */
  now(): number;
}

export function clusterView(registry: Registry, now: () => number): ClusterView {
  const owners = ownerIndex(registry);
  return {
    get<T extends KubernetesObject>(kind: Kind<T>, name: ObjectName): T | undefined {
      const resource = servedKind(registry, kind);
      const found = resource === undefined ? undefined : registry.get(resource, name);
      return found === undefined ? undefined : typed<T>(found);
    },
    list<T extends KubernetesObject>(kind: Kind<T>, namespace?: string): readonly T[] {
      const resource = servedKind(registry, kind);
      return resource === undefined ? [] : (registry.list(resource, namespace) as unknown as readonly T[]);
    },
    controlledBy<T extends KubernetesObject>(kind: Kind<T>, owner: KubernetesObject): readonly T[] {
      const wanted = groupResource(kind);
      return owners
        .dependentsOf(owner.metadata.uid)
        .filter(({ resource, object }) => resource === wanted && controllerOf(object)?.uid === owner.metadata.uid)
        .map(({ object }) => object as T)
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    },
    uncontrolled<T extends KubernetesObject>(kind: Kind<T>, namespace: string | undefined): readonly T[] {
      return owners.uncontrolled(groupResource(kind), namespace).map(({ object }) => object as T);
    },
    now,
  };
}

const NOTHING = { matches: () => false };

/** The selector of an object. What is missing or malformed selects nothing. */
export function selectorOf(selector: object | undefined): Pick<LabelSelector, 'matches'> {
  if (selector === undefined) return NOTHING;
  const parsed = labelSelectorOf(untyped(selector));
  return parsed.ok ? parsed.selector : NOTHING;
}
