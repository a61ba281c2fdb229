import { jsonEqual } from '../../../../engine/object/json.ts';
import { type ClusterView, selectorOf } from '../control-loop/cluster-view.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, typed, untyped } from '../control-loop/kind.ts';
import { objectController, type SyncResult } from '../control-loop/object-controller.ts';
import { update } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { CLUSTER_ROLES, type ClusterRole, type PolicyRule } from './kinds.ts';

/** The rules of all roles that an aggregated role selects, each once. Kubernetes: pkg/controller/clusterroleaggregation. */
function syncAggregation(role: ClusterRole, view: ClusterView): SyncResult {
  if (role.aggregationRule === undefined) return { writes: [] };
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
    const selected = selectorOf(selector);
    for (const other of view.list(CLUSTER_ROLES)) {
      if (other.metadata.name === role.metadata.name || !selected.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some((each) => jsonEqual(untyped(each), untyped(rule)))) rules.push(rule);
    }
  }
  if (jsonEqual(untyped(rules), untyped(role.rules ?? []))) return { writes: [] };
  return { writes: [update(CLUSTER_ROLES, { ...role, rules } as ClusterRole)] };
}

/** Keeps aggregated roles up to date. */
export function clusterRoleAggregation(registry: Registry, view: ClusterView): Controller {
  const controller = objectController(registry, view, {
    name: 'clusterrole-aggregation-controller',
    kind: CLUSTER_ROLES,
    sync: syncAggregation,
  });
  return {
    ...controller,
    *keys(event) {
      if (event.resource !== groupResource(CLUSTER_ROLES)) return;
      if (event.type !== 'DELETED') yield typed(event.object).metadata.name;
      // Few roles are aggregated, and roles change rarely.
      for (const role of view.list(CLUSTER_ROLES)) if (role.aggregationRule !== undefined) yield role.metadata.name;
    },
  };
}
