import { parseLabelSelector } from '../../../../engine/object/label-selector.ts';
import type { AdmissionFacts } from '../../../../engine/rules/admission/decision.ts';
import type { RbacAuthorizer } from '../authorization/rbac-authorizer.ts';
import { type KubernetesObject, typed } from '../control-loop/kind.ts';
import type { Registry } from '../registry.ts';

/** What rules ask about the cluster, answered at once from the objects of this process. */
export function registryFacts(registry: Registry, authorizer: RbacAuthorizer | undefined): AdmissionFacts {
  return {
    namespace(name) {
      const resource = registry.find('', 'v1', 'namespaces');
      return (resource && registry.get(resource, { name })) ?? null;
    },
    object({ apiVersion, kind, namespace, name }) {
      const resource = registry.ofKind(apiVersion, kind);
      if (resource === undefined || (resource.namespaced && namespace === undefined)) return null;
      return registry.get(resource, resource.namespaced ? { namespace, name } : { name }) ?? null;
    },
    list({ apiVersion, kind, namespace, labelSelector }) {
      const resource = registry.ofKind(apiVersion, kind);
      if (resource === undefined) return [];
      const objects = registry.list(resource, resource.namespaced ? namespace : undefined);
      if (labelSelector === undefined || labelSelector === '') return objects;
      const parsed = parseLabelSelector(labelSelector);
      return parsed.ok ? objects.filter((object) => parsed.selector.matches(typed<KubernetesObject>(object).metadata.labels)) : [];
    },
    authorize({ user, verb, path, group = '', version = '', resource = '', subresource = '', namespace = '', name = '' }) {
      if (authorizer === undefined) return { allowed: true, reason: '' };
      const requester = { username: user.username ?? '', groups: user.groups ?? [] };
      if (path !== undefined) return authorizer.decide({ requester, verb, path });
      return authorizer.decide({ requester, verb, path: '', resource: { group, version, resource, subresource, namespace, name } });
    },
    serves: (apiVersion, kind) => registry.ofKind(apiVersion, kind) !== undefined,
    scope(apiVersion, kind) {
      const resource = registry.ofKind(apiVersion, kind);
      return resource === undefined ? undefined : resource.namespaced ? 'Namespaced' : 'Cluster';
    },
  };
}
