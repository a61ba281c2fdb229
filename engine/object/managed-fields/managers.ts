import { compareText } from '../../cel/run/text.ts';
import { isJsonObject, type Json, type JsonObject, ownText, ownValue } from '../json.ts';
import { type FieldSet, unionFields } from './field-set.ts';
import { decodeFieldsV1, encodeFieldsV1 } from './fields-v1.ts';

/** Who writes: the same name is another manager for another operation or subresource, and for another version that it updates in. */
export interface ManagerName {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** `` for the object itself. */
  readonly subresource: string;
}

/** What a manager owns, in the terms of a version of the kind. */
export interface ManagerEntry extends ManagerName {
  readonly fields: FieldSet;
  /** When it last changed something, as RFC 3339; undefined where it never has. */
  readonly time: string | undefined;
  /** The entry as the object has it, as long as it is unchanged. */
  readonly source?: JsonObject;
}

/** Managers of an object by {@link managerKey}. */
export type Managers = ReadonlyMap<string, ManagerEntry>;

/** Kubernetes: apimachinery pkg/util/managedfields/internal/managedfields.go BuildManagerIdentifier; it also sorts by this text. */
export function managerKey({ manager, operation, apiVersion, subresource }: ManagerName): string {
  return JSON.stringify({
    manager: manager === '' ? undefined : manager,
    operation,
    apiVersion: operation === 'Update' ? apiVersion : undefined,
    subresource: subresource === '' ? undefined : subresource,
  });
}

/** Reads `metadata.managedFields`, or says why it is not one, in the API server's words. */
export function decodeManagers(entries: Json | undefined): { readonly managers: Managers } | { readonly error: string } {
  const managers = new Map<string, ManagerEntry>();
  if (!Array.isArray(entries)) return { managers };
  for (let i = 0; i < entries.length; i++) {
    const source = entries[i] as Json;
    if (!isJsonObject(source)) return { error: 'operation must be `Apply` or `Update`' };
    const operation = ownValue(source, 'operation');
    if (operation !== 'Apply' && operation !== 'Update') return { error: 'operation must be `Apply` or `Update`' };
    const apiVersion = ownText(source, 'apiVersion');
    if (apiVersion === '') return { error: 'apiVersion must not be empty' };
    const fieldsType = ownText(source, 'fieldsType');
    if (fieldsType === '') return { error: `missing fieldsType in managed fields entry ${i}` };
    if (fieldsType !== 'FieldsV1') return { error: `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}` };
    const name: ManagerName = { manager: ownText(source, 'manager'), operation, apiVersion, subresource: ownText(source, 'subresource') };
    const time = ownText(source, 'time');
    managers.set(managerKey(name), {
      ...name,
      fields: decodeFieldsV1(ownValue(source, 'fieldsV1')),
      time: time === '' ? undefined : time,
      source,
    });
  }
  return { managers };
}

/** Writes `metadata.managedFields`; undefined where nobody owns anything. */
export function encodeManagers(managers: Managers): readonly JsonObject[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareEntries).map(encodeEntry);
}

function encodeEntry(entry: ManagerEntry): JsonObject {
  if (entry.source !== undefined) return entry.source;
  return {
    ...(entry.manager === '' ? {} : { manager: entry.manager }),
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time === undefined ? {} : { time: entry.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFieldsV1(entry.fields),
    ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
  };
}

function compareEntries(a: ManagerEntry, b: ManagerEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    seconds(a.time) - seconds(b.time) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function seconds(time: string | undefined): number {
  const moment = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(moment) ? 0 : Math.floor(moment / 1000);
}

/** Most entries of updates that an object keeps. Kubernetes: managedfields/internal/fieldmanager.go DefaultMaxUpdateManagers. */
const MAX_UPDATE_MANAGERS = 10;
const OLD_UPDATES = 'ancient-changes';

/**
 * Merges the oldest updates of each version into one entry, as many as exceed the bound. Kubernetes:
 * managedfields/internal/capmanagers.go.
 */
export function capUpdateManagers(managers: Managers): Managers {
  const updates = [...managers].filter(([, { operation }]) => operation === 'Update');
  if (updates.length <= MAX_UPDATE_MANAGERS) return managers;
  updates.sort(([key, a], [otherKey, b]) => seconds(a.time) - seconds(b.time) || compareText(key, otherKey));
  const capped = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let count = updates.length;
  for (const [key, entry] of updates) {
    if (count <= MAX_UPDATE_MANAGERS) break;
    const { apiVersion } = entry;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, key);
      continue;
    }
    const name: ManagerName = { manager: OLD_UPDATES, operation: 'Update', apiVersion, subresource: '' };
    const bucket = managerKey(name);
    const merged = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.set(bucket, {
      ...name,
      fields: merged === undefined ? entry.fields : unionFields(entry.fields, merged.fields),
      time: entry.time,
    });
    if (key !== bucket) capped.delete(key);
    count--;
  }
  return capped;
}
