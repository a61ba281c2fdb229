import { type CelType, DYN, STRING } from '../cel/types.ts';
import { CelMap, type CelValue } from '../cel/values.ts';
import { isJsonObject } from './json.ts';

/** The type of the items of a range, and of what they are told apart by; undefined for a range that is neither a list nor a map. */
export function loopTypes(range: CelType): { readonly item: CelType; readonly key: CelType | undefined } | undefined {
  switch (range.kind) {
    case 'list':
      return { item: range.element, key: undefined };
    case 'map':
      return { item: range.value, key: range.key };
    case 'object':
      return { item: DYN, key: STRING };
    case 'dyn':
      return { item: DYN, key: DYN };
    default:
      return undefined;
  }
}

/** An element of a list, or an entry of a map. */
export interface Element {
  readonly item: CelValue;
  /** Undefined in a list. */
  readonly key: CelValue | undefined;
  readonly index: number;
}

/** What `forEach` goes through, in order; undefined for what is neither a list nor a map. */
export function elementsOf(range: CelValue): Iterable<Element> | undefined {
  if (Array.isArray(range)) return (range as readonly CelValue[]).map((item, index) => ({ item, key: undefined, index }));
  if (range instanceof CelMap) return [...range.entries.values()].map(([key, item], index) => ({ item, key, index }));
  if (isJsonObject(range)) return Object.keys(range).map((key, index) => ({ item: range[key] as CelValue, key, index }));
  return undefined;
}
