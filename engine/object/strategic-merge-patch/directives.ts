import { isJsonObject, type Json, type JsonObject, setOwn } from '../json.ts';
import { badElementOrder, badPrimitiveList } from './failure.ts';

/** What a patch may say besides values. Kubernetes: apimachinery pkg/util/strategicpatch/patch.go. */
export const PATCH = '$patch';
export const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM_LIST = '$deleteFromPrimitiveList';
const ELEMENT_ORDER = '$setElementOrder';

/** `$deleteFromPrimitiveList/finalizers` → `finalizers`; undefined for other keys. */
export function listToDeleteFrom(key: string): string | undefined {
  if (!key.startsWith(DELETE_FROM_LIST)) return undefined;
  if (!key.startsWith(`${DELETE_FROM_LIST}/`)) throw badPrimitiveList();
  return key.slice(DELETE_FROM_LIST.length + 1);
}

export function isElementOrder(key: string): boolean {
  return key.startsWith(ELEMENT_ORDER);
}

/** `$setElementOrder/containers` → `containers`. */
export function listToOrder(key: string): string {
  if (!key.startsWith(`${ELEMENT_ORDER}/`)) throw badElementOrder();
  return key.slice(ELEMENT_ORDER.length + 1);
}

export function isParallelList(key: string): boolean {
  return key.startsWith(DELETE_FROM_LIST) || isElementOrder(key);
}

export function hasPatchDirective(value: Json): boolean {
  return isJsonObject(value) && Object.hasOwn(value, PATCH);
}

/** What stands of a value that has nothing to be merged into: no maps that carry `$patch`; undefined where it is one itself. */
export function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item): item is Json => item !== undefined);
  if (!isJsonObject(value)) return value;
  if (hasPatchDirective(value)) return undefined;
  const kept: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const item = withoutDirectives(value[key] as Json);
    if (item !== undefined) setOwn(kept, key, item);
  }
  return kept;
}

/** The value without nulls in its maps, at any depth: where there is nothing, there is nothing to delete. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const kept: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const item = value[key] as Json;
    if (item !== null) setOwn(kept, key, withoutNulls(item));
  }
  return kept;
}

/** Of a list in a patch: the elements that stay, not those that are named to be deleted. */
export function keptElements(list: readonly JsonObject[]): JsonObject[] {
  return list.filter((element) => element[PATCH] !== 'delete');
}
