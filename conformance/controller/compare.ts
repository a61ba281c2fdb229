import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { placeOf } from './person.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b[0-9a-f]{64}\b/g, '<digest>'],
  [/\b10\.96\.\d+\.\d+\b/g, '<service address>'],
  [/-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----/g, '<certificate>'],
  [/127\.0\.0\.1:\d+/g, '<store>'],
];
/** Chosen by a server or by what runs beside it. */
const CHOSEN = new Set(['nodePort', 'healthCheckNodePort', 'volumeName', 'resourceVersion', 'creationTimestamp']);

/**
 * Objects as text, without what no two clusters have in common. `isInstance`: those whose status is the rule's; of others it is that of
 * whoever works beside the API server.
 */
export function comparable(objects: readonly JsonObject[], isInstance: (object: JsonObject) => boolean): ReadonlyMap<string, string> {
  const uids = new Map(objects.map((object) => [String((object['metadata'] as JsonObject)['uid']), titleOf(object)]));
  return new Map(
    objects.map((object) => {
      const { status, ...rest } = object;
      const kept = isInstance(object) && status !== undefined ? { ...rest, status } : rest;
      return [
        titleOf(object),
        JSON.stringify(walk(kept, object['kind'] === 'Secret'), null, 1).replace(UUID, (uid) => uids.get(uid) ?? '<uid>'),
      ];
    }),
  );
}

function titleOf(object: JsonObject): string {
  const { kind, namespace, name } = placeOf(object);
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function walk(value: Json, isSecret: boolean, key = ''): Json {
  if (typeof value === 'string') return PATTERNS.reduce((text, [pattern, name]) => text.replace(pattern, name), value);
  if (Array.isArray(value)) {
    // Only what rules own is theirs to compare.
    const items =
      key === 'managedFields'
        ? (value as readonly JsonObject[]).filter(({ manager }) => String(manager).startsWith('fairlead/')).sort(byManager)
        : (value as readonly Json[]);
    return items.map((item) => walk(item, isSecret));
  }
  if (!isJsonObject(value)) return value;
  const out: { [key: string]: Json } = {};
  for (const [name, child] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (CHOSEN.has(name)) out[name] = `<${name}>`;
    else if (isSecret && key === '' && name === 'data') out[name] = Object.keys(child as JsonObject).sort();
    else out[name] = walk(child, isSecret, name);
  }
  return out;
}

const byManager = (a: JsonObject, b: JsonObject): number =>
  JSON.stringify([a['manager'], a['subresource']]) < JSON.stringify([b['manager'], b['subresource']]) ? -1 : 1;

/** Where two texts part, for a person. */
export function firstDifference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  const from = Math.max(0, at - 3);
  return `real:\n${left.slice(from, at + 4).join('\n')}\nembedded:\n${right.slice(from, at + 4).join('\n')}`;
}
