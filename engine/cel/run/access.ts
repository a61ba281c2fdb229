import { CelError, CelMap, type CelValue, Double, Duration, LazyStruct, Optional, Struct, Timestamp, TypeValue, Uint } from '../values.ts';
import { indexOutOfBounds, noSuchKey, noSuchOperator, noSuchOverload } from './errors.ts';
import { mapKey } from './map-key.ts';
import { codePointLength } from './text.ts';
import { isInt, isPlainObject, typeName } from './type-of.ts';

/** Stands for "not there" where every CEL value, null included, is a possible answer. */
export const ABSENT = Symbol('absent');

/**
 * The element of `container` under `key`, or {@link ABSENT}. A scalar has no elements. Throws only for a list asked with what
 * cannot be a list index. cel-go: interpreter/attributes.go refQualify.
 */
export function find(container: CelValue, key: CelValue): CelValue | typeof ABSENT {
  if (container === null || typeof container !== 'object') return ABSENT;
  if (typeof key === 'string') {
    // Parsed JSON comes first, because it is what nearly all containers are.
    const prototype = Object.getPrototypeOf(container);
    if (prototype === Object.prototype || prototype === null) {
      return Object.hasOwn(container, key) ? (container as { readonly [key: string]: CelValue })[key]! : ABSENT;
    }
  }
  if (Array.isArray(container)) {
    const index = listIndex(key);
    return index >= 0 && index < container.length ? container[index]! : ABSENT;
  }
  if (container instanceof CelMap) {
    const identity = mapKey(key);
    const entry = identity === undefined ? undefined : container.entries.get(identity);
    return entry === undefined ? ABSENT : entry[1];
  }
  if (typeof key !== 'string') return ABSENT;
  if (container instanceof LazyStruct) return container.has(key) ? container.get(key) : ABSENT;
  const fields = container instanceof Struct ? container.fields : container;
  return (container instanceof Struct || isPlainObject(container)) && Object.hasOwn(fields, key)
    ? (fields as { readonly [key: string]: CelValue })[key]!
    : ABSENT;
}

/** `container.key` and `container[key]`: the element, or cel-go's error for its absence. */
export function select(container: CelValue, key: CelValue): CelValue {
  const found = find(container, key);
  if (found !== ABSENT) return found;
  // A lazy structure has its own words for a field that it does not have.
  if (container instanceof LazyStruct && typeof key === 'string') return container.get(key);
  throw Array.isArray(container) ? indexOutOfBounds(key) : noSuchKey(key);
}

/** `has(container.key)`. */
export function has(container: CelValue, key: CelValue): boolean {
  // Its field need not be computed to be there.
  if (container instanceof LazyStruct) return typeof key === 'string' && container.has(key);
  return find(container, key) !== ABSENT;
}

/** `container[key]` with a computed key, which has to be of a type that keys can have. */
export function index(container: CelValue, key: CelValue): CelValue {
  checkKey(key);
  return select(container, key);
}

/** Throws unless the value may be a key: a string, a bool or a number. `isComputed`: by a function, and not read from JSON. */
export function checkKey(key: CelValue, isComputed = false): void {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint') return;
  if (key instanceof Uint || key instanceof Double) return;
  throw new CelError(`invalid qualifier type: ${isComputed ? goTypeName(key) : goKeyTypeName(key)}`);
}

function listIndex(key: CelValue): number {
  if (isInt(key)) return Number(key);
  if (key instanceof Uint) return Number(key.value);
  if (key instanceof Double && Number.isSafeInteger(key.value)) return key.value;
  if (key instanceof Double || typeof key === 'number') {
    throw new CelError(`unsupported index value ${key instanceof Double ? key.value : key} in list`);
  }
  throw new CelError(`unsupported index type '${typeName(key)}' in list`);
}

/** `size(x)`: code points, bytes, elements or entries. */
export function size(value: CelValue): number {
  if (typeof value === 'string') return codePointLength(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof CelMap) return value.entries.size;
  if (isPlainObject(value)) return Object.keys(value).length;
  throw noSuchOperator('size', value);
}

/** What a one-variable comprehension walks: the elements of a list or the keys of a map. */
export function iterationOf(range: CelValue): readonly CelValue[] {
  if (Array.isArray(range)) return range;
  if (range instanceof CelMap) return [...range.entries.values()].map(([key]) => key);
  if (isPlainObject(range)) return Object.keys(range);
  throw new CelError(`got '${goTypeName(range)}', expected iterable type`);
}

/** What a two-variable comprehension walks: index and element of a list, or key and value of a map. */
export function entriesOf(range: CelValue): readonly (readonly [CelValue, CelValue])[] {
  if (Array.isArray(range)) return range.map((item: CelValue, i) => [i, item] as const);
  if (range instanceof CelMap) return [...range.entries.values()];
  if (isPlainObject(range)) return Object.entries(range);
  throw new CelError(`unsupported comprehension range type: ${goTypeName(range)}`);
}

/** The Optional that a receiver has to be. */
export function asOptional(value: CelValue): Optional {
  if (!(value instanceof Optional)) throw noSuchOverload();
  return value;
}

/** The name of cel-go's class for a value: it shows in a few of its messages. */
export function goTypeName(value: CelValue): string {
  if (value === null) return 'types.Null';
  if (Array.isArray(value)) return '*types.baseList';
  if (value instanceof CelMap || isPlainObject(value)) return '*types.baseMap';
  if (value instanceof Timestamp) return 'types.Timestamp';
  if (value instanceof Duration) return 'types.Duration';
  if (value instanceof Optional) return '*types.Optional';
  if (value instanceof TypeValue) return '*types.Type';
  if (value instanceof Uint8Array) return 'types.Bytes';
  const name = typeName(value);
  return /^(bool|int|uint|double|string)$/.test(name) ? `types.${name[0]!.toUpperCase()}${name.slice(1)}` : name;
}

/** The same for a value that comes from JSON, which cel-go keeps in Go's own types until it is used. */
function goKeyTypeName(key: CelValue): string {
  if (key === null) return '<nil>';
  if (Array.isArray(key)) return '[]interface {}';
  return isPlainObject(key) ? 'map[string]interface {}' : goTypeName(key);
}
