import { isJsonObject, type JsonObject, ownText, ownValue } from './json.ts';

const EMPTY: JsonObject = {};

/** Metadata of an object; empty where it is no map, as what a client sends may be anything. */
export function metadataOf(object: JsonObject): JsonObject {
  return mapIn(object, 'metadata');
}

/** A field of the metadata that is text; `` where it is missing or something else. */
export function metadataText(object: JsonObject, field: string): string {
  return ownText(metadataOf(object), field);
}

/** Labels of an object; none where they are no map. */
export function labelsOf(object: JsonObject): JsonObject {
  return mapIn(metadataOf(object), 'labels');
}

function mapIn(object: JsonObject, field: string): JsonObject {
  const found = ownValue(object, field);
  return isJsonObject(found) ? found : EMPTY;
}
