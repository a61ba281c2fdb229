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

/** The same of several names, by one look at the document: it may have many fields. Names that it has not are not in the answer. */
export function goFields(document: JsonObject, names: Iterable<string>): ReadonlyMap<string, Json> {
  const wanted = new Map<string, string[]>();
  for (const name of names) {
    const folded = name.toLowerCase();
    const same = wanted.get(folded);
    if (same === undefined) wanted.set(folded, [name]);
    else same.push(name);
  }
  const found = new Map<string, Json>();
  for (const key of Object.keys(document)) {
    const same = wanted.get(key) ?? wanted.get(key.toLowerCase());
    if (same === undefined) continue;
    const value = document[key] ?? null;
    if (value !== null) for (const name of same) if (key.length === name.length) found.set(name, value);
  }
  return found;
}

/** What Go calls a value that it can't decode. */
export function goKind(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isJsonObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
}
