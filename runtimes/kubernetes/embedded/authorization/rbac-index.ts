import { groupResource, type Kind, type KubernetesObject, servedKind, typed } from '../control-loop/kind.ts';
import type { Registry, Requester } from '../registry.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, type PolicyRule, ROLE_BINDINGS, ROLES, type RoleBinding, type Subject } from './kinds.ts';

/** Rules that a subject has, and where. */
export interface Grant {
  /** `` for everywhere. */
  readonly namespace: string;
  /** How Kubernetes names it in a reason: `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  readonly description: string;
  readonly rules: readonly PolicyRule[];
}

/** What bindings grant, by subject. Made anew after roles or bindings have changed, when it is next asked. */
export class RbacIndex {
  readonly #registry: Registry;
  #bySubject: ReadonlyMap<string, readonly Grant[]> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
    const watched = new Set([ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS].map(groupResource));
    registry.subscribe(({ resource }) => {
      if (watched.has(resource)) this.#bySubject = undefined;
    });
  }

  /** Grants that reach a requester in a namespace, `` for what lives in none: those for everywhere first. */
  *grantsOf(requester: Requester, namespace: string): Iterable<Grant> {
    this.#bySubject ??= this.#build();
    const subjects = [`User ${requester.username}`, ...requester.groups.map((group) => `Group ${group}`)];
    for (const wanted of namespace === '' ? [''] : ['', namespace])
      for (const subject of subjects) for (const grant of this.#bySubject.get(subject) ?? []) if (grant.namespace === wanted) yield grant;
  }

  #build(): ReadonlyMap<string, readonly Grant[]> {
    const bySubject = new Map<string, Grant[]>();
    const clusterRoles = new Map(this.#list(CLUSTER_ROLES).map(({ metadata, rules }) => [metadata.name, rules ?? []]));
    const roles = new Map(this.#list(ROLES).map(({ metadata, rules }) => [`${metadata.namespace}/${metadata.name}`, rules ?? []]));
    const add = (binding: RoleBinding, namespace: string): void => {
      const { kind, name } = binding.roleRef;
      const rules = kind === 'ClusterRole' ? clusterRoles.get(name) : kind === 'Role' ? roles.get(`${namespace}/${name}`) : undefined;
      if (rules === undefined) return;
      for (const subject of binding.subjects ?? []) {
        const key = subjectKey(subject, namespace);
        const grant = { namespace, description: describe(binding, subject, namespace), rules };
        const grants = bySubject.get(key);
        if (grants === undefined) bySubject.set(key, [grant]);
        else grants.push(grant);
      }
    };
    for (const binding of this.#list(CLUSTER_ROLE_BINDINGS)) add(binding, '');
    for (const binding of this.#list(ROLE_BINDINGS)) add(binding, binding.metadata.namespace ?? '');
    return bySubject;
  }

  #list<T extends KubernetesObject>(kind: Kind<T>): readonly T[] {
    const resource = servedKind(this.#registry, kind);
    return resource === undefined ? [] : this.#registry.list(resource).map((object) => typed<T>(object));
  }
}

function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  return kind === 'ServiceAccount' ? `User system:serviceaccount:${namespace || bindingNamespace}:${name}` : `${kind} ${name}`;
}

/** Kubernetes: pkg/registry/rbac/validation/rule.go clusterRoleBindingDescriber, roleBindingDescriber. */
function describe({ kind, metadata, roleRef }: RoleBinding, subject: Subject, namespace: string): string {
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const name = namespace === '' ? metadata.name : `${metadata.name}/${namespace}`;
  const what = kind ?? (namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding');
  return `${what} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`;
}
