const ARRAY_NAMES: ReadonlySet<string> = new Set(
  [Array.prototype, Object.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
);

/**
 * Whether every JSON object or array answers to this name without having it: `constructor`, `toString`, `__proto__`, `length`,
 * `map`, ... Reading such a field has to ask for an own property.
 */
export const isInherited = (name: string): boolean => ARRAY_NAMES.has(name);
