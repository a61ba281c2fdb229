import { mergeApplied } from '../apply-configuration.ts';
import { type JsonObject, jsonEqual } from '../json.ts';
import { type MapSchema, UNKNOWN_OBJECT } from '../schema.ts';
import { type Comparison, compareObjects, withoutFields } from './compare.ts';
import { type FieldSet, fieldPaths, fieldSetOf, intersectFields, NO_FIELDS, subtractFields, unionFields } from './field-set.ts';
import { fieldsOf, withNamedFields } from './fields-of.ts';
import { type ManagerEntry, type ManagerName, type Managers, managerKey } from './managers.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import { removeFields, withoutNullFields } from './remove-fields.ts';
import { adoptSchema } from './schema-change.ts';

/** An object in a version of its kind, with the schema of that version. */
export interface VersionedObject {
  readonly object: JsonObject;
  readonly schema: MapSchema | undefined;
}

/** The kind that is written, in the version of the request. */
export interface WrittenKind {
  readonly apiVersion: string;
  /** Undefined for a kind that has no schema: its maps merge, its lists are replaced. */
  readonly schema: MapSchema | undefined;
  /** Fields that this write can't set, and so does not own: `[['status']]` for an object that has a subresource of that name. */
  readonly resetFields?: readonly (readonly string[])[];
  /** Null in a declared field stays (custom resources) instead of being none. */
  readonly keepsNulls?: boolean;
  /**
   * The object in another version, which managers have written in; undefined for a version that is not served any more, whose
   * managers are forgotten. Default: all versions have one schema.
   */
  readonly convert?: (object: JsonObject, apiVersion: string) => VersionedObject | undefined;
}

/** A field that somebody else owns and that an apply would change. */
export interface FieldConflict {
  readonly manager: ManagerEntry;
  readonly path: readonly PathElement[];
}

export type Ownership =
  | { readonly ok: true; readonly managers: Managers }
  | { readonly ok: false; readonly conflicts: readonly FieldConflict[] };

/**
 * Who owns what, before and after a write of a kind. Kubernetes: structured-merge-diff merge/update.go, and the managers that
 * apimachinery pkg/util/managedfields/internal wraps around it.
 */
export class OwnershipOfKind {
  readonly #kind: WrittenKind;
  readonly #schema: MapSchema;
  readonly #reset: FieldSet;

  constructor(kind: WrittenKind) {
    this.#kind = kind;
    this.#schema = kind.schema ?? UNKNOWN_OBJECT;
    const { resetFields = [] } = kind;
    this.#reset = resetFields.length === 0 ? NO_FIELDS : fieldSetOf(resetFields.map((path) => path.map(fieldElement)));
  }

  /** The object in another version; undefined where that is not served. */
  #inVersion(object: JsonObject, apiVersion: string): { readonly object: JsonObject; readonly schema: MapSchema } | undefined {
    const { convert } = this.#kind;
    if (apiVersion === this.#kind.apiVersion && object['apiVersion'] === apiVersion) return { object, schema: this.#schema };
    if (convert === undefined) return { object, schema: this.#schema };
    const converted = convert(object, apiVersion);
    return converted && { object: converted.object, schema: converted.schema ?? UNKNOWN_OBJECT };
  }

  /** The managers as they would have written under the schema of today. */
  #adopt(live: JsonObject, managers: Managers): Map<string, ManagerEntry> {
    const adopted = new Map<string, ManagerEntry>();
    for (const [key, entry] of managers) {
      const version = this.#inVersion(live, entry.apiVersion);
      if (version === undefined) continue;
      const fields = adoptSchema(entry.fields, version.schema);
      adopted.set(key, fields === entry.fields ? entry : withFieldsOf(entry, fields));
    }
    return adopted;
  }

