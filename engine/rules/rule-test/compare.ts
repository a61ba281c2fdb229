import { isJsonObject, type Json, jsonEqual, ownValue } from '../../object/json.ts';
import { type DocumentPath, formatPath } from '../../text/document.ts';

/**
 * Adds to the problems what is expected and not there. Of maps only what is expected is compared, lists are compared as a whole. `what` names
 * the value in the messages.
 */
export function missing(what: string, expected: Json, found: Json | null | undefined, path: DocumentPath, problems: string[]): void {
  if (isJsonObject(expected)) {
    for (const [key, value] of Object.entries(expected)) {
      missing(what, value, isJsonObject(found) ? ownValue(found, key) : undefined, [...path, key], problems);
    }
  } else if (!jsonEqual(expected, found ?? null)) {
    problems.push(`${what} ${formatPath(path)}: expected ${show(expected)}, found ${show(found)}`);
  }
}

/** A value as messages show it. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
