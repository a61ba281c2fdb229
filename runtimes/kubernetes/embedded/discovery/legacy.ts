import type { JsonObject } from '../../../../engine/object/json.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServedGroup, ServedVersion } from './groups.ts';

/** `/api`. */
export function coreVersions(address: string): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
}

/** `/apis`. */
export function groupList(groups: readonly ServedGroup[]): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter(({ name }) => name !== '').map(groupOf) };
}

/** `/apis/apps`. */
export function apiGroup(group: ServedGroup): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) };
}

function groupOf({ name, versions }: ServedGroup): JsonObject {
  const list = versions.map(({ groupVersion, version }) => ({ groupVersion, version }));
  return { name, versions: list, preferredVersion: list[0] ?? null };
}

/** `/api/v1`, `/apis/apps/v1`. */
export function resourceList({ groupVersion, resources }: ServedVersion): JsonObject {
  // The core group's is older than the field.
  const version = groupVersion === 'v1' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...version, groupVersion, resources: resources.flatMap(resourcesOf) };
}

function resourcesOf(definition: ResourceDefinition): JsonObject[] {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories } = definition;
  const main: JsonObject = {
    name: resource,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
  const subresources = definition.subresourceDefinitions.map((sub): JsonObject => {
    const foreign = sub.group !== definition.group || sub.version !== definition.version;
    return {
      name: `${resource}/${sub.name}`,
      singularName: '',
      namespaced,
      ...(foreign ? { ...(sub.group === '' ? {} : { group: sub.group }), version: sub.version } : {}),
      kind: sub.kind,
      verbs: sub.verbs,
    };
  });
  return [main, ...subresources];
}
