import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';

/**
 * Complaints about fields that a kind does not have and that are given twice, by paths such as `spec.containers[0].image`, in the
 * order in which the fields stand in the document.
 */
export function inDocumentOrder(value: JsonObject, unknown: readonly string[], duplicates: readonly string[]): readonly string[] {
  const found = [
    ...unknown.map((path) => ({ path, text: `unknown field ${goQuote(path)}` })),
    ...duplicates.map((path) => ({ path, text: `duplicate field ${goQuote(path)}` })),
  ];
  if (unknown.length === 0 || duplicates.length === 0) return found.map(({ text }) => text);
  return found
    .map(({ path, text }) => ({ text, place: placeOf(value, path) }))
    .sort((a, b) => comparePlaces(a.place, b.place))
    .map(({ text }) => text);
}

/** Indexes on the way to a path such as `spec.containers[0].image`, as far as there is a way. */
function placeOf(value: Json, path: string): readonly number[] {
  const place: number[] = [];
  let at: Json | undefined = value;
  for (const [, key, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    if (index !== undefined) {
      place.push(Number(index));
      at = Array.isArray(at) ? at[Number(index)] : undefined;
    } else if (at !== undefined && isJsonObject(at) && key !== undefined) {
      place.push(Object.keys(at).indexOf(key));
      at = ownValue(at, key);
    } else break;
  }
  return place;
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
