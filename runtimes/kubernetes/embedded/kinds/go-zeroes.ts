import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../../../engine/object/json.ts';
import { type GoField, goFields } from './go-types.ts';

/** Structures whose JSON is a scalar, and what it is when they are zero. */
const SCALARS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['meta.v1.Time', null],
  ['meta.v1.MicroTime', null],
  ['api.resource.Quantity', '0'],
  ['util.intstr.IntOrString', 0],
  ['pkg.runtime.RawExtension', null],
  ['apiextensions.v1.JSON', null],
]);

/**
 * The object as Go writes it: with everything that is there even where it is empty (`resources: {}`, `status: {}`, `rules: null`), and
 * without what is left out where it is zero (`paused: false`). Clients see this, and ownership of fields counts with it. The object itself
 * where nothing changes.
 */
export function withGoZeroes(value: Json, type: string): Json {
  if (!isJsonObject(value) || SCALARS.has(type)) return value;
  const fields = goFields(type);
  return fields === undefined ? value : filled(value, fields);
}

function filled(object: JsonObject, fields: readonly GoField[]): JsonObject {
  let result = object;
  let copy: { [key: string]: Json } | undefined;
  for (const [, name, type, flags = ''] of fields) {
    const structure = type.startsWith('#') ? type.slice(1) : undefined;
    if (name === '') {
      const inner = structure === undefined ? undefined : goFields(structure);
      if (inner === undefined) continue;
      const merged = filled(copy ?? result, inner);
      if (merged !== (copy ?? result)) {
        copy = { ...merged };
        result = copy;
      }
      continue;
    }
    const value = ownValue(copy ?? result, name);
    if (flags === 'z' && (value === '' || value === 0 || value === false)) {
      copy ??= { ...result };
      delete copy[name];
      continue;
    }
    let next: Json | undefined = value;
    if (value === undefined || value === null) {
      if (!flags.includes('a')) continue;
      next = flags.includes('r') || flags.includes('m') ? null : structure === undefined ? zeroScalar(type) : zeroOf(structure);
    } else if (structure !== undefined) next = flags.includes('m') ? eachValue(value, structure) : eachItem(value, structure);
    if (next === value || next === undefined) continue;
    copy ??= { ...result };
    setOwn(copy, name, next);
  }
  return copy ?? result;
}

function eachItem(value: Json, type: string): Json {
  if (!Array.isArray(value)) return withGoZeroes(value, type);
  let copy: Json[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const item = withGoZeroes(value[i] as Json, type);
    if (item === value[i]) continue;
    copy ??= value.slice();
    copy[i] = item;
  }
  return copy ?? value;
}

function eachValue(value: Json, type: string): Json {
  if (!isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const [key, item] of Object.entries(value)) {
    const next = withGoZeroes(item, type);
    if (next === item) continue;
    copy ??= { ...value };
    setOwn(copy, key, next);
  }
  return copy ?? value;
}

function zeroScalar(type: string): Json {
  return type === 'string' || type === 'bytes' ? '' : type === 'bool' ? false : 0;
}

/** An empty structure as Go writes it. */
export function zeroOf(type: string): Json {
  const scalar = SCALARS.get(type);
  return scalar === undefined ? withGoZeroes({}, type) : scalar;
}
