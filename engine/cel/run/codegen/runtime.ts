import type { Overload } from '../../function.ts';
import { CelError, type CelValue, LazyStruct, NONE, Optional, type PlainObject, some } from '../../values.ts';
import { ABSENT, checkKey, entriesOf, find, has, iterationOf, select, size } from '../access.ts';
import { actualSize, equalityCost, inequalityCost } from '../actual-size.ts';
import { add, divide, modulo, multiply, negate, not, subtract } from '../arithmetic.ts';
import { invoke } from '../closure/call.ts';
import { construct, notOptionalElement, notOptionalEntry } from '../construct.ts';
import { containedIn, equals } from '../equality.ts';
import { noSuchOverload } from '../errors.ts';
import { insertIntoMap, MapBuilder } from '../insert.ts';
import { mapKey, mapOfEntries } from '../map-key.ts';
import { greater, greaterOrEqual, less, lessOrEqual } from '../order.ts';
import { codePointLength } from '../text.ts';

/** Leaves the fast back end; the tracing one then gives the answer, the error and the cost. Never absorbed by an operator. */
export const LEAVE = new CelError('left to the tracing back end', 'budget');

/** The error that an operator may absorb. Passes everything else on: the budget, a fact to be fetched, a bug. */
function held(error: unknown): CelError {
  if (error instanceof CelError && error.code === 'evaluation') return error;
  throw error;
}

function fail(): never {
  throw noSuchOverload();
}

/** A field of what may be anything. */
function field(object: CelValue, name: string): CelValue {
  if (object instanceof LazyStruct) return object.get(name);
  if (object instanceof Optional) throw LEAVE;
  return select(object, name);
}

/** `object[key]` where the key is computed. */
function at(object: CelValue, key: CelValue): CelValue {
  if (typeof key === 'number' && Array.isArray(object)) {
    const item = object[key];
    if (item !== undefined) return item;
  }
  if (object instanceof Optional) throw LEAVE;
  checkKey(key);
  return select(object, key);
}

/** Presence of a field in what may be anything. */
function present(object: CelValue, name: string): boolean {
  if (object instanceof Optional) throw LEAVE;
  return has(object, name);
}

/** Called where a field is not there. Asking a list for a field is an error, for which the tracing back end has the words. */
function absentFrom(object: CelValue): false {
  if (Array.isArray(object)) throw LEAVE;
  return false;
}

/** `object.?key`: undefined stands for none. */
function maybe(object: CelValue, key: CelValue): CelValue | undefined {
  checkKey(key);
  if (object instanceof LazyStruct) return typeof key === 'string' && object.has(key) ? object.get(key) : undefined;
  const found = find(object, key);
  return found === ABSENT ? undefined : found;
}

/** What an optional holds, or undefined; any other value is itself. */
const inside = (value: CelValue): CelValue | undefined => (value instanceof Optional ? (value.present ? value.value : undefined) : value);

/** What the receiver of `orValue` holds, or undefined. */
function unwrap(value: CelValue): CelValue | undefined {
  if (!(value instanceof Optional)) throw noSuchOverload();
  return value.present ? value.value : undefined;
}

const optional = (value: CelValue | undefined): Optional => (value === undefined ? NONE : some(value));

function isIn(value: CelValue, container: CelValue): boolean {
  return containedIn(value, container) ?? fail();
}

/** Elements of a list literal; `optionals` names the places of `?element`. */
function list(elements: readonly CelValue[], optionals: readonly number[]): readonly CelValue[] {
  return elements.flatMap((element, i) => {
    if (!optionals.includes(i)) return [element];
    if (!(element instanceof Optional)) throw notOptionalElement('');
    return element.present ? [element.value] : [];
  });
}

/** A map literal from keys and values in turn; `optionals` names the entries that are `?key: value`. */
function map(parts: readonly CelValue[], optionals: readonly number[]): CelValue {
  const entries = new Map<string, readonly [CelValue, CelValue]>();
  for (let i = 0; i < parts.length; i += 2) {
    const key = parts[i]!;
    const value = parts[i + 1]!;
    const identity = mapKey(key) ?? `?${entries.size}`;
    if (!optionals.includes(i / 2)) entries.set(identity, [key, value]);
    else if (!(value instanceof Optional)) throw notOptionalEntry('', '');
    else if (value.present) entries.set(identity, [key, value.value]);
    else entries.delete(identity);
  }
  return mapOfEntries(entries.values());
}

/** A message from its field names, values, and the places of `?field`. */
function struct(typeName: string, names: readonly string[], values: readonly CelValue[], optionals: readonly number[]): CelValue {
  const fields: Record<string, CelValue> = Object.create(null);
  values.forEach((value, i) => {
    const name = names[i]!;
    if (!optionals.includes(i)) fields[name] = value;
    else if (!(value instanceof Optional)) throw notOptionalEntry('', '');
    else if (value.present) fields[name] = value.value;
    else delete fields[name];
  });
  return construct(typeName, fields as PlainObject);
}

/** An upper bound of the size of a value in the cost model: UTF-16 units, which need no counting, for characters. */
const sizeBound = (value: CelValue): number => (typeof value === 'string' ? value.length : actualSize(value));

/** An upper bound of what a function charges; what it can't say about such operands leaves the fast back end. */
function priceOf(cost: NonNullable<Overload['cost']>, args: readonly CelValue[], result: CelValue): number {
  try {
    return cost(args, result);
  } catch {
    throw LEAVE;
  }
}

/** Everything that generated code may call, by the name it has there. */
export const RUNTIME = {
  held,
  fail,
  field,
  at,
  present,
  absentFrom,
  maybe,
  inside,
  unwrap,
  optional,
  isIn,
  list,
  map,
  struct,
  sizeBound,
  priceOf,
  leave: LEAVE,
  select,
  size,
  codePoints: codePointLength,
  iteration: iterationOf,
  entries: entriesOf,
  equals,
  equalityCost,
  inequalityCost,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  negate,
  not,
  less,
  lessOrEqual,
  greater,
  greaterOrEqual,
  invoke,
  insertIntoMap,
  builder: (): MapBuilder => new MapBuilder(),
} as const;

export type RuntimeName = keyof typeof RUNTIME;
