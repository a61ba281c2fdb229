import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import type { ObjectReference } from '../../engine/rules/reconcile/program.ts';
import { annotationOf, inventoryAnnotation } from './ownership.ts';

/**
 * What may exist for an instance, kept on the instance itself. It is a superset at every moment: written before something of a
 * new kind is made, shrunk after the last of a kind is gone. So whoever comes after a crash, or after the rule has gone, knows
 * where to look. The objects themselves are found by their labels, as in ApplySets (KEP-3659).
 */
export interface Inventory {
  /** `apps/v1/Deployment`, `v1/Secret`; sorted. */
  readonly kinds: readonly string[];
  /** Objects of others on which we hold fields; sorted by their text. */
  readonly partial: readonly ObjectReference[];
  /** Whether there is a journal of calls. */
  readonly calls: boolean;
}

export const EMPTY_INVENTORY: Inventory = { kinds: [], partial: [], calls: false };

export const kindText = (apiVersion: string, kind: string): string => `${apiVersion}/${kind}`;

/** The reverse of {@link kindText}. */
export function parseKind(text: string): { readonly apiVersion: string; readonly kind: string } {
  const cut = text.lastIndexOf('/');
  return { apiVersion: text.slice(0, cut), kind: text.slice(cut + 1) };
}

/** `apps/v1/Deployment shop/web`. */
export const referenceText = ({ apiVersion, kind, namespace, name }: ObjectReference): string =>
  `${apiVersion}/${kind} ${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;

/** `Deployment shop/web`, for messages. */
export const shortReference = ({ kind, namespace, name }: ObjectReference): string =>
  `${kind} ${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;

function parseReference(text: string): ObjectReference | undefined {
  const cut = text.indexOf(' ');
  if (cut < 0) return undefined;
  const { apiVersion, kind } = parseKind(text.slice(0, cut));
  const place = text.slice(cut + 1);
  const slash = place.indexOf('/');
  return slash < 0
    ? { apiVersion, kind, name: place }
    : { apiVersion, kind, namespace: place.slice(0, slash), name: place.slice(slash + 1) };
}

/** The inventory an instance carries for a rule; empty where it carries none. Undefined when somebody made it unreadable. */
export function readInventory(instance: JsonObject, rule: string): Inventory | undefined {
  const text = annotationOf(instance, inventoryAnnotation(rule));
  if (text === undefined) return EMPTY_INVENTORY;
  // Instances of a rule mostly carry the same one, and it is asked for several times of each.
  if (text !== lastRead.text) lastRead = { text, inventory: parseInventory(text) };
  return lastRead.inventory;
}

let lastRead: { readonly text: string; readonly inventory: Inventory | undefined } = { text: '', inventory: undefined };

function parseInventory(text: string): Inventory | undefined {
  try {
    const parsed = JSON.parse(text) as Json;
    if (!isJsonObject(parsed)) return undefined;
    const texts = (field: string): string[] => {
      const value = ownValue(parsed, field);
      return Array.isArray(value) ? (value as readonly Json[]).filter((each): each is string => typeof each === 'string') : [];
    };
    return {
      kinds: texts('kinds').filter((each) => each.includes('/')),
      partial: texts('partial').flatMap((each) => parseReference(each) ?? []),
      calls: ownValue(parsed, 'calls') === true,
    };
  } catch {
    return undefined;
  }
}

export const isEmptyInventory = (inventory: Inventory): boolean =>
  inventory.kinds.length === 0 && inventory.partial.length === 0 && !inventory.calls;

/** The annotation's text: the same inventory, the same text. */
export function writeInventory(inventory: Inventory): string {
  const partial = inventory.partial.map(referenceText).sort();
  return JSON.stringify({
    kinds: [...new Set(inventory.kinds)].sort(),
    ...(partial.length === 0 ? {} : { partial: [...new Set(partial)] }),
    ...(inventory.calls ? { calls: true } : {}),
  });
}

export function unionOf(a: Inventory, b: Inventory): Inventory {
  const partial = new Map([...a.partial, ...b.partial].map((each) => [referenceText(each), each]));
  return { kinds: [...new Set([...a.kinds, ...b.kinds])].sort(), partial: [...partial.values()], calls: a.calls || b.calls };
}

/** Whether everything of `part` is in `whole`. */
export function coversInventory(whole: Inventory, part: Inventory): boolean {
  if (part.calls && !whole.calls) return false;
  if (!part.kinds.every((kind) => whole.kinds.includes(kind))) return false;
  if (part.partial.length === 0) return true;
  const known = new Set(whole.partial.map(referenceText));
  return part.partial.every((each) => known.has(referenceText(each)));
}

export const sameInventory = (a: Inventory, b: Inventory): boolean => writeInventory(a) === writeInventory(b);
