import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../engine/object/json.ts';
import { parseYaml } from '../../engine/text/yaml.ts';

/** One thing to do in a test of Kyverno's Chainsaw; what its tests here don't use is not known. */
export type Operation =
  | { readonly kind: 'apply' | 'assert' | 'error'; readonly file: string; readonly objects: readonly JsonObject[] }
  | { readonly kind: 'delete' | 'ready'; readonly apiVersion: string; readonly objectKind: string; readonly name: string };

export interface Step {
  readonly name: string;
  readonly operations: readonly Operation[];
}

/** The steps of a folder's `chainsaw-test.yaml`. Sleeps and logs are left out: every assertion waits by itself. */
export function readSteps(folder: string): readonly Step[] {
  const [test] = readObjects(join(folder, 'chainsaw-test.yaml'));
  return listAt(objectAt(test!, 'spec'), 'steps').map((step) => ({
    name: String(step['name']),
    operations: [...listAt(step, 'try'), ...listAt(step, 'finally')].flatMap((each) => readOperation(folder, each) ?? []),
  }));
}

function readOperation(folder: string, { description: _, ...entry }: JsonObject): Operation | undefined {
  const [kind] = Object.keys(entry);
  switch (kind) {
    case 'apply':
    case 'assert':
    case 'error': {
      const file = String(objectAt(entry, kind)['file']);
      return { kind, file, objects: readObjects(join(folder, file)) };
    }
    case 'delete':
      return { kind, ...target(objectAt(objectAt(entry, 'delete'), 'ref')) };
    case 'wait': {
      const wait = objectAt(entry, 'wait');
      const { jsonPath } = objectAt(wait, 'for');
      const isReady: Json = { path: "{.status.conditions[?(@.type=='Ready')].status}", value: 'True' };
      if (!jsonEqual(jsonPath ?? null, isReady)) throw new Error(`${folder}: a wait for something else than Ready`);
      return { kind: 'ready', ...target(wait) };
    }
    case 'sleep':
    case 'podLogs':
      return undefined;
    default:
      throw new Error(`${folder}: the operation ${kind} is not known`);
  }
}

const target = ({ apiVersion, kind, name }: JsonObject) => ({
  apiVersion: String(apiVersion),
  objectKind: String(kind),
  name: String(name),
});

/** The objects of a YAML file. */
export function readObjects(file: string): readonly JsonObject[] {
  return parseYaml({ name: file, text: readFileSync(file, 'utf8') }).documents.map(({ value }) => value as JsonObject);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = ownValue(object, key);
  return isJsonObject(value ?? null) ? (value as JsonObject) : {};
}

function listAt(object: JsonObject, key: string): readonly JsonObject[] {
  const value = ownValue(object, key);
  return Array.isArray(value) ? (value as readonly JsonObject[]) : [];
}

/**
 * Why an object is not what a test expects; undefined where it is. Maps are parts, lists are whole, and a key in parentheses is a
 * filter: `(conditions[?type == 'Ready'])`.
 */
export function difference(expected: Json, found: Json | undefined, path = '$'): string | undefined {
  if (isJsonObject(expected)) {
    if (!isJsonObject(found ?? null)) return `${path}: expected an object, found ${text(found)}`;
    for (const [key, value] of Object.entries(expected)) {
      const different = difference(value, select(found as JsonObject, key), `${path}.${key}`);
      if (different !== undefined) return different;
    }
    return undefined;
  }
  if (Array.isArray(expected)) {
    const list = expected as readonly Json[];
    const items = Array.isArray(found) ? (found as readonly Json[]) : [];
    if (items.length !== list.length) return `${path}: expected ${list.length} items, found ${text(found)}`;
    for (const [index, item] of list.entries()) {
      const different = difference(item, items[index], `${path}[${index}]`);
      if (different !== undefined) return different;
    }
    return undefined;
  }
  return jsonEqual(expected, found ?? null) ? undefined : `${path}: expected ${text(expected)}, found ${text(found)}`;
}

function select(object: JsonObject, key: string): Json | undefined {
  const [, field, by, value] = /^\((\w+)\[\?(\w+) == '([^']*)'\]\)$/.exec(key) ?? [];
  if (field === undefined) return ownValue(object, key);
  return listAt(object, field).filter((each) => ownValue(each, by!) === value);
}

const text = (value: Json | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value));

const MARK = /^kro\.run\//;

/** Without the finalizers and labels by which kro finds its own objects again: others have their own. */
export function withoutMarks(expected: JsonObject): JsonObject {
  const { finalizers, labels, ...metadata } = objectAt(expected, 'metadata');
  const kept = Array.isArray(finalizers) ? (finalizers as readonly Json[]).filter((each) => !MARK.test(String(each))) : [];
  const others = Object.entries(isJsonObject(labels ?? null) ? (labels as JsonObject) : {}).filter(([key]) => !MARK.test(key));
  return {
    ...expected,
    metadata: {
      ...metadata,
      ...(kept.length === 0 ? {} : { finalizers: kept }),
      ...(others.length === 0 ? {} : { labels: Object.fromEntries(others) }),
    },
  };
}
