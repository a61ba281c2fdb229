import { CelMap, type CelValue, Double, type PlainObject, Uint } from '../values.ts';

/**
 * The identity of a map key under CEL equality: 1, 1u and 1.0 share one, "1" has another. Undefined for what no key can be
 * equal to (NaN, and types that are not key types).
 */
export function mapKey(value: CelValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return `n${value}`;
    case 'number':
      return numberKey(value);
  }
  if (value instanceof Uint) return `n${value.value}`;
  if (value instanceof Double) return numberKey(value.value);
  return undefined;
}

function numberKey(value: number): string | undefined {
  if (Number.isSafeInteger(value)) return `n${value + 0}`;
  if (Number.isNaN(value)) return undefined;
  return Number.isInteger(value) ? `n${BigInt(value)}` : `d${value}`;
}

/** Makes the canonical map of entries in order: a null-prototype object when all keys are strings. A later equal key replaces. */
export function mapOfEntries(entries: Iterable<readonly [CelValue, CelValue]>): PlainObject | CelMap {
  const list = [...entries];
  if (list.every(([key]) => typeof key === 'string')) {
    const result: Record<string, CelValue> = Object.create(null);
    for (const [key, value] of list) result[key as string] = value;
    return result;
  }
  const result = new Map<string, readonly [CelValue, CelValue]>();
  for (const [key, value] of list) {
    const identity = mapKey(key) ?? `?${result.size}`;
    result.set(identity, [result.get(identity)?.[0] ?? key, value]);
  }
  return new CelMap(result);
}
