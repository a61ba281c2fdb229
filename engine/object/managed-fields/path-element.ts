import { goQuote } from '../../cel/go-quote.ts';
import { compareText } from '../../cel/run/text.ts';
import { goFloat } from '../go-format.ts';
import { goJson, goMapJson } from '../go-json.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import type { ListSchema } from '../schema.ts';

/**
 * One step into an object, in the text that `metadata.managedFields` has for it. Equal text, same step.
 *
 * - `f:replicas`: the field of a structure or the key of a map
 * - `k:{"name":"nginx"}`: the element of a map list with these keys, sorted by name
 * - `v:"finalizer"`: the element of a set
 * - `i:0`: the element of a list by position
 *
 * Kubernetes: structured-merge-diff fieldpath/serialize-pe.go.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

/**
 * The step to an element of a set or a map list; undefined where the element has no key. A missing key field counts as its
 * default. Kubernetes: structured-merge-diff typed/helpers.go.
 */
export function listElement(list: ListSchema, element: Json): PathElement | undefined {
  if (list.listType === 'set') {
    if (typeof element === 'object') return undefined;
    return `v:${scalarJson(element)}`;
  }
  if (!isJsonObject(element)) return undefined;
  const [only] = list.keys;
  if (only !== undefined && list.keys.length === 1) {
    const value = keyValue(list, element, only);
    return value === undefined ? undefined : `k:{${scalarJson(only)}:${keyJson(value)}}`;
  }
  let text = '';
  for (const name of sortedKeys(list)) {
    const value = keyValue(list, element, name);
    if (value !== undefined) text += `${text === '' ? '' : ','}${scalarJson(name)}:${keyJson(value)}`;
  }
  return text === '' ? undefined : `k:{${text}}`;
}

function keyValue(list: ListSchema, element: JsonObject, name: string): Json | undefined {
  const value = ownValue(element, name);
  if (value !== undefined) return value;
  return list.items.kind === 'map' ? list.items.fields.get(name)?.keyDefault : undefined;
}

const sortedKeysOf = new WeakMap<ListSchema, readonly string[]>();

function sortedKeys(list: ListSchema): readonly string[] {
  let keys = sortedKeysOf.get(list);
  if (keys === undefined) {
    keys = [...list.keys].sort();
    sortedKeysOf.set(list, keys);
  }
  return keys;
}

const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;

function scalarJson(value: Json): string {
  return typeof value === 'string' && PLAIN.test(value) ? `"${value}"` : goJson(value);
}

function keyJson(value: Json): string {
  return typeof value === 'object' ? goMapJson(value) : scalarJson(value);
}

/**
 * A step as somebody else has written it, in the one form that compares; undefined for kinds of steps that are not known,
 * which the API server passes over, and for text that is none.
 */
export function parsePathElement(text: string): PathElement | undefined {
  if (text.startsWith('f:')) return text;
  const body = text.slice(2);
  if (text.startsWith('i:')) return /^-?[0-9]+$/.test(body) ? `i:${Number(body)}` : undefined;
  if (!text.startsWith('k:') && !text.startsWith('v:')) return undefined;
  const value = parseJson(body);
  if (value === undefined) return undefined;
  if (text[0] === 'v') return `v:${goMapJson(value)}`;
  return isJsonObject(value) ? `k:${goMapJson(value)}` : undefined;
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The keys of the element a step leads to: `{"name": "nginx"}`; undefined for other steps. */
export function elementKeys(element: PathElement): JsonObject | undefined {
  if (!element.startsWith('k:')) return undefined;
  const value = parseJson(element.slice(2));
  return isJsonObject(value) ? value : undefined;
}

/** The element of a set a step leads to; undefined for other steps. */
export function setValue(element: PathElement): Json | undefined {
  return element.startsWith('v:') ? parseJson(element.slice(2)) : undefined;
}

/** A path as messages show it: `.spec.containers[name="nginx"].image`. */
export function formatFieldPath(path: readonly PathElement[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: PathElement): string {
  const body = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${body}`;
    case 'i':
      return `[${body}]`;
    case 'v':
      return `[=${valueText(parseJson(body) ?? null)}]`;
    default: {
      const keys = Object.entries(elementKeys(element) ?? {});
      return `[${keys.map(([name, value]) => `${name}=${valueText(value)}`).join(',')}]`;
    }
  }
}

function valueText(value: Json): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => valueText(item)).join(',')}]`;
  return Object.entries(value as JsonObject)
    .map(([key, item]) => `${key}=${valueText(item)}`)
    .join('');
}

/** In the order of `managedFields`: fields, keyed elements, set elements, positions. Kubernetes: fieldpath/element.go. */
export function sortElements(elements: Iterable<PathElement>): PathElement[] {
  const list = [...elements];
  if (list.length < 2) return list;
  if (list.every((element) => element.startsWith('f:'))) return list.sort();
  return list
    .map((element) => ({ element, rank: KINDS.indexOf(element[0] as string), value: parseJson(element.slice(2)) ?? null }))
    .sort((a, b) => a.rank - b.rank || (a.rank === 0 ? compareText(a.element, b.element) : compareValues(a.value, b.value)))
    .map(({ element }) => element);
}

const KINDS = 'fkvi';

const TYPE_ORDER = ['number', 'string', 'boolean', 'list', 'map', 'null'];

function typeRank(value: Json): number {
  if (value === null) return 5;
  if (typeof value === 'object') return Array.isArray(value) ? 3 : 4;
  return TYPE_ORDER.indexOf(typeof value);
}

function compareValues(a: Json, b: Json): number {
  const rank = typeRank(a) - typeRank(b);
  if (rank !== 0) return rank;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (isJsonObject(a) && isJsonObject(b)) return compareLists(Object.entries(a).flat(), Object.entries(b).flat());
  return typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : 0;
}

function compareLists(a: readonly Json[], b: readonly Json[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareValues(a[i] as Json, b[i] as Json);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
