import { goValue } from '../go-format.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual } from '../json.ts';
import { hasPatchDirective, keptElements } from './directives.ts';
import { noMergeKey, PatchFailure, wrongType } from './failure.ts';

/** The elements as maps; `mergeKey` is `` for lists of scalars. */
export function mapsOf(list: readonly Json[]): readonly JsonObject[] {
  for (const element of list) if (!isJsonObject(element)) throw wrongType('map', element);
  return list as readonly JsonObject[];
}

/** What tells an element from others: the value of the merge key, or the element itself. */
export function identityOf(element: Json, mergeKey: string): Json {
  if (mergeKey === '') return element;
  if (!isJsonObject(element)) throw wrongType('map', element);
  if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
  return element[mergeKey] as Json;
}

/** A list in which the place of an element is found by its identity. */
class Order {
  readonly #places = new Map<Json, number>();

  constructor(list: readonly Json[], mergeKey: string) {
    list.forEach((element, i) => {
      const identity = identityOf(element, mergeKey);
      if (!this.#places.has(identity)) this.#places.set(identity, i);
    });
  }

  /** -1 for what is not in it. */
  indexOf(identity: Json): number {
    return this.#places.get(identity) ?? -1;
  }
}

/**
 * A merged list in the order a patch asks for: what the patch names stands as in the patch, what only the live list has stays
 * among its neighbours of old as well as it can. Kubernetes: strategicpatch normalizeElementOrder, mergeSortedSlice.
 */
export function orderElements(merged: readonly Json[], wanted: readonly Json[], live: readonly Json[], mergeKey: string): Json[] {
  const patchOrder = new Order(wanted, mergeKey);
  const liveOrder = new Order(live, mergeKey);
  const named: Json[] = [];
  const others: Json[] = [];
  for (const element of merged) (patchOrder.indexOf(identityOf(element, mergeKey)) < 0 ? others : named).push(element);
  const place = (order: Order, element: Json): number => order.indexOf(identityOf(element, mergeKey));
  named.sort((a, b) => place(patchOrder, a) - place(patchOrder, b));
  others.sort((a, b) => place(liveOrder, a) - place(liveOrder, b));
  const out: Json[] = [];
  let i = 0;
  for (const element of named) {
    const before = place(liveOrder, element);
    while (i < others.length && before >= 0) {
      const other = place(liveOrder, others[i] as Json);
      if (other < 0 || other >= before) break;
      out.push(others[i++] as Json);
    }
    out.push(element);
  }
  return [...out, ...others.slice(i)];
}

/**
 * Refuses a patch whose list does not follow its own `$setElementOrder`: same relative order, and nothing that the order does
 * not have. Deletions do not count.
 */
export function checkElementOrder(list: readonly Json[], order: readonly Json[], mergeKey: string): void {
  if (list.length === 0 || order.length === 0) return;
  const kept: readonly Json[] = mergeKey === '' ? list : keptElements(mapsOf(list));
  let i = 0;
  let j = 0;
  while (i < kept.length && j < order.length) {
    if (hasPatchDirective(kept[i] as Json)) {
      i++;
      continue;
    }
    if (jsonEqual(identityOf(kept[i] as Json, mergeKey), identityOf(order[j] as Json, mergeKey))) i++;
    j++;
  }
  if (i < kept.length && j >= order.length) {
    throw new PatchFailure(500, `The order in patch list:\n${goValue(list)}\n doesn't match $setElementOrder list:\n${goValue(order)}\n`);
  }
}
