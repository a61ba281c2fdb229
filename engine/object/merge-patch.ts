import { isJsonObject, type Json, jsonEqual, ownValue, setOwn } from './json.ts';

/**
 * Applies a JSON Merge Patch (RFC 7386): maps merge, null deletes, anything else replaces. The target is not changed; the
 * result shares what the patch does not touch, and is the target itself when nothing changes.
 */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return jsonEqual(target, patch) ? (target as Json) : patch;
  const before = isJsonObject(target) ? target : undefined;
  let merged: { [key: string]: Json } | undefined = before === undefined ? {} : undefined;
  for (const key of Object.keys(patch)) {
    const change = patch[key] as Json;
    const old = before && ownValue(before, key);
    if (change === null) {
      if (old === undefined) continue;
      merged ??= { ...before };
      delete merged[key];
      continue;
    }
    const value = applyMergePatch(old, change);
    if (value === old) continue;
    merged ??= { ...before };
    setOwn(merged, key, value);
  }
  return merged ?? (target as Json);
}

/**
 * The merge patch from one value to another, `{}` where they are equal; undefined where there is none: a merge patch can't
 * set null inside a map.
 */
export function diffMergePatch(before: Json, after: Json): Json | undefined {
  if (!isJsonObject(before) || !isJsonObject(after)) return isJsonObject(after) && holdsNull(after) ? undefined : after;
  const patch: { [key: string]: Json } = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) setOwn(patch, key, null);
  for (const key of Object.keys(after)) {
    const value = after[key] as Json;
    const old = ownValue(before, key);
    if (jsonEqual(old, value)) continue;
    if (value === null) return undefined;
    const change = diffMergePatch(old ?? null, value);
    if (change === undefined) return undefined;
    setOwn(patch, key, change);
  }
  return patch;
}

/** Nulls in lists are values like others; nulls in maps would delete. */
function holdsNull(value: Json): boolean {
  return isJsonObject(value) && Object.values(value).some((item) => item === null || holdsNull(item));
}
