import type { Json, JsonObject } from '../../../../engine/object/json.ts';

/** Letters and digits without those that make words or are mistaken for others. Kubernetes: apimachinery pkg/util/rand SafeEncodeString. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short name for the content of a template: the same for the same content, whatever the order of its keys. Not the hash that
 * Kubernetes' own controllers compute, which depends on their Go types.
 */
export function templateHash(template: object, collisions = 0): string {
  let hash = 0x811c9dc5;
  const add = (text: string): void => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  };
  add(canonical(template as JsonObject));
  if (collisions > 0) add(`#${collisions}`);
  return [...String(hash)].map((digit) => SAFE[digit.charCodeAt(0) % SAFE.length]).join('');
}

function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const object = value as JsonObject;
  const keys = Object.keys(object).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(object[key] as Json)}`).join(',')}}`;
}
