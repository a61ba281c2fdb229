import { goMapJson } from '../go-json.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import { UNKNOWN_OBJECT } from '../schema.ts';
import { checkTypedValue } from '../typed-value.ts';
import { compareObjects } from './compare.ts';
import { type FieldSet, hasField, subtractFields } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { metadataField } from './metadata.ts';
import type { FieldConflict, WrittenKind } from './ownership.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function lastAppliedText(object: JsonObject): string | undefined {
  const annotations = metadataField(object, 'annotations');
  const text = isJsonObject(annotations) ? ownValue(annotations, LAST_APPLIED) : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/**
 * The conflicts that remain when kubectl turns to server-side apply: what it last applied from the client's side was its own
 * already. Kubernetes: managedfields/internal/lastappliedmanager.go.
 */
export function conflictsBeyondLastApplied(
  live: JsonObject,
  kind: WrittenKind,
  conflicts: readonly FieldConflict[],
): readonly FieldConflict[] {
  const owned = fieldsOfLastApplied(live, kind);
  return owned === undefined ? conflicts : conflicts.filter(({ path }) => !hasField(owned, path));
}

function fieldsOfLastApplied(live: JsonObject, { schema = UNKNOWN_OBJECT, apiVersion }: WrittenKind): FieldSet | undefined {
  const text = lastAppliedText(live);
  if (text === undefined) return undefined;
  let last: Json;
  try {
    last = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(last) || ownValue(last, 'apiVersion') !== apiVersion || checkTypedValue(last, schema).length > 0) return undefined;
  const { modified, added, removed } = compareObjects(last, live, schema);
  return [modified, added, removed].reduce((fields, changed) => subtractFields(fields, changed), fieldsOf(last, schema));
}

/** Largest sum of annotations that an object may have. Kubernetes: apimachinery pkg/api/validation/objectmeta.go. */
const MAX_ANNOTATIONS_SIZE = 256 * 1024;

/** Brings kubectl's annotation up to date, so that turning back to client-side apply finds it true. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  if (lastAppliedText(object) === undefined) return object;
  const metadata = ownValue(object, 'metadata') as JsonObject;
  const { [LAST_APPLIED]: old, ...others } = ownValue(metadata, 'annotations') as JsonObject;
  const text = `${goMapJson(withoutLastApplied(applied))}\n`;
  if (text === old) return object;
  const size = Object.entries(others).reduce(
    (sum, [key, value]) => sum + key.length + String(value).length,
    LAST_APPLIED.length + text.length,
  );
  const annotations = size > MAX_ANNOTATIONS_SIZE ? others : { ...others, [LAST_APPLIED]: text };
  return { ...object, metadata: { ...metadata, annotations } };
}

function withoutLastApplied(applied: JsonObject): JsonObject {
  const metadata = ownValue(applied, 'metadata');
  const annotations = isJsonObject(metadata) ? ownValue(metadata, 'annotations') : undefined;
  if (!isJsonObject(metadata) || !isJsonObject(annotations) || !Object.hasOwn(annotations, LAST_APPLIED)) return applied;
  const { [LAST_APPLIED]: _, ...others } = annotations;
  return { ...applied, metadata: { ...metadata, annotations: others } };
}
