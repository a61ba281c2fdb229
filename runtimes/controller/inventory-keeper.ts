import type { JsonObject } from '../../engine/object/json.ts';
import type { DesiredObject, ReconcilePlan, ReconcileRule } from '../../engine/rules/reconcile/program.ts';
import type { Environment } from './environment.ts';
import {
  coversInventory,
  EMPTY_INVENTORY,
  type Inventory,
  isEmptyInventory,
  kindText,
  readInventory,
  unionOf,
  writeInventory,
} from './inventory.ts';
import type { KindSource } from './kind-source.ts';
import {
  annotationOf,
  finalizerOf,
  finalizersOf,
  inventoryAnnotation,
  isDeleting,
  mayOwn,
  namespaceOf,
  resourceVersionOf,
} from './ownership.ts';
import { placeOf, typeOf } from './writer.ts';

export interface KeeperContext {
  readonly env: Environment;
  readonly rule: ReconcileRule;
  readonly instances: KindSource;
}

/** What may exist for an instance by a plan: kinds that the rule is known to write, and those that only this plan knows. */
function inventoryOf(rule: ReconcileRule, plan: ReconcilePlan): Inventory {
  const kinds = rule.touches.filter(({ use }) => use === 'write').map(({ apiVersion, kind }) => kindText(apiVersion, kind));
  const partial: Inventory['partial'][number][] = [];
  for (const { partial: isPartial, reference } of plan.objects) {
    if (isPartial) partial.push(reference);
    else kinds.push(kindText(reference.apiVersion, reference.kind));
  }
  if (plan.generate.length + plan.kept.length > 0) kinds.push(kindText('v1', 'Secret'));
  return { kinds: [...new Set(kinds)], partial, calls: plan.calls.length + plan.undo.length > 0 };
}

/** Whether something must be done when the instance goes that the garbage collector does not do. */
function needsFinalizer(rule: ReconcileRule, plan: ReconcilePlan, instance: JsonObject): boolean {
  if (rule.needsFinalizer || plan.calls.length + plan.undo.length > 0) return true;
  const owner = { namespace: namespaceOf(instance) };
  const outlives = ({ partial, deletion, reference }: DesiredObject): boolean =>
    partial || deletion === 'Orphan' || !mayOwn(owner, reference.namespace);
  return plan.objects.some(outlives) || [...plan.generate, ...plan.kept].some(({ secret }) => !mayOwn(owner, secret.namespace));
}

/**
 * Writes down what is about to be made, before it is. Answers the instance as it is then. A finalizer is never put on an instance that is
 * being deleted: the server would refuse it.
 */
export async function keepInventory(context: KeeperContext, instance: JsonObject, plan: ReconcilePlan): Promise<JsonObject> {
  const { rule } = context;
  const before = readInventory(instance, rule.name) ?? EMPTY_INVENTORY;
  const wanted = inventoryOf(rule, plan);
  const finalizer = needsFinalizer(rule, plan, instance) && !finalizersOf(instance).includes(finalizerOf(rule.name));
  if (isDeleting(instance) || (!finalizer && coversInventory(before, wanted))) return instance;
  return patchInventory(context, instance, unionOf(before, wanted), finalizer ? 'add' : 'keep');
}

/** Takes out what is known to be gone: only after everything wanted was applied and everything else was pruned. */
export async function shrinkInventory(
  context: KeeperContext,
  instance: JsonObject,
  plan: ReconcilePlan,
  calls: boolean,
): Promise<JsonObject> {
  const { rule } = context;
  const before = readInventory(instance, rule.name);
  const wanted = { ...inventoryOf(rule, plan), calls };
  const has = finalizersOf(instance).includes(finalizerOf(rule.name));
  const drop = has && !calls && !needsFinalizer(rule, plan, instance);
  if (isDeleting(instance) || (!drop && before !== undefined && coversInventory(before, wanted) && coversInventory(wanted, before)))
    return instance;
  return patchInventory(context, instance, wanted, drop ? 'drop' : 'keep');
}

async function patchInventory(
  { env, rule, instances }: KeeperContext,
  instance: JsonObject,
  inventory: Inventory,
  finalizer: 'add' | 'keep' | 'drop',
): Promise<JsonObject> {
  const { apiVersion, kind } = typeOf(instance);
  const key = inventoryAnnotation(rule.name);
  const text = isEmptyInventory(inventory) ? null : writeInventory(inventory);
  const own = finalizerOf(rule.name);
  const others = finalizersOf(instance).filter((each) => each !== own);
  const finalizers = finalizer === 'add' ? [...others, own] : others;
  if (text === null && annotationOf(instance, key) === undefined && finalizer === 'keep') return instance;
  const metadata = {
    // With the version that was seen: the list of finalizers is replaced as a whole.
    ...(finalizer === 'keep'
      ? {}
      : { resourceVersion: resourceVersionOf(instance), finalizers: finalizers.length === 0 ? null : finalizers }),
    annotations: { [key]: text },
  };
  const options = { fieldManager: rule.fieldManager };
  return instances.wrote(await env.writer.patch(apiVersion, kind, placeOf(instance), 'merge', { metadata }, options));
}

/** Whether the instance still has calls to undo. */
export const hasJournal = (instance: JsonObject, rule: string): boolean => readInventory(instance, rule)?.calls === true;
