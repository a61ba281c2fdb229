import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, isDeleted, type KubernetesObject, nameOf, servedKind, typed, untyped } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import type { GroupResource, Registry, ServedResource } from '../registry.ts';
import { NAMESPACES, type Namespace } from './kinds.ts';
import { type FailedDeletion, type Remainder, terminationConditions } from './termination.ts';

/** In `spec.finalizers` of every namespace until this controller has emptied it. */
const FINALIZER = 'kubernetes';
/** Milliseconds after which a refused deletion is tried again. */
const RETRY = 1_000;

const WRITER = { fieldManager: 'namespace-controller' };

/**
 * Empties namespaces that are being deleted, pods before everything else, says in their conditions what is left, and lets
 * them go once nothing is. Kubernetes: pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
 */
export function namespaceController(registry: Registry, now: () => number): Controller {
  /** Those whose content matters. */
  const terminating = new Set<string>();
  const find = (name: string): Namespace | undefined => {
    const resource = servedKind(registry, NAMESPACES);
    const found = resource === undefined ? undefined : registry.get(resource, { name });
    return found === undefined ? undefined : typed<Namespace>(found);
  };

  return {
    name: WRITER.fieldManager,
    watches: ['*'],
    *initial() {
      const resource = servedKind(registry, NAMESPACES);
      for (const object of resource === undefined ? [] : registry.list(resource)) {
        const namespace = typed<Namespace>(object);
        if (!isDeleted(namespace)) continue;
        terminating.add(namespace.metadata.name);
        yield namespace.metadata.name;
      }
    },
    *keys({ type, resource, object }) {
      const { metadata } = typed<KubernetesObject>(object);
      if (resource !== '/namespaces') {
        if (terminating.size > 0 && metadata.namespace !== undefined && terminating.has(metadata.namespace)) yield metadata.namespace;
      } else if (type === 'DELETED') terminating.delete(metadata.name);
      else if (metadata.deletionTimestamp !== undefined) {
        terminating.add(metadata.name);
        yield metadata.name;
      }
    },
    async sync(name) {
      const namespace = find(name);
      const resource = servedKind(registry, NAMESPACES);
      if (namespace === undefined || resource === undefined || !isDeleted(namespace)) return undefined;
      if (!namespace.spec?.finalizers?.includes(FINALIZER)) return undefined;
      const failures = await deleteContent(registry, name);
      const remainders = contentOf(registry, name);
      await registry.modify(
        resource,
        { name },
        (stored) => {
          const current = typed<Namespace>(stored);
          if (current.metadata.uid !== namespace.metadata.uid) return undefined;
          const conditions = terminationConditions(current, remainders, failures, now());
          if (conditions === current.status?.conditions && current.status.phase === 'Terminating') return undefined;
          return untyped({ ...current, status: { ...current.status, phase: 'Terminating', conditions } });
        },
        { ...WRITER, subresource: 'status' },
      );
      if (failures.length > 0) return { after: RETRY };
      if (remainders.some(({ objects }) => objects.length > 0)) return undefined;
      await registry.modify(
        resource,
        { name },
        (stored) => {
          const { spec, ...current } = typed<Namespace>(stored);
          if (current.metadata.uid !== namespace.metadata.uid) return undefined;
          const finalizers = (spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
          return untyped({ ...current, spec: { ...spec, finalizers } });
        },
        { ...WRITER, subresource: 'finalize' },
      );
      return undefined;
    },
  };
}

/** Resources whose objects live in namespaces, each once, and only those that can be deleted. */
function namespacedResources(registry: Registry): ReadonlyMap<GroupResource, ServedResource> {
  const found = new Map<GroupResource, ServedResource>();
  for (const resource of registry.resources())
    if (resource.namespaced && resource.verbs.includes('delete') && resource.verbs.includes('list')) {
      const name = groupResource(resource);
      if (!found.has(name)) found.set(name, resource);
    }
  return found;
}

function contentOf(registry: Registry, namespace: string): readonly Remainder[] {
  return [...namespacedResources(registry)].map(([resource, served]) => ({
    resource,
    objects: registry.list(served, namespace).map((object) => typed<KubernetesObject>(object)),
  }));
}

/** Deletes what is not being deleted yet. While there are pods, nothing else: they may need it to end well. */
async function deleteContent(registry: Registry, namespace: string): Promise<readonly FailedDeletion[]> {
  const resources = namespacedResources(registry);
  const pods = resources.get('/pods');
  if (pods !== undefined && registry.list(pods, namespace).length > 0) {
    const failures = await deleteAll(registry, '/pods', pods, namespace);
    if (registry.list(pods, namespace).length > 0) return failures;
  }
  const failures: FailedDeletion[] = [];
  for (const [name, resource] of resources) failures.push(...(await deleteAll(registry, name, resource, namespace)));
  return failures;
}

async function deleteAll(registry: Registry, name: GroupResource, resource: ServedResource, namespace: string): Promise<FailedDeletion[]> {
  const failures: FailedDeletion[] = [];
  for (const stored of registry.list(resource, namespace)) {
    const object = typed<KubernetesObject>(stored);
    if (isDeleted(object)) continue;
    try {
      const preconditions = { uid: object.metadata.uid };
      await registry.delete(resource, nameOf(object), { ...WRITER, preconditions, propagationPolicy: 'Background' });
    } catch (error) {
      if (reasonOf(error) === 'NotFound') continue;
      failures.push({ resource: name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return failures;
}
