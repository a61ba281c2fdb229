import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from './json.ts';
import { type ApplyConflict, describeConflicts } from './managed-fields/conflicts.ts';
import { conflictsBeyondLastApplied, withLastApplied } from './managed-fields/last-applied.ts';
import { capUpdateManagers, decodeManagers, encodeManagers, type ManagerName, type Managers } from './managed-fields/managers.ts';
import { metadataField, withManagedFields } from './managed-fields/metadata.ts';
import { OwnershipOfKind, type WrittenKind } from './managed-fields/ownership.ts';
import { UNKNOWN_OBJECT } from './schema.ts';
import { parseApiVersion } from './type-table.ts';
import { checkTypedValue, formatTypedValueErrors } from './typed-value.ts';

export type { ApplyConflict } from './managed-fields/conflicts.ts';
export type { VersionedObject, WrittenKind } from './managed-fields/ownership.ts';

/** A write, and by whom. */
export interface ManagedWrite extends WrittenKind {
  /** The object as it is, with its `metadata.managedFields`; null where it is about to be created. */
  readonly live: JsonObject | null;
  /** Field manager; `` counts as `unknown`. */
  readonly manager: string;
  /** `status`, `scale`, ...; `` for the object itself. */
  readonly subresource: string;
  /** RFC 3339 in whole seconds: the time of entries that change. */
  readonly now: string;
  /**
   * What an object of the kind holds before anybody writes: Go's structures have empty parts from the beginning, which a create does
   * not own. Default: nothing.
   */
  readonly empty?: JsonObject;
}

export interface ServerSideApply extends ManagedWrite {
  /** The configuration: apiVersion, kind, metadata.name, and the fields that the manager wants. */
  readonly applied: JsonObject;
  /** Takes fields that others own, instead of a conflict. */
  readonly force: boolean;
}

export interface TrackedUpdate extends ManagedWrite {
  /** The object as it is to be stored, by a create, an update, or a patch that is no apply. */
  readonly updated: JsonObject;
}

export type ServerSideApplyOutcome =
  /** `live` itself where the apply changes nothing, not even ownership: then nothing is to be stored. */
  | { readonly ok: true; readonly object: JsonObject }
  | {
      readonly ok: false;
      /** `Conflict` is 409; `BadRequest` 400; `InternalError` is what the API server answers with 500 and no reason. */
      readonly reason: 'Conflict' | 'BadRequest' | 'InternalError';
      /** In the API server's words. */
      readonly message: string;
      /** For `Conflict`, causes of type `FieldManagerConflict`; managers in the order of their names. */
      readonly conflicts: readonly ApplyConflict[];
    };

/**
 * Server-side apply: merges a configuration into an object, removes what the manager applied before and does not now, and
 * keeps the books in `metadata.managedFields`. Defaulting and validation are the caller's.
 *
 * Kubernetes: apimachinery pkg/util/managedfields.
 */
export function serverSideApply(apply: ServerSideApply): ServerSideApplyOutcome {
  const { applied, manager, subresource, apiVersion, now } = apply;
  const kind = ownValue(applied, 'kind');
  const expectedKind = apply.live === null ? kind : ownValue(apply.live, 'kind');
  if (ownValue(applied, 'apiVersion') !== apiVersion || kind !== expectedKind)
    return refuse('BadRequest', `invalid object type: ${describeKind(applied)}`);
  if ((metadataField(applied, 'managedFields') ?? null) !== null) return refuse('BadRequest', 'metadata.managedFields must be nil');
  const errors = checkTypedValue(applied, apply.schema ?? UNKNOWN_OBJECT);
  if (errors.length > 0) {
    return refuse('InternalError', `failed to create typed patch object (${describeObject(applied)}): ${formatTypedValueErrors(errors)}`);
  }
  const decoded = decodeManagers(apply.live === null ? undefined : metadataField(apply.live, 'managedFields'));
  if ('error' in decoded) return refuse('InternalError', `failed to decode managed fields: ${decoded.error}`);
  const ownership = new OwnershipOfKind(apply);
  const live = apply.live ?? { apiVersion, kind: kind ?? '' };
  let { managers } = decoded;
  if (managers.size === 0 && apply.live !== null) {
    // Nobody has kept books until now: what is there was written by nobody in particular.
    const name: ManagerName = { manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion, subresource };
    managers = ownership.update({}, withManagedFields(live, undefined), managers, name, now);
  }
  const name: ManagerName = { manager: manager === '' ? UNKNOWN : manager, operation: 'Apply', apiVersion, subresource };
  let outcome = ownership.apply(live, applied, managers, name, { force: apply.force, now });
  if (!outcome.ok && manager === KUBECTL) {
    const conflicts = conflictsBeyondLastApplied(live, apply, outcome.conflicts);
    outcome = conflicts.length > 0 ? { ok: false, conflicts } : ownership.apply(live, applied, managers, name, { force: true, now });
  }
  if (!outcome.ok) return { ok: false, reason: 'Conflict', ...describeConflicts(outcome.conflicts) };
  const object = manager === KUBECTL ? withLastApplied(outcome.object, applied) : outcome.object;
  const result = withManagers(object, outcome.managers);
  return { ok: true, object: apply.live === null ? result : unlessOnlyTimes(apply.live, result) };
}

