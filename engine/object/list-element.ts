import { goQuote } from '../cel/go-quote.ts';
import { goFloat } from './go-format.ts';
import { isJsonObject, type Json, ownValue } from './json.ts';
import type { ListSchema } from './schema.ts';

/**
 * What tells an element of a set or a map list from its siblings, in the form the API server's messages show it:
 * `[name="a"]`, `[containerPort=80,protocol="TCP"]`, `[="finalizer"]`. Equal text, same element.
 */
export type ElementKey = string;

/**
 * The key of a list element, or why it has none. A missing key field is taken from its default; an element may lack some of
 * several key fields, but not all. Kubernetes: structured-merge-diff typed/helpers.go.
 */
export function elementKey(list: ListSchema, element: Json): { readonly key: ElementKey } | { readonly error: string } {
  return list.listType === 'map' ? mapElementKey(list, element) : setElementKey(element);
}

function mapElementKey(list: ListSchema, element: Json): { readonly key: ElementKey } | { readonly error: string } {
  if (element === null) return { error: 'associative list with keys may not have a null element' };
  if (!isJsonObject(element)) return { error: 'associative list with keys may not have non-map elements' };
  const [onlyKey] = list.keys;
  if (list.keys.length === 1 && onlyKey !== undefined) {
    const value = ownValue(element, onlyKey);
    if (value !== undefined) return { key: `[${onlyKey}=${keyText(value)}]` };
  }
  const parts: string[] = [];
  for (const name of list.keys) {
    let value = ownValue(element, name);
    if (value === undefined) {
      const { items } = list;
      if (items.kind === 'map') value = items.fields.get(name)?.keyDefault;
    }
    if (value !== undefined) parts.push(`${name}=${keyText(value)}`);
  }
  if (parts.length === 0 && list.keys.length > 0) {
    const keys = `[${list.keys.map(goQuote).join(' ')}]`;
    return {
      error: `associative list with keys has an element that omits all key fields ${keys} (and doesn't have default values for any key fields)`,
    };
  }
  return { key: `[${parts.sort().join(',')}]` };
}

function setElementKey(element: Json): { readonly key: ElementKey } | { readonly error: string } {
  if (element === null) return { error: "associative list without keys has an element that's an explicit null" };
  if (Array.isArray(element)) return { error: 'not supported: associative list with lists as elements' };
  if (typeof element === 'object') return { error: "associative list without keys has an element that's a map type" };
  return { key: `[=${keyText(element)}]` };
}

const PLAIN = /^[ !#-[\]-~]*$/;

function keyText(value: Json): string {
  if (value === null) return 'null';
  // Names rarely need an escape, and a merge asks for the key of every element.
  if (typeof value === 'string') return PLAIN.test(value) ? `"${value}"` : goQuote(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => keyText(item)).join(',')}]`;
  return Object.entries(value as { readonly [key: string]: Json })
    .map(([key, item]) => `${key}=${keyText(item)}`)
    .join('');
}
