import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';

/** The object with a field set, or without it. */
export function withField(object: JsonObject, field: string, value: JsonObject[string] | undefined): JsonObject {
  if (value === undefined) {
    if (!Object.hasOwn(object, field)) return object;
    const { [field]: _, ...rest } = object;
    return rest;
  }
  return object[field] === value ? object : { ...object, [field]: value };
}

/** A field of a field, undefined where there is none. */
export function fieldOf(object: JsonObject, ...path: readonly string[]): JsonObject[string] | undefined {
  let node: JsonObject[string] | undefined = object;
  for (const name of path) node = isJsonObject(node) ? ownValue(node, name) : undefined;
  return node;
}

/** Whether a condition of the status is true. */
export function conditionIs(object: JsonObject, type: string): boolean {
  const conditions = fieldOf(object, 'status', 'conditions');
  if (!Array.isArray(conditions)) return false;
  return conditions.some((each: Json) => isJsonObject(each) && each['type'] === type && each['status'] === 'True');
}
