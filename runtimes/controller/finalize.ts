import type { JsonObject } from '../../engine/object/json.ts';
import { undoCalls } from './calls.ts';
import type { Environment, InstanceMemory, RuleIdentity } from './environment.ts';
import { readInventory } from './inventory.ts';
import type { KindSource } from './kind-source.ts';
import { finalizerOf, finalizersOf, inventoryAnnotation, resourceVersionOf, uidOf } from './ownership.ts';
import { type Problem, problem } from './problem.ts';
import { childrenOf, releasePartials, removeChildren } from './removal.ts';
import { isGone, placeOf, typeOf } from './writer.ts';

export interface FinalizeContext {
  readonly env: Environment;
  readonly rule: RuleIdentity;
  /** Who holds the sources. */
  readonly holder: string;
  readonly instance: JsonObject;
  readonly instances: KindSource;
  readonly memory: InstanceMemory;
}

export interface FinalizeOutcome {
  readonly done: boolean;
  readonly problems: readonly Problem[];
  /** Sources to wait for. */
  readonly pending: readonly KindSource[];
  /** Milliseconds after which to look again. */
  readonly again?: number;
}

/**
 * Undoes what was done for an instance that is being deleted, then lets it go. Works from what is written on the instance, on its
 * objects and in its journal, and asks no rule: rules change, fail, and go before their instances do.
 */
export async function finalize(context: FinalizeContext): Promise<FinalizeOutcome> {
  const { env, rule, holder, instance } = context;
  const inventory = readInventory(instance, rule.name);
  if (inventory === undefined) {
    const annotation = inventoryAnnotation(rule.name);
    const message = `the annotation ${annotation} is not readable, so nobody knows what exists for this instance; restore it, or clean up by hand and remove the finalizer ${finalizerOf(rule.name)}`;
    return { done: false, problems: [problem('InventoryUnreadable', message, true)], pending: [] };
  }
  const { children, pending } = childrenOf(env, rule, holder, uidOf(instance), inventory);
  if (pending.length > 0) return { done: false, problems: [], pending };
  const removal = await removeChildren(env, children);
  if (removal.problems.length > 0) return { done: false, problems: removal.problems, pending: [] };
  const remaining = childrenOf(env, rule, holder, uidOf(instance), inventory).children.length;
  // What is gone at once makes room for the next level; of what takes its time, the watch will tell.
  if (remaining > 0 && remaining < children.length) return finalize(context);
  if (remaining > 0 || removal.left > 0) return { done: false, problems: [], pending: [] };
  const problems = await releasePartials(env, rule, instance, inventory.partial);
  if (problems.length > 0) return { done: false, problems, pending: [] };
  if (inventory.calls) {
    const undone = await undoCalls(context, undefined);
    if (!undone.done) {
      return {
        done: false,
        problems: undone.problem === undefined ? [] : [undone.problem],
        pending: [],
        ...(undone.again === undefined ? {} : { again: undone.again }),
      };
    }
    await context.memory.journal?.remove();
  }
  await removeFinalizer(context);
  return { done: true, problems: [], pending: [] };
}

/** With the version that was seen: the list of finalizers is replaced as a whole, and others have theirs in it. */
async function removeFinalizer({ env, rule, instance, instances }: FinalizeContext): Promise<void> {
  const { apiVersion, kind } = typeOf(instance);
  const finalizers = finalizersOf(instance).filter((each) => each !== finalizerOf(rule.name));
  const patch = { metadata: { resourceVersion: resourceVersionOf(instance), finalizers: finalizers.length === 0 ? null : finalizers } };
  try {
    const answer = await env.writer.patch(apiVersion, kind, placeOf(instance), 'merge', patch);
    if (finalizers.length > 0) instances.wrote(answer);
    else instances.gone(instance);
  } catch (error) {
    if (!isGone(error)) throw error;
    instances.gone(instance);
  }
}
