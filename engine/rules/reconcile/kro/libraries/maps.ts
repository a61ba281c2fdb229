import type { Library } from '../../../../cel/function.ts';
import { pricedByName, traversalCost, traversalEstimate } from '../../../../cel/libraries/call-cost.ts';
import { declare, memberOverload } from '../../../../cel/libraries/declare.ts';
import { DYN, mapOf, param, STRING } from '../../../../cel/types.ts';
import { CelError, type CelValue, type PlainObject } from '../../../../cel/values.ts';
import { isJsonObject, MAX_JSON_DEPTH } from '../../../../object/json.ts';

/** A map with string keys that is no value of a library. */
function isMap(value: CelValue | undefined): value is PlainObject {
  return isJsonObject(value) && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);
}

function merge(a: CelValue, b: CelValue): CelValue {
  if (!isMap(a) || !isMap(b)) throw new CelError('no such overload');
  return Object.assign(Object.create(null), a, b) as PlainObject;
}

function deepMerge(a: CelValue, b: CelValue, depth = 0): CelValue {
  if (!isMap(a) || !isMap(b)) throw new CelError('no such overload');
  if (depth > MAX_JSON_DEPTH) throw new CelError('the maps nest too deeply');
  const merged: Record<string, CelValue> = Object.assign(Object.create(null), a);
  for (const key of Object.keys(b)) {
    const [under, over] = [Object.hasOwn(a, key) ? a[key] : undefined, b[key] as CelValue];
    merged[key] = isMap(under) && isMap(over) ? deepMerge(under, over, depth + 1) : over;
  }
  return merged;
}

const PRICE = pricedByName((args) => args.reduce<number>((sum, arg) => sum + traversalCost(arg), 1), traversalEstimate(1));
const MAP = mapOf(STRING, param('T'));

/** kro: pkg/cel/library/maps.go. */
export const KRO_MAPS_LIBRARY: Library = {
  name: 'kro.maps',
  functions: [
    declare('merge', memberOverload('map_merge', [MAP, MAP], MAP, merge, PRICE)),
    declare(
      'deepMerge',
      memberOverload('dyn_deepMerge', [DYN, DYN], DYN, (a: CelValue, b: CelValue) => deepMerge(a, b), PRICE),
    ),
  ],
};
