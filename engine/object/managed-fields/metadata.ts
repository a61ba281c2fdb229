import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';

/** A field of `metadata`; undefined where there is none, or no metadata. */
export function metadataField(object: JsonObject, name: string): Json | undefined {
  const metadata = ownValue(object, 'metadata');
  return isJsonObject(metadata) ? ownValue(metadata, name) : undefined;
}

/** The object with other `metadata.managedFields`, or with none. */
export function withManagedFields(object: JsonObject, entries: readonly JsonObject[] | undefined): JsonObject {
  const metadata = ownValue(object, 'metadata');
  if (!isJsonObject(metadata)) return entries === undefined ? object : { ...object, metadata: { managedFields: entries } };
  if (entries === undefined && !Object.hasOwn(metadata, 'managedFields')) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: entries === undefined ? rest : { ...rest, managedFields: entries } };
}
