import { goQuote } from '../cel/go-quote.ts';
import { goValue } from './go-format.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from './json.ts';
import type { MapSchema, Schema } from './schema.ts';
import {
  isElementOrder,
  isParallelList,
  listToDeleteFrom,
  listToOrder,
  PATCH,
  RETAIN_KEYS,
  withoutDirectives,
  withoutNulls,
} from './strategic-merge-patch/directives.ts';
import { checkElementOrder, identityOf, mapsOf, orderElements } from './strategic-merge-patch/element-order.ts';
import {
  badRetainKeys,
  listOfLists,
  noMergeKey,
  PatchFailure,
  type PatchFailureCode,
  unknownDirective,
  wrongType,
} from './strategic-merge-patch/failure.ts';

export type StrategicMergeOutcome =
  /** The result shares what the patch does not touch. It may hold nulls and directives that decoding drops or refuses. */
  | { readonly ok: true; readonly object: JsonObject }
  /** With the code and the text by which the API server answers. */
  | { readonly ok: false; readonly code: PatchFailureCode; readonly message: string };

/**
 * Applies a strategic merge patch (`application/strategic-merge-patch+json`) to an object of a built-in kind: maps merge, lists
 * merge by the keys of their schema or are replaced, null deletes; directives (`$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/…`, `$setElementOrder/…`) say the rest. Custom resources have no such patches.
 *
 * Kubernetes: apimachinery pkg/util/strategicpatch/patch.go StrategicMergeMapPatch.
 */
export function applyStrategicMergePatch(object: JsonObject, patch: JsonObject, schema: MapSchema): StrategicMergeOutcome {
  try {
    return { ok: true, object: mergeMaps(object, patch, schema) };
  } catch (error) {
    if (error instanceof PatchFailure) return { ok: false, code: error.code, message: error.message };
    throw error;
  }
}

type Growing = { [key: string]: Json };

function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = ownValue(patch, PATCH);
  if (directive !== undefined) return replaceOrDelete(directive, patch);
  const { [RETAIN_KEYS]: retainKeys, ...changes } = patch;
  const merged: Growing = retainKeys === undefined ? { ...original } : retain(original, changes, retainKeys);
  const done = orderLists(merged, changes, schema);
  for (const key of Object.keys(changes)) {
    if (done.has(key)) continue;
    const value = changes[key] as Json;
    const deletions = listToDeleteFrom(key);
    mergeField(merged, deletions ?? key, value, deletions !== undefined, schema);
  }
  return merged;
}

function replaceOrDelete(directive: Json, patch: JsonObject): JsonObject {
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw unknownDirective(directive, patch);
  const { [PATCH]: _, ...replacement } = patch;
  return replacement;
}

/** Of a union, only the member that the patch has chosen stays. */
function retain(original: JsonObject, changes: JsonObject, keys: Json): Growing {
  if (!Array.isArray(keys)) throw badRetainKeys();
  const kept = new Set<Json>(keys);
  for (const key of Object.keys(changes)) if (changes[key] !== null && !isParallelList(key) && !kept.has(key)) throw badRetainKeys();
  const merged: Growing = {};
  for (const key of Object.keys(original)) if (kept.has(key)) setOwn(merged, key, original[key] as Json);
  return merged;
}

function mergeField(merged: Growing, key: string, value: Json, isDeletions: boolean, schema: Schema): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const old = ownValue(merged, key);
  if (Array.isArray(old) && Array.isArray(value)) {
    const { items, mergeKey } = listType(schema, key);
    const isMerged = isDeletions || mergeKey !== undefined;
    setOwn(merged, key, isMerged ? mergeLists(old, value, items, mergeKey ?? '', isDeletions) : value);
  } else if (isJsonObject(old) && isJsonObject(value)) setOwn(merged, key, mergeMaps(old, value, fieldOf(schema, key)));
  else if (!isDeletions) setOrDelete(merged, key, withoutDirectives(withoutNulls(value)));
}

function setOrDelete(merged: Growing, key: string, value: Json | undefined): void {
  if (value === undefined) delete merged[key];
  else setOwn(merged, key, value);
}

/** Merges the lists that a patch puts into an order, and answers the keys of the patch that are done with. */
function orderLists(merged: Growing, changes: JsonObject, schema: Schema): ReadonlySet<string> {
  const done = new Set<string>();
  for (const key of Object.keys(changes)) {
    if (!isElementOrder(key)) continue;
    const order = changes[key] as Json;
    if (!Array.isArray(order)) throw wrongType('list', order);
    const name = listToOrder(key);
    done.add(key);
    const live = listAt(merged, name);
    const list = listAt(changes, name);
    const { items, mergeKey } = listType(schema, name);
    checkElementOrder(list ?? [], order, mergeKey ?? '');
    const both = mergeOrdered(live, list, items, mergeKey);
    if (both === undefined) continue;
    requireOneType(live ?? [], list ?? []);
    setOwn(merged, name, orderElements(both, order, live ?? [], mergeKey ?? ''));
    done.add(name);
  }
  return done;
}