/**
 * The updated object with its `metadata.managedFields`: the manager owns what it has changed, and nobody owns any more what
 * was changed or removed. An object whose books were never kept, or that resets them (`managedFields: [{}]`), keeps none.
 */
export function trackUpdate(update: TrackedUpdate): JsonObject {
  const { live, updated, manager, subresource, apiVersion, now } = update;
  const managers = managersForUpdate(live, updated, subresource !== '');
  const bare = withManagedFields(updated, undefined);
  // Books are kept from the creation of an object on, or from the first apply.
  if (managers.size === 0 && live !== null) return bare;
  const ownership = new OwnershipOfKind(update);
  const name: ManagerName = { manager: manager === '' ? UNKNOWN : manager, operation: 'Update', apiVersion, subresource };
  const before = live === null ? (update.empty ?? {}) : withManagedFields(live, undefined);
  return withManagers(bare, capUpdateManagers(ownership.update(before, bare, managers, name, now)));
}

/**
 * `live` where the new object differs from it by nothing but the times in `metadata.managedFields`: such a write is none. To be
 * asked once more by who changes the object after {@link serverSideApply} or {@link trackUpdate}, for example by defaults.
 * Kubernetes: apiserver pkg/endpoints/handlers/fieldmanager/equality.go.
 */
export function unlessOnlyTimes(live: JsonObject, next: JsonObject): JsonObject {
  if (live === next) return live;
  const before = metadataField(live, 'managedFields');
  const after = metadataField(next, 'managedFields');
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return jsonEqual(live, next) ? live : next;
  const isSame = before.every(
    (entry: Json, i: number) => entry === after[i] || jsonEqual(withoutTime(entry), withoutTime(after[i] as Json)),
  );
  return isSame && jsonEqual(withManagedFields(live, undefined), withManagedFields(next, undefined)) ? live : next;
}

const BEFORE_FIRST_APPLY = 'before-first-apply';
const UNKNOWN = 'unknown';
/** The manager of `kubectl apply --server-side`. */
const KUBECTL = 'kubectl';

function refuse(reason: 'BadRequest' | 'InternalError', message: string): ServerSideApplyOutcome {
  return { ok: false, reason, message, conflicts: [] };
}

function withoutTime(entry: Json): Json {
  if (!isJsonObject(entry)) return entry;
  const { time: _, ...rest } = entry;
  return rest;
}

/** The object itself where its entries are these already. */
function withManagers(object: JsonObject, managers: Managers): JsonObject {
  const entries = encodeManagers(managers);
  const current = metadataField(object, 'managedFields');
  if (Array.isArray(current) && entries?.length === current.length && entries.every((entry, i) => entry === current[i])) return object;
  return withManagedFields(object, entries);
}

/**
 * The books an update starts from: those it brings along, for who edits them, else the live object's, for who does not know
 * of them. A subresource can't change them.
 */
function managersForUpdate(live: JsonObject | null, updated: JsonObject, isSubresource: boolean): Managers {
  const stored = (): Managers => {
    const decoded = decodeManagers(live === null ? undefined : metadataField(live, 'managedFields'));
    return 'managers' in decoded ? decoded.managers : NOBODY;
  };
  if (isSubresource) return stored();
  const given = metadataField(updated, 'managedFields');
  if (Array.isArray(given) && (given.length === 0 || (given.length === 1 && jsonEqual(given[0], {})))) return NOBODY;
  const decoded = decodeManagers(given);
  return 'managers' in decoded && decoded.managers.size > 0 ? decoded.managers : stored();
}

const NOBODY: Managers = new Map();

function describeKind(object: JsonObject): string {
  const { group, version } = parseApiVersion(String(ownValue(object, 'apiVersion') ?? ''));
  return `${group}/${version}, Kind=${String(ownValue(object, 'kind') ?? '')}`;
}

function describeObject(object: JsonObject): string {
  return `${String(metadataField(object, 'namespace') ?? '')}/${String(metadataField(object, 'name') ?? '')}; ${describeKind(object)}`;
}
