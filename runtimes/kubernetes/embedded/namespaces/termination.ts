import { type Condition, setCondition } from '../control-loop/condition.ts';
import type { KubernetesObject } from '../control-loop/kind.ts';
import type { GroupResource } from '../registry.ts';
import type { Namespace } from './kinds.ts';

/** What is left of a resource in a namespace. */
export interface Remainder {
  readonly resource: GroupResource;
  readonly objects: readonly KubernetesObject[];
}

/** A deletion the server refused. */
export interface FailedDeletion {
  readonly resource: GroupResource;
  readonly message: string;
}

/** `pods.`, `deployments.apps`: as the namespace controller writes a resource. */
const worded = (resource: GroupResource): string => {
  const slash = resource.indexOf('/');
  return `${resource.slice(slash + 1)}.${resource.slice(0, slash)}`;
};

/**
 * The conditions of a namespace that is being emptied. The first three can't go wrong here except for refused deletions.
 * Kubernetes: pkg/controller/namespace/deletion/status_condition_utils.go.
 */
export function terminationConditions(
  namespace: Namespace,
  remainders: readonly Remainder[],
  failures: readonly FailedDeletion[],
  now: number,
): readonly Condition[] {
  let conditions = namespace.status?.conditions ?? [];
  const set = (type: string, failed: boolean, reason: string, message: string): void => {
    conditions = setCondition(conditions, { type, status: failed ? 'True' : 'False', reason, message }, now);
  };
  set('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered');
  set('NamespaceDeletionGroupVersionParsingFailure', false, 'ParsedGroupVersions', 'All legacy kube types successfully parsed');
  if (failures.length === 0)
    set('NamespaceDeletionContentFailure', false, 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization');
  else {
    const list = failures.map(({ message }) => message).join(', ');
    const message = `Failed to delete all resource types, ${failures.length} remaining: ${list}`;
    set('NamespaceDeletionContentFailure', true, 'ContentDeletionFailed', message);
  }
  const left = remainders.filter(({ objects }) => objects.length > 0);
  if (left.length === 0) set('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed');
  else {
    const list = left.map(({ resource, objects }) => `${worded(resource)} has ${objects.length} resource instances`).sort();
    set('NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${list.join(', ')}`);
  }
  const finalizers = new Map<string, number>();
  for (const { objects } of left)
    for (const { metadata } of objects)
      for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  if (finalizers.size === 0)
    set('NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished');
  else {
    const list = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
    const message = `Some content in the namespace has finalizers remaining: ${list.join(', ')}`;
    set('NamespaceFinalizersRemaining', true, 'SomeFinalizersRemain', message);
  }
  return conditions;
}
