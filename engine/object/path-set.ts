import { formatPath, type PathSegment } from '../text/document.ts';
import { isJsonObject, type Json, jsonEqual, ownValue, setOwn } from './json.ts';
import type { PatchOperation } from './json-patch.ts';
import { formatPointer } from './json-pointer.ts';
import type { JsonPath, PathStep } from './path.ts';

export interface SetOptions {
  /** Leave alone what has a value already; null counts as none. */
  readonly unlessSet?: boolean;
}

export type SetOutcome =
  | {
      readonly ok: true;
      /** The object itself when nothing changes. */
      readonly object: Json;
      readonly patch: readonly PatchOperation[];
    }
  | { readonly ok: false; readonly message: string };

/**
 * Sets every place a path leads to. `value` gives the new value of one place from its present one, and undefined to leave it.
 */
export type PathSetter = (object: Json, value: (current: Json | undefined) => Json | undefined) => SetOutcome;

/**
 * A setter for a path. Missing maps on the way are made; a wildcard over something missing or empty leads nowhere, which is
 * no error; an index that is not there, or something on the way that is neither map nor list, is one.
 */
export function compileSetter(path: JsonPath, options: SetOptions = {}): PathSetter {
  const { steps } = path;
  const unlessSet = options.unlessSet ?? false;
  return (object, value) => {
    const write: Write = { steps, unlessSet, value, patch: [], place: [] };
    try {
      const changed = set(object, 0, write);
      return { ok: true, object: changed, patch: write.patch };
    } catch (error) {
      if (error instanceof SetFailure) return { ok: false, message: error.message };
      throw error;
    }
  };
}

interface Write {
  readonly steps: readonly PathStep[];
  readonly unlessSet: boolean;
  readonly value: (current: Json | undefined) => Json | undefined;
  readonly patch: PatchOperation[];
  /** Where the walk is. */
  readonly place: PathSegment[];
}

class SetFailure {
  constructor(readonly message: string) {}
}

function set(node: Json, i: number, write: Write): Json {
  const step = write.steps[i];
  if (step === undefined) return replace(node, write);
  if (Array.isArray(node)) return setInList(node, step, i, write);
  if (!isJsonObject(node)) throw new SetFailure(`${formatPath(write.place)} is ${shapeOf(node)}, expected ${EXPECTED[step.kind]}`);
  if (step.kind === 'index') throw new SetFailure(`${formatPath(write.place)} is a map, expected a list`);
  let copy: { [key: string]: Json } | undefined;
  for (const key of step.kind === 'key' ? [step.key] : Object.keys(node)) {
    const child = ownValue(node, key);
    write.place.push(key);
    const changed =
      child === undefined || (child === null && i + 1 < write.steps.length) ? create(child, i + 1, write) : set(child, i + 1, write);
    write.place.pop();
    if (changed === child || changed === undefined) continue;
    copy ??= { ...node };
    setOwn(copy, key, changed);
  }
  return copy ?? node;
}

const EXPECTED = { key: 'a map', index: 'a list', wildcard: 'a list or a map' } as const;

function setInList(node: readonly Json[], step: PathStep, i: number, write: Write): Json {
  if (step.kind === 'key') throw new SetFailure(`${formatPath(write.place)} is a list, expected a map`);
  let indices: Iterable<number> = node.keys();
  if (step.kind === 'index') {
    const index = step.index < 0 ? step.index + node.length : step.index;
    if (index < 0 || index >= node.length)
      throw new SetFailure(`${formatPath(write.place)} has ${node.length} elements, no index ${step.index}`);
    indices = [index];
  }
  let copy: Json[] | undefined;
  for (const index of indices) {
    write.place.push(index);
    const changed = set(node[index] as Json, i + 1, write);
    write.place.pop();
    if (changed === node[index]) continue;
    copy ??= node.slice();
    copy[index] = changed;
  }
  return copy ?? node;
}

/** A place that exists. */
function replace(current: Json, write: Write): Json {
  if (write.unlessSet && current !== null) return current;
  const value = write.value(current);
  if (value === undefined || jsonEqual(current, value)) return current;
  write.patch.push({ op: 'replace', path: formatPointer(write.place), value });
  return value;
}

/** A place that does not exist (or is null on the way): the value inside the maps that lead to it, as one operation. */
function create(child: Json | undefined, i: number, write: Write): Json | undefined {
  const rest = write.steps.slice(i);
  if (rest.some((step) => step.kind === 'wildcard')) return child;
  const index = rest.find((step) => step.kind === 'index');
  if (index) throw new SetFailure(`${formatPath(write.place)} is missing, so it has no index ${index.index}`);
  let value = write.value(undefined);
  if (value === undefined) return child;
  for (let j = rest.length - 1; j >= 0; j--) {
    const parent: { [key: string]: Json } = {};
    setOwn(parent, (rest[j] as Extract<PathStep, { kind: 'key' }>).key, value);
    value = parent;
  }
  write.patch.push({ op: child === undefined ? 'add' : 'replace', path: formatPointer(write.place), value });
  return value;
}

function shapeOf(value: Json): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a bool';
  return 'a number';
}