  /** Takes from all managers but one what a write changes or removes; where it must not change what they own, the conflicts. */
  #transfer(
    live: JsonObject,
    next: JsonObject,
    managers: Managers,
    writer: string | undefined,
    force: boolean,
  ): { readonly managers: Map<string, ManagerEntry>; readonly comparison: Comparison; readonly conflicts: FieldConflict[] } {
    const comparison = withoutFields(compareObjects(live, next, this.#schema), this.#reset);
    const comparisons = new Map<string, Comparison | undefined>([[this.#kind.apiVersion, comparison]]);
    const left = new Map(managers);
    const conflicts: FieldConflict[] = [];
    for (const [key, entry] of managers) {
      if (key === writer) continue;
      if (!comparisons.has(entry.apiVersion)) comparisons.set(entry.apiVersion, this.#compareIn(live, next, entry.apiVersion));
      const changes = comparisons.get(entry.apiVersion);
      if (changes === undefined) {
        left.delete(key);
        continue;
      }
      const conflict = intersectFields(entry.fields, unionFields(changes.modified, changes.added));
      if (!force) for (const path of fieldPaths(conflict)) conflicts.push({ manager: entry, path });
      const fields = subtractFields(subtractFields(entry.fields, conflict), changes.removed);
      if (fields !== entry.fields) left.set(key, withFieldsOf(entry, fields));
    }
    for (const [key, { fields }] of left) if (fields.size === 0) left.delete(key);
    return { managers: left, comparison, conflicts };
  }

  #compareIn(live: JsonObject, next: JsonObject, apiVersion: string): Comparison | undefined {
    const before = this.#inVersion(live, apiVersion);
    const after = this.#inVersion(next, apiVersion);
    return before && after && withoutFields(compareObjects(before.object, after.object, before.schema), this.#reset);
  }

  /**
   * Ownership after an update from `live` (`{}` for a new object) to `next`: the manager owns what it has changed, others no
   * longer do.
   */
  update(live: JsonObject, next: JsonObject, managers: Managers, name: ManagerName, now: string): Managers {
    const transferred = this.#transfer(live, next, this.#adopt(live, managers), undefined, true);
    const { comparison } = transferred;
    const changed = subtractFields(unionFields(comparison.modified, comparison.added), UNMANAGED);
    if (changed.size === 0) return transferred.managers;
    const key = managerKey(name);
    const before = transferred.managers.get(key);
    const fields = before === undefined ? changed : unionFields(changed, before.fields);
    // Books of a scale are kept apart, where entries come back without the time of the write.
    const time = name.subresource === 'scale' ? before?.time : now;
    transferred.managers.set(key, { ...name, fields, time });
    return transferred.managers;
  }

  /**
   * Applies a configuration, of which is known that it fits the schema. `object` is `live` itself where nothing but ownership
   * changes.
   */
  apply(
    live: JsonObject,
    applied: JsonObject,
    managers: Managers,
    name: ManagerName,
    options: { readonly force: boolean; readonly now: string },
  ):
    | { readonly ok: true; readonly object: JsonObject; readonly managers: Managers }
    | { readonly ok: false; readonly conflicts: readonly FieldConflict[] } {
    const owners = this.#adopt(live, managers);
    const key = managerKey(name);
    const last = owners.get(key);
    const merged = mergeApplied(live, applied, this.#schema, this.#kind.keepsNulls ? 'keep' : 'drop');
    const fields = subtractFields(fieldsOf(applied, this.#schema), this.#reset, true);
    owners.set(key, { ...name, fields, time: last?.time });
    const pruned = last === undefined ? merged : this.#prune(merged, owners, fields, last);
    const transferred = this.#transfer(live, pruned, owners, key, options.force);
    if (transferred.conflicts.length > 0) return { ok: false, conflicts: transferred.conflicts };
    // What is null now has lost all that was in it, but not those who own it.
    const next = pruned === merged || this.#kind.keepsNulls ? pruned : withoutNullFields(pruned, this.#schema);
    const isSame = jsonEqual(live, next);
    this.#settle(transferred.managers, key, last, isSame ? last?.time : options.now);
    return { ok: true, object: isSame ? live : next, managers: transferred.managers };
  }

  /** The applier's entry without what nobody owns; the entry it had before where it is the same. */
  #settle(managers: Map<string, ManagerEntry>, key: string, last: ManagerEntry | undefined, time: string | undefined): void {
    const entry = managers.get(key);
    if (entry === undefined) return;
    const fields = subtractFields(entry.fields, UNMANAGED);
    if (fields.size === 0) managers.delete(key);
    else if (last !== undefined && last.time === time && last.apiVersion === entry.apiVersion && isSameSet(last.fields, fields))
      managers.set(key, last);
    else managers.set(key, { ...entry, fields, time });
  }

  /**
   * Removes what the applier has applied before and does not apply now, as far as nobody else owns it. What lies inside of it
   * and was never anybody's stays, too.
   */
  #prune(merged: JsonObject, owners: Managers, fields: FieldSet, last: ManagerEntry): JsonObject {
    const isSameVersion = last.apiVersion === this.#kind.apiVersion;
    // Mostly, nothing was given up.
    if (isSameVersion && subtractFields(last.fields, fields).size === 0) return merged;
    const before = this.#inVersion(merged, last.apiVersion);
    if (before === undefined) return merged;
    const given = withNamedFields(last.fields, before.schema);
    let pruned = removeFields(before.object, given, before.schema);
    for (const [apiVersion, owned] of ownedByVersion(owners, last.apiVersion))
      pruned = this.#addBack(merged, pruned, apiVersion, owned) ?? pruned;
    const left = this.#inVersion(pruned, last.apiVersion);
    if (left === undefined) return merged;
    const gone = subtractFields(
      withNamedFields(fieldsOf(before.object, before.schema), before.schema),
      withNamedFields(fieldsOf(left.object, left.schema), left.schema),
    );
    const rest = removeFields(before.object, intersectFields(gone, given), before.schema);
    return this.#inVersion(rest, this.#kind.apiVersion)?.object ?? merged;
  }

  /** The pruned object with what somebody owns in a version; undefined where the version is not served. */
  #addBack(merged: JsonObject, pruned: JsonObject, apiVersion: string, owned: FieldSet): JsonObject | undefined {
    const whole = this.#inVersion(merged, apiVersion);
    const part = this.#inVersion(pruned, apiVersion);
    if (whole === undefined || part === undefined) return undefined;
    const kept = unionFields(withNamedFields(fieldsOf(part.object, part.schema), part.schema), withNamedFields(owned, whole.schema));
    const gone = subtractFields(withNamedFields(fieldsOf(whole.object, whole.schema), whole.schema), kept);
    return removeFields(whole.object, gone, whole.schema);
  }
}

function withFieldsOf(entry: ManagerEntry, fields: FieldSet): ManagerEntry {
  const { manager, operation, apiVersion, subresource, time } = entry;
  return { manager, operation, apiVersion, subresource, time, fields };
}

function isSameSet(a: FieldSet, b: FieldSet): boolean {
  return subtractFields(a, b).size === 0 && subtractFields(b, a).size === 0;
}

/** What all managers own together, by version, beginning with one of them. */
function ownedByVersion(owners: Managers, first: string): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  const inOrder = [...owners.values()].sort((a, b) => Number(b.apiVersion === first) - Number(a.apiVersion === first));
  for (const { apiVersion, fields } of inOrder) owned.set(apiVersion, unionFields(owned.get(apiVersion) ?? NO_FIELDS, fields));
  return owned;
}

/** What nobody ever owns. Kubernetes: managedfields/internal/stripmeta.go. */
const UNMANAGED: FieldSet = fieldSetOf(
  [
    ['apiVersion'],
    ['kind'],
    ['metadata'],
    ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
      (name) => ['metadata', name],
    ),
  ].map((path) => path.map(fieldElement)),
);
