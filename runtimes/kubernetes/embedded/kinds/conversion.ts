import type { JsonObject } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { ResourceDefinition } from './definition.ts';

/** One stored object in one other version; most are asked for many times. */
const converted = new WeakMap<ResourceDefinition, WeakMap<JsonObject, JsonObject>>();

/** An object as a resource in a version shows it. The same object for the same stored object, so that its text can be kept. */
export function fromStored(definition: ResourceDefinition, stored: JsonObject): JsonObject {
  const apiVersion = formatApiVersion(definition.group, definition.version);
  if (stored['apiVersion'] === apiVersion && definition.conversion === undefined) return stored;
  let cache = converted.get(definition);
  if (cache === undefined) {
    cache = new WeakMap();
    converted.set(definition, cache);
  }
  let object = cache.get(stored);
  if (object === undefined) {
    const own = definition.conversion?.fromStored(stored) ?? stored;
    object = own['apiVersion'] === apiVersion ? own : { ...own, apiVersion };
    cache.set(stored, object);
  }
  return object;
}

/** An object in the version that is stored. */
export function toStored(definition: ResourceDefinition, object: JsonObject): JsonObject {
  if (object['apiVersion'] === definition.storedApiVersion) return object;
  return { ...(definition.conversion?.toStored(object) ?? object), apiVersion: definition.storedApiVersion };
}
