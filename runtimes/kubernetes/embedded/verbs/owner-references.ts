import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf } from '../../../../engine/object/metadata.ts';
import { withMetadata } from './object-metadata.ts';

/** Keeps the first of several references to one owner. Kubernetes: handlers/create.go dedupOwnerReferencesAndAddWarning. */
export function dedupOwnerReferences(object: JsonObject, warn: (text: string) => void): JsonObject {
  const references = ownValue(metadataOf(object), 'ownerReferences');
  if (!Array.isArray(references) || references.length < 2) return object;
  const seen = new Set<string>();
  const doubled: string[] = [];
  const kept: Json[] = [];
  for (const reference of references as readonly Json[]) {
    const uid = isJsonObject(reference) && typeof reference['uid'] === 'string' ? reference['uid'] : '';
    if (uid !== '' && seen.has(uid)) doubled.push(uid);
    else {
      seen.add(uid);
      kept.push(reference);
    }
  }
  if (doubled.length === 0) return object;
  warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${doubled.join(', ')}`,
  );
  return withMetadata(object, { ownerReferences: kept });
}
