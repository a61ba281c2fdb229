import { compareQuantities, type Quantity } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, type KubernetesObject, keyOf, nameOfKey, servedKind, typed, untyped } from '../control-loop/kind.ts';
import { perform, updateStatus } from '../control-loop/write.ts';
import type { Registry, ServedResource } from '../registry.ts';
import {
  addTo,
  amountsOf,
  formatAmounts,
  isPositive,
  printAmounts,
  type ResourceAmounts,
  subtractFrom,
  ZERO,
} from '../resource-amounts/resource-list.ts';
import { type AdmissionPlugin, refusal } from './chain.ts';
import { missingAmounts, quotaMatches, RESOURCE_QUOTAS, type ResourceQuota, takesFrom, usageOf } from './quota-usage.ts';

/** What all objects of a namespace take of a quota, of the amounts that it limits. */
function usedOf(registry: Registry, quota: ResourceQuota): ResourceAmounts {
  const names = Object.keys(quota.spec?.hard ?? {});
  const total = new Map<string, Quantity>(names.map((name) => [name, ZERO]));
  const seen = new Set<string>();
  for (const type of registry.resources()) {
    if (!type.namespaced || seen.has(groupResource(type))) continue;
    seen.add(groupResource(type));
    const wanted = names.filter((name) => takesFrom(type, name));
    if (wanted.length === 0) continue;
    for (const object of registry.list(type, quota.metadata.namespace)) {
      if (!quotaMatches(quota, type, object)) continue;
      const usage = usageOf(type, object);
      addTo(total, new Map(wanted.flatMap((name) => (usage.has(name) ? [[name, usage.get(name)!] as const] : []))));
    }
  }
  return total;
}

/**
 * Refuses what goes beyond a quota of its namespace. The usage is counted anew from the objects there, so that it is never out of date.
 * Kubernetes: apiserver pkg/admission/plugin/resourcequota/controller.go CheckRequest.
 */
export function resourceQuota(registry: Registry): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    validate(attributes) {
      const { type, subresource, operation, namespace, object, old } = attributes;
      const isPart = subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE');
      const resource = servedKind(registry, RESOURCE_QUOTAS);
      if (object === null || isPart || resource === undefined || !type.namespaced) return;
      for (const stored of registry.list(resource, namespace)) {
        const quota = typed<ResourceQuota>(stored);
        const hard = amountsOf(quota.spec?.hard);
        const names = [...hard.keys()].filter((name) => takesFrom(type, name));
        if (names.length === 0 || !quotaMatches(quota, type, object)) continue;
        if (type.group === '' && type.resource === 'pods' && operation === 'CREATE') {
          const missing = missingAmounts(object, names);
          if (missing !== undefined) throw refusal(attributes, `failed quota: ${quota.metadata.name}: ${missing}`);
        }
        const requested = increase(type, object, old, quota, names);
        if (requested.size === 0) continue;
        const used = usedOf(registry, quota);
        const exceeded = [...requested].filter(([name, amount]) => {
          const sum = new Map(used);
          addTo(sum, new Map([[name, amount]]));
          return compareQuantities(sum.get(name) ?? ZERO, hard.get(name) ?? ZERO) > 0;
        });
        if (exceeded.length === 0) continue;
        const only = (amounts: ResourceAmounts): string =>
          printAmounts(new Map(exceeded.map(([name]) => [name, amounts.get(name) ?? ZERO])));
        const why = `exceeded quota: ${quota.metadata.name}, requested: ${only(requested)}, used: ${only(used)}, limited: ${only(hard)}`;
        throw refusal(attributes, why);
      }
    },
  };
}

/** What a write takes more than before. */
function increase(
  type: ServedResource,
  object: JsonObject,
  old: JsonObject | null,
  quota: ResourceQuota,
  names: readonly string[],
): ResourceAmounts {
  const total = new Map(usageOf(type, object));
  if (old !== null && quotaMatches(quota, type, old)) subtractFrom(total, usageOf(type, old));
  return new Map([...total].filter(([name, amount]) => names.includes(name) && isPositive(amount)));
}

/** Keeps the status of quotas. Kubernetes: pkg/controller/resourcequota. */
export function quotaController(registry: Registry, view: ClusterView): Controller {
  const name = 'resourcequota-controller';
  const own = groupResource(RESOURCE_QUOTAS);
  return {
    name,
    watches: ['*'],
    *initial() {
      for (const quota of view.list(RESOURCE_QUOTAS)) yield keyOf(quota);
    },
    *keys({ type, resource, object, previous }) {
      const changed = typed<KubernetesObject>(object);
      const { namespace } = changed.metadata;
      if (resource === own && type !== 'DELETED') yield keyOf(changed);
      if (namespace === undefined) return;
      const quotas = view.list(RESOURCE_QUOTAS, namespace);
      if (quotas.length === 0) return;
      const [group = '', plural = ''] = resource.split('/');
      const served = { group, resource: plural };
      // Most changes take nothing more and nothing less.
      if (type === 'MODIFIED' && previous !== undefined && sameUsage(served, object, previous)) return;
      for (const quota of quotas) if (Object.keys(quota.spec?.hard ?? {}).some((amount) => takesFrom(served, amount))) yield keyOf(quota);
    },
    async sync(key) {
      const quota = view.get(RESOURCE_QUOTAS, nameOfKey(key));
      if (quota === undefined) return undefined;
      const status = { hard: quota.spec?.hard ?? {}, used: formatAmounts(usedOf(registry, quota)) };
      if (jsonEqual(untyped(status), untyped(quota.status ?? {}))) return undefined;
      await perform(registry, [updateStatus(RESOURCE_QUOTAS, { ...quota, status } as ResourceQuota)], name);
      return undefined;
    },
  };
}

const sameUsage = (type: Pick<ServedResource, 'group' | 'resource'>, a: JsonObject, b: JsonObject): boolean =>
  jsonEqual(formatAmounts(usageOf(type, a)), formatAmounts(usageOf(type, b)));
