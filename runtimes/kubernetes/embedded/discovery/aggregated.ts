import type { JsonObject } from '../../../../engine/object/json.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServedGroup } from './groups.ts';

/** `/api` and `/apis` as one document. Kubernetes: staging/src/k8s.io/api/apidiscovery/v2/types.go. */
export function groupDiscoveryList(groups: readonly ServedGroup[], version: 'v2'): JsonObject {
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
  const { resource, namespaced, singular, verbs, shortNames, categories } = definition;
  const subresources = definition.subresourceDefinitions.map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(definition, sub),
    verbs: sub.verbs,
  }));
  return {
    resource,
    responseKind: responseKind(definition, definition),
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

/** Built-in kinds of the group and version itself are named without them. */
function responseKind(
  definition: ResourceDefinition,
  of: { readonly group: string; readonly version: string; readonly kind: string },
): JsonObject {
  const isOwn = definition.builtIn && of.group === definition.group && of.version === definition.version;
  return { group: isOwn ? '' : of.group, version: isOwn ? '' : of.version, kind: of.kind };
}
