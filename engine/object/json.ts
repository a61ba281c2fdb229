/** JSON as the engine holds it: what `JSON.parse` returns, and `bigint` for integers beyond 2^53. Never changed in place. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * Levels of lists and maps that functions of this room walk into; each of them recurses at most this deep. Far above any
 * Kubernetes type, far below what a call stack bears. Borders that take foreign JSON check it with {@link exceedsDepth}.
 */
export const MAX_JSON_DEPTH = 1000;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property `key`, or undefined: never something inherited, whatever the key is called. */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** What stands at a path, or undefined where it leads nowhere. */
export function valueAt(root: Json, path: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = value[Number(segment)];
    else if (isJsonObject(value)) value = ownValue(value, String(segment));
    else return undefined;
  }
  return value;
}

/** The own property `key` of a map where it is text; `` where it is missing or something else. */
export function ownText(value: Json | undefined, key: string): string {
  const found = isJsonObject(value) ? ownValue(value, key) : undefined;
  return typeof found === 'string' ? found : '';
}

/** The texts of a list; none where it is no list. What else is in it is left out. */
export function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item): item is string => typeof item === 'string') : [];
}

/** The objects of a list; none where it is no list. What else is in it is left out. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
}

/** Sets an own property of an object under construction, `__proto__` included. */
export function setOwn(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** Deep equality of JSON: key order does not matter, 1 equals 1.0 and 1n. */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') {
    // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of the same value are the same JSON number.
    return isNumber(a) && isNumber(b) && a == b;
  }
  if (a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!jsonEqual(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) if (!Object.hasOwn(right, key) || !jsonEqual(left[key], right[key])) return false;
  return true;
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** Whether lists and maps nest deeper than `limit`. Does not recurse, so that it can judge hostile input. */
export function exceedsDepth(value: Json, limit: number = MAX_JSON_DEPTH): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: Json[] = [];
    for (const node of level) {
      if (typeof node !== 'object' || node === null) continue;
      if (depth >= limit) return true;
      for (const child of Array.isArray(node) ? node : Object.values(node))
        if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

export interface JsonMeasure {
  /** Length of the shortest JSON text, in UTF-16 units; an upper bound is not promised for text beyond ASCII. */
  readonly size: number;
  /** Levels of lists and maps: 0 for a scalar, 1 for `{}`. */
  readonly depth: number;
}

/** Size and depth of a value. Stops early, with the excess visible in the result, once either limit is passed. */
export function measureJson(value: Json, maxSize = Number.POSITIVE_INFINITY, maxDepth: number = MAX_JSON_DEPTH): JsonMeasure {
  let size = 0;
  let deepest = 0;
  const walk = (node: Json, depth: number): void => {
    if (typeof node === 'object' && node !== null) {
      if (depth + 1 > deepest) deepest = depth + 1;
      size += 2;
      if (size > maxSize || deepest > maxDepth) return;
      if (Array.isArray(node)) {
        size += Math.max(0, node.length - 1);
        for (const child of node) {
          walk(child, depth + 1);
          if (size > maxSize || deepest > maxDepth) return;
        }
        return;
      }
      const object = node as JsonObject;
      let first = true;
      for (const key of Object.keys(object)) {
        size += textSize(key) + (first ? 1 : 2);
        first = false;
        walk(object[key] as Json, depth + 1);
        if (size > maxSize || deepest > maxDepth) return;
      }
    } else if (typeof node === 'string') size += textSize(node);
    else size += String(node).length;
  };
  walk(value, 0);
  return { size, depth: deepest };
}

/** The escapes are counted only for short texts: the figure serves limits, and a long text is mostly itself. */
function textSize(text: string): number {
  return text.length <= 64 ? JSON.stringify(text).length : text.length + 2;
}

/** A deep copy that shares nothing with the original. */
export function cloneJson<T extends Json>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => cloneJson(item)) as unknown as T;
  const copy: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson((value as JsonObject)[key] as Json));
  return copy as unknown as T;
}

/** JSON text with the keys of maps sorted: the same value is the same text, whatever the order it was put together in. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join()}]`;
  if (typeof value === 'bigint') return String(value);
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(ownValue(value, name) as Json)}`).join()}}`;
}
