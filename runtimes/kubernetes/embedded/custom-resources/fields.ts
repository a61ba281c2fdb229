import type { JsonObject } from '../../../../engine/object/json.ts';
import { fieldOf } from '../verbs/object-fields.ts';

/** The text at a path of fields, `` where there is none. */
export function textOf(object: JsonObject, ...path: readonly string[]): string {
  const value = fieldOf(object, ...path);
  return typeof value === 'string' ? value : '';
}
