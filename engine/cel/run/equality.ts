import { CelMap, type CelValue, Double, Duration, LazyStruct, Opaque, Optional, Struct, Timestamp, TypeValue, Uint } from '../values.ts';
import { noSuchOverload } from './errors.ts';
import { mapKey } from './map-key.ts';
import { comparableNumbers } from './order.ts';
import { isPlainObject } from './type-of.ts';

/** Whether two values are equal for certain; what membership and searching ask. See {@link equality}. */
export const equals = (a: CelValue, b: CelValue): boolean => equality(a, b) === true;

/** `a == b`. Throws `no such overload` where cel-go has no answer. */
export function equalsOperator(a: CelValue, b: CelValue): boolean {
  const answer = equality(a, b);
  if (answer === undefined) throw noSuchOverload();
  return answer;
}

/**
 * CEL equality: false across types other than numbers; int, uint and double compare by value; NaN equals nothing. Undefined
 * where cel-go has no answer, which only values of libraries can bring about: `a == b` is then the error `no such overload`,
 * while inside lists and maps only an answer of false makes a difference.
 * cel-go: common/types/util.go Equal and the Equal method of each type.
 */
export function equality(a: CelValue, b: CelValue): boolean | undefined {
  compared = 0;
  equalPairs = undefined;
  return compare(a, b);
}

/** Comparisons of this many elements are done the plain way; beyond it pairs of containers that were found equal are remembered. */
const UNREMEMBERED = 10_000;

/** Elements compared in the comparison going on, and the pairs it found equal. */
let compared = 0;
let equalPairs: Map<object, Set<object>> | undefined;

/**
 * Whether two containers are already known to be equal. Forty variables of the form `[variables.v, variables.v]` make a value
 * with 2^40 leaves of forty lists: comparing each pair once keeps the work to what is really there.
 */
function isKnownEqual(a: object, b: object, size: number): boolean {
  compared += size + 1;
  return equalPairs !== undefined && equalPairs.get(a)?.has(b) === true;
}

function rememberEqual(a: object, b: object): void {
  if (compared < UNREMEMBERED) return;
  equalPairs ??= new Map();
  const partners = equalPairs.get(a);
  if (partners === undefined) equalPairs.set(a, new Set([b]));
  else partners.add(b);
}

function compare(a: CelValue, b: CelValue): boolean | undefined {
  if (a instanceof Opaque) return b === null ? false : a.equals(b);
  if (a === b) return typeof a !== 'object' || a === null || sameObject(a);
  if (a === null || b === null) return false;
  switch (typeof a) {
    case 'string':
    case 'boolean':
      return false;
    case 'number':
    case 'bigint':
      return numericEquals(a, b);
  }
  if (typeof b !== 'object') return (a instanceof Double || a instanceof Uint) && numericEquals(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && listEquals(a, b);
  if (a instanceof Double || a instanceof Uint) return numericEquals(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) return b instanceof Optional && a.present === b.present && (!a.present || compare(a.value, b.value));
  if (a instanceof Struct) return b instanceof Struct && a.typeName === b.typeName && mapEquals(a.fields, b.fields);
  if (a instanceof LazyStruct) return false;
  if (a instanceof CelMap || isPlainObject(a)) return (b instanceof CelMap || isPlainObject(b)) && mapEquals(a, b);
  return false;
}

/** A list or map that holds NaN is not equal to itself; everything else that is identical is equal. */
function sameObject(value: object): boolean {
  if (Array.isArray(value)) return listEquals(value, value);
  if (value instanceof Double) return !Number.isNaN(value.value);
  if (value instanceof CelMap || isPlainObject(value as CelValue)) return mapEquals(value as CelMap, value as CelMap);
  return true;
}

function numericEquals(a: number | bigint | Double | Uint, b: CelValue): boolean {
  const left = a instanceof Double || a instanceof Uint ? a.value : a;
  const right = b instanceof Double || b instanceof Uint ? b.value : b;
  if (typeof right !== 'number' && typeof right !== 'bigint') return false;
  const [x, y] = comparableNumbers(left, right);
  return x === y;
}

function listEquals(a: readonly CelValue[], b: readonly CelValue[]): boolean {
  if (a.length !== b.length) return false;
  if (isKnownEqual(a, b, a.length)) return true;
  for (let i = 0; i < a.length; i++) if (compare(a[i]!, b[i]!) === false) return false;
  rememberEqual(a, b);
  return true;
}

type Fields = CelMap | { readonly [key: string]: CelValue };

function mapEquals(a: Fields, b: Fields): boolean {
  if (isKnownEqual(a, b, 1)) return true;
  const equal = fieldsEqual(a, b);
  if (equal) rememberEqual(a, b);
  return equal;
}

function fieldsEqual(a: Fields, b: Fields): boolean {
  if (a instanceof CelMap) {
    if (!(b instanceof CelMap)) return a.entries.size === 0 && Object.keys(b).length === 0;
    if (a.entries.size !== b.entries.size) return false;
    for (const [key, [, value]] of a.entries) {
      const other = b.entries.get(key);
      if (other === undefined || compare(value, other[1]) === false) return false;
    }
    return true;
  }
  if (b instanceof CelMap) return b.entries.size === 0 && Object.keys(a).length === 0;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!Object.hasOwn(b, key) || compare(a[key]!, b[key]!) === false) return false;
  return true;
}

/** `value in container` for a list (by equality) or a map (by key). Undefined when the container is neither. */
export function containedIn(value: CelValue, container: CelValue): boolean | undefined {
  if (Array.isArray(container)) {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return container.includes(value);
    for (const item of container) if (equals(value, item)) return true;
    return false;
  }
  if (container instanceof CelMap) {
    const key = mapKey(value);
    return key !== undefined && container.entries.has(key);
  }
  if (isPlainObject(container)) return typeof value === 'string' && Object.hasOwn(container, value);
  return undefined;
}