function mergeOrdered(
  live: readonly Json[] | undefined,
  list: readonly Json[] | undefined,
  items: Schema,
  mergeKey: string | undefined,
): readonly Json[] | undefined {
  if (list === undefined) return live;
  if (live === undefined) return withoutDirectives(list) as readonly Json[];
  return mergeKey === undefined ? list : mergeLists(live, list, items, mergeKey, false);
}

function listAt(object: JsonObject, name: string): readonly Json[] | undefined {
  const value = ownValue(object, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrongType('list', value);
  return value as readonly Json[];
}

function mergeLists(
  original: readonly Json[],
  patch: readonly Json[],
  items: Schema,
  mergeKey: string,
  isDeletions: boolean,
): readonly Json[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (requireOneType(original, patch) !== 'map') {
    if (isDeletions) return original.filter((element) => !patch.some((deleted) => jsonEqual(deleted, element)));
    const merged = [...original];
    for (const element of patch) if (!merged.some((other) => jsonEqual(other, element))) merged.push(element);
    return orderElements(unique(merged), patch, original, '');
  }
  if (mergeKey === '') throw new PatchFailure(500, 'cannot merge lists without merge key for struct');
  const { live, wanted } = applyElementDirectives(mapsOf(original), mapsOf(patch), mergeKey);
  const merged = [...live];
  for (const element of wanted) {
    const identity = identityOf(element, mergeKey);
    const i = merged.findIndex((other) => jsonEqual(ownValue(other, mergeKey), identity));
    if (i < 0) merged.push(element);
    else merged[i] = mergeMaps(merged[i] as JsonObject, element, items);
  }
  return orderElements(merged, wanted, live, mergeKey);
}

function unique(list: readonly Json[]): readonly Json[] {
  return list.filter((element, i) => list.findIndex((other) => jsonEqual(other, element)) === i);
}

/** Deletes what `$patch: delete` names; `$patch: replace` among the elements puts the rest of the patch in the place of the list. */
function applyElementDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { readonly live: readonly JsonObject[]; readonly wanted: readonly JsonObject[] } {
  const wanted: JsonObject[] = [];
  let live = original;
  let isReplaced = false;
  for (const element of patch) {
    const directive = ownValue(element, PATCH);
    if (directive === undefined) wanted.push(element);
    else if (directive === 'delete') {
      const identity = ownValue(element, mergeKey);
      if (identity === undefined) throw noMergeKey(element, mergeKey);
      live = live.filter((other) => !jsonEqual(ownValue(other, mergeKey), identity));
    } else if (directive === 'replace') isReplaced = true;
    else if (directive === 'merge') throw new PatchFailure(500, 'merging lists cannot yet be specified in the patch');
    else throw unknownDirective(directive, element);
  }
  return isReplaced ? { live: wanted, wanted: [] } : { live, wanted };
}

/** The elements of lists that merge are all maps or all of one scalar type. */
function requireOneType(...lists: readonly (readonly Json[])[]): string {
  let type: string | undefined;
  for (const element of lists.flat(1) as readonly Json[]) {
    if (Array.isArray(element)) throw listOfLists();
    const its = isJsonObject(element) ? 'map' : typeof element;
    type ??= its;
    if (type !== its)
      throw new PatchFailure(500, `list element types are not identical: [${lists.map((list) => goValue(list)).join(' ')}]`);
  }
  if (type === undefined) throw new PatchFailure(500, 'no elements in any of the given slices');
  return type;
}

/** The type of a field in which something is merged. Kubernetes: apimachinery third_party/forked/golang/json/fields.go. */
function fieldOf(schema: Schema, key: string): Schema {
  if (schema.kind === 'map' && schema.fields.size === 0) {
    throw new PatchFailure(500, 'merging an object in json but data type is not struct, instead is: map');
  }
  const field = schema.kind === 'map' ? schema.fields.get(key)?.schema : undefined;
  if (field !== undefined) return field;
  const struct = schema.kind === 'map' ? (schema.name ?? '').slice((schema.name ?? '').lastIndexOf('.') + 1) : 'RawExtension';
  throw new PatchFailure(500, `unable to find api field in struct ${struct} for the json field ${goQuote(key)}`);
}

function listType(schema: Schema, key: string): { readonly items: Schema; readonly mergeKey: string | undefined } {
  const list = fieldOf(schema, key);
  if (list.kind !== 'list') throw new PatchFailure(500, 'expected slice or array type, but got: struct');
  return { items: list.items, mergeKey: list.strategicKey };
}
