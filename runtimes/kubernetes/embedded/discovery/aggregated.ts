import type { JsonObject } from '../../../../engine/object/json.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServedGroup } from './groups.ts';

/** Groups whose discovery another server answers, by group name. */
export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `/api` and `/apis` as one document. Kubernetes: staging/src/k8s.io/api/apidiscovery/v2/types.go. */
export function groupDiscoveryList(groups: readonly ServedGroup[], version: 'v2' | 'v2beta1'): JsonObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map((each) => ({ version: each.version, resources: each.resources.map(resourceOf), freshness: 'Current' })),
    })),
  };
}

function resourceOf(definition: ResourceDefinition): JsonObject {
  const { group, version, kind, resource, namespaced, singular, verbs, shortNames, categories } = definition;
  const subresources = definition.subresourceDefinitions.map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
    verbs: sub.verbs,
  }));
  return {
    resource,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
