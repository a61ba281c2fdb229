import { isJsonObject, type JsonObject, ownText, ownValue } from '../object/json.ts';
import { parseLabelSelector } from '../object/label-selector.ts';
import type { ObjectQuery, ObjectReference } from './reconcile/program.ts';

/** A cluster of recorded objects: what is not among them does not exist. */
export interface RecordedObjects {
  object(reference: ObjectReference): JsonObject | null;
  objects(query: ObjectQuery): readonly JsonObject[];
}

/** Finds recorded objects by name and by label. */
export function recordedObjects(objects: readonly JsonObject[]): RecordedObjects {
  const byKind = new Map<string, JsonObject[]>();
  for (const object of objects) {
    const kind = `${ownText(object, 'apiVersion')}/${ownText(object, 'kind')}`;
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [object]);
    else list.push(object);
  }
  const ofKind = (apiVersion: string, kind: string): readonly JsonObject[] => byKind.get(`${apiVersion}/${kind}`) ?? [];
  return {
    object: ({ apiVersion, kind, namespace, name }) =>
      ofKind(apiVersion, kind).find((object) => {
        const metadata = ownValue(object, 'metadata');
        return ownText(metadata, 'name') === name && ownText(metadata, 'namespace') === (namespace ?? '');
      }) ?? null,
    objects({ apiVersion, kind, namespace, labelSelector }) {
      const parsed = parseLabelSelector(labelSelector);
      if (!parsed.ok) return [];
      return ofKind(apiVersion, kind).filter((object) => {
        const metadata = ownValue(object, 'metadata');
        if (namespace !== undefined && ownText(metadata, 'namespace') !== namespace) return false;
        const labels = isJsonObject(metadata) ? ownValue(metadata, 'labels') : undefined;
        return parsed.selector.matches(isJsonObject(labels) ? labels : undefined);
      });
    },
  };
}
