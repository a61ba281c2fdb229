import { isJsonObject, type Json, type JsonObject } from '../../../object/json.ts';

/**
 * The field of a document as Go's decoder finds it: the name in any case, of several the last; null counts as absent.
 * Go: encoding/json, Unmarshal.
 */
export function goField(document: JsonObject, name: string): Json | undefined {
  const folded = name.toLowerCase();
  let found: Json | undefined;
  for (const key of Object.keys(document))
    if (key === name || (key.length === name.length && key.toLowerCase() === folded)) found = document[key] ?? found;
  return found;
}

/** What Go calls a value that it can't decode. */
export function goKind(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isJsonObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
}
