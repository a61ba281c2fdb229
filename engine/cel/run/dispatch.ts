import type { Overload } from '../function.ts';
import type { CelType } from '../types.ts';
import { type CelError, CelMap, type CelValue, Duration, Optional, Timestamp, TypeValue, Uint } from '../values.ts';
import { noSuchSignature } from './errors.ts';
import { isDouble, isInt, isPlainObject, typeName } from './type-of.ts';

/**
 * Whether a value may be passed for a declared type at run time. Containers are judged by their first element, as cel-go does:
 * looking at all of them would cost what the call itself costs. cel-go: common/types/types.go IsAssignableRuntimeType.
 */
export function accepts(type: CelType, value: CelValue): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return isInt(value);
    case 'double':
      return isDouble(value);
    case 'uint':
      return value instanceof Uint;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'null':
      return value === null;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    case 'type':
      return value instanceof TypeValue;
    case 'optional':
      return value instanceof Optional;
    case 'list':
      return Array.isArray(value) && (value.length === 0 || accepts(type.element, value[0]!));
    case 'map':
      return acceptsMap(type, value);
    case 'error':
      return false;
    default:
      return typeName(value) === type.name;
  }
}

function acceptsMap(type: CelType & { kind: 'map' }, value: CelValue): boolean {
  if (value instanceof CelMap) {
    const first = value.entries.values().next().value;
    return first === undefined || (accepts(type.key, first[0]) && accepts(type.value, first[1]));
  }
  if (!isPlainObject(value)) return false;
  for (const key of Object.keys(value)) return accepts(type.key, key) && accepts(type.value, value[key]!);
  return true;
}

const acceptsAll = (overload: Overload, args: readonly CelValue[]): boolean =>
  overload.args.length === args.length && (overload.unguarded || overload.args.every((type, i) => accepts(type, args[i]!)));

/** The first overload that takes these arguments. Throws cel-go's `no such overload: fn(types)`. */
export function resolveOverload(fn: string, overloads: readonly Overload[], args: readonly CelValue[]): Overload {
  for (const overload of overloads) if (acceptsAll(overload, args)) return overload;
  throw noSuchSignature(fn, args) satisfies CelError;
}

/**
 * Functions whose implementation judges its operands itself, in cel-go's words, and which are therefore called without looking
 * at the types first.
 */
export const SELF_CHECKING: ReadonlySet<string> = new Set([
  ...['!_', '-_', '_+_', '_-_', '_*_', '_/_', '_%_', '_<_', '_<=_', '_>_', '_>=_', '_==_', '_!=_', '@in', '@not_strictly_false'],
  ...['size', 'matches', 'contains', 'startsWith', 'endsWith'],
]);

/** Functions that convert types: with a constant argument they are computed when the program is made, at no cost. */
export const CONVERSIONS: ReadonlySet<string> = new Set([
  ...['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint'],
]);
