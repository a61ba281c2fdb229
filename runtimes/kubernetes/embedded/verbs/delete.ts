import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { ObjectName } from '../../client.ts';
import { fromStored, toStored } from '../kinds/conversion.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { conflict, notFound } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { finalizersOf, isBeingDeleted, withMetadata } from './object-metadata.ts';
import type { WriteContext } from './write-context.ts';

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

/** Kubernetes: meta/v1 DeleteOptions. */
export interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: PropagationPolicy;
  /** The former way to say Orphan (true) and Background (false). */
  readonly orphanDependents?: boolean;
  readonly gracePeriodSeconds?: number;
}

export interface DeleteResult {
  /** As it was last, or as it is while it waits. */
  readonly object: JsonObject;
  readonly deleted: boolean;
}

const ATTEMPTS = 10;

/**
 * Deletes an object, or marks it where something must happen before: a grace period, finalizers, its dependents.
 * Kubernetes: apiserver pkg/registry/generic/registry/store.go Delete, pkg/registry/rest/delete.go.
 */
export async function deleteObject(
  state: ServerState,
  definition: ResourceDefinition,
  name: ObjectName,
  options: DeleteOptions,
  context: WriteContext,
): Promise<DeleteResult> {
  const namespace = name.namespace ?? '';
  const key = objectKey(namespace, name.name);
  const { storedIn, strategy } = definition;
  for (let attempt = 1; ; attempt++) {
    const stored = state.store.get(storedIn, key);
    if (stored === undefined) throw notFound(definition, name.name);
    const old = fromStored(definition, stored.object);
    checkPreconditions(definition, name.name, old, options);
    const attributes = {
      operation: 'DELETE' as const,
      type: definition,
      subresource: '',
      kind: { group: definition.group, version: definition.version, kind: definition.kind },
      namespace: definition.resource === 'namespaces' && definition.group === '' ? name.name : namespace,
      name: name.name,
      object: null,
      old,
      requester: context.requester,
      options: context.options,
      dryRun: context.dryRun,
      warn: context.warn,
    };
    await state.admission.mutate(attributes);
    await state.admission.validate(attributes);
    // Admission takes time, in which others may have written.
    if (state.store.get(storedIn, key) !== stored && attempt < ATTEMPTS) continue;

    const marked = markedObject(definition, old, options, state.clock.now());
    if (marked === 'unchanged') return { object: old, deleted: false };
    if (marked !== undefined && !hasEnded(definition, marked)) {
      if (context.dryRun) return { object: marked, deleted: false };
      const written = state.store.put(storedIn, namespace, name.name, toStored(definition, marked), stored.revision);
      if (written !== undefined) return { object: fromStored(definition, written.object), deleted: false };
    } else {
      if (context.dryRun) return { object: marked ?? old, deleted: true };
      const last = marked === undefined ? endedAt(stored.object, options) : toStored(definition, marked);
      const removed = state.store.remove(storedIn, key, last, stored.revision);
      if (removed !== undefined) {
        strategy.afterDelete?.(removed.object);
        return { object: fromStored(definition, removed.object), deleted: true };
      }
    }
    if (attempt === ATTEMPTS)
      throw conflict(definition, name.name, 'the object has been modified; please apply your changes to the latest version and try again');
  }
}

function checkPreconditions(definition: ResourceDefinition, name: string, object: JsonObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const kind = { group: definition.group, resource: definition.kind };
  const ownUid = metadataText(object, 'uid');
  if (uid !== undefined && uid !== ownUid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${ownUid}). The object might have been deleted and then recreated`;
    throw conflict(kind, name, why);
  }
  const ownVersion = metadataText(object, 'resourceVersion');
  if (resourceVersion !== undefined && resourceVersion !== ownVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${ownVersion}). The object might have been modified`;
    throw conflict(kind, name, why);
  }
}

/** The object as it waits for its end; `unchanged` where it waits already; undefined where it can go at once. */
function markedObject(
  definition: ResourceDefinition,
  old: JsonObject,
  options: DeleteOptions,
  now: number,
): JsonObject | 'unchanged' | undefined {
  const { strategy } = definition;
  const metadata = metadataOf(old);
  const added = isBeingDeleted(old) ? [] : (strategy.deletionFinalizers ?? []);
  const finalizers = [...new Set([...deletionFinalizers(definition, old, options), ...added])];
  const changed = !sameItems(finalizers, finalizersOf(old));
  let object = changed ? withMetadata(old, { finalizers: finalizers.length === 0 ? undefined : finalizers }) : old;

  const requested = options.gracePeriodSeconds === undefined ? undefined : options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  if (isBeingDeleted(old)) {
    const left = metadata['deletionGracePeriodSeconds'];
    if (typeof left === 'number' && left > 0) {
      // Only a shorter wait changes anything.
      if (requested === undefined || requested >= left) return 'unchanged';
      const start = Date.parse(metadataText(old, 'deletionTimestamp')) - left * 1000;
      const end = start + requested * 1000;
      const late = end < now;
      object = withMetadata(object, {
        deletionTimestamp: formatTime(late ? now : end),
        deletionGracePeriodSeconds: late && requested !== 0 ? 1 : requested,
      });
      return requested > 0 || finalizers.length > 0 ? object : undefined;
    }
  } else {
    const period = strategy.gracePeriod?.(old, requested);
    if (period !== undefined) {
      return withMetadata(object, {
        deletionTimestamp: formatTime(now + period * 1000),
        deletionGracePeriodSeconds: period,
        ...nextGeneration(metadata),
      });
    }
  }
  const held = strategy.holdsDeletion?.(object) === true;
  if (finalizers.length === 0 && !held) return undefined;
  if (isBeingDeleted(old)) return changed ? object : 'unchanged';
  object = withMetadata(object, {
    deletionTimestamp: formatTime(now),
    ...(held ? {} : { deletionGracePeriodSeconds: 0 }),
    ...nextGeneration(metadata),
  });
  return strategy.markDeleted?.(object) ?? object;
}

/** What waited for its end and is to go at once says so in its last state. */
function endedAt(object: JsonObject, { gracePeriodSeconds }: DeleteOptions): JsonObject {
  return isBeingDeleted(object) && gracePeriodSeconds === 0 ? withMetadata(object, { deletionGracePeriodSeconds: 0 }) : object;
}

/** Nothing holds a marked object any more. */
function hasEnded({ strategy }: ResourceDefinition, marked: JsonObject): boolean {
  return (
    metadataOf(marked)['deletionGracePeriodSeconds'] === 0 && finalizersOf(marked).length === 0 && strategy.holdsDeletion?.(marked) !== true
  );
}

function nextGeneration(metadata: JsonObject): { readonly generation?: number } {
  const { generation } = metadata;
  return typeof generation === 'number' && generation > 0 ? { generation: generation + 1 } : {};
}

function deletionFinalizers(definition: ResourceDefinition, object: JsonObject, options: DeleteOptions): readonly string[] {
  const present = finalizersOf(object);
  const { dependents = 'Background' } = definition.strategy;
  const kept = present.filter((finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion');
  if (dependents === 'Unsupported') return kept;
  const wish: PropagationPolicy =
    options.orphanDependents !== undefined
      ? options.orphanDependents
        ? 'Orphan'
        : 'Background'
      : (options.propagationPolicy ??
        (present.find((each) => each === 'orphan') ? 'Orphan' : present.includes('foregroundDeletion') ? 'Foreground' : dependents));
  if (wish === 'Orphan') return [...kept, 'orphan'];
  return wish === 'Foreground' ? [...kept, 'foregroundDeletion'] : kept;
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
