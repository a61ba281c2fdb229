import type { JsonObject } from '../../../../engine/object/json.ts';
import { stringifyJson } from '../../../host/json-body.ts';

/** Texts of objects that many lists and watches show. Objects are never changed in place, so a text stays good. */
const texts = new WeakMap<JsonObject, string>();

/** The JSON of an object without `kind` and `apiVersion`: a list of built-in objects names them once. Kept as long as the object is. */
export function contentText(object: JsonObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    const { kind: _, apiVersion: __, ...content } = object;
    text = stringifyJson(content);
    texts.set(object, text);
  }
  return text;
}

/** The JSON of a stored object. */
export function objectText(object: JsonObject): string {
  const content = contentText(object);
  const head = `{"kind":${JSON.stringify(object['kind'])},"apiVersion":${JSON.stringify(object['apiVersion'])}`;
  return content === '{}' ? `${head}}` : `${head},${content.slice(1)}`;
}

/** The JSON of a list, put together from the texts of its items. */
export function listText(head: JsonObject, items: readonly JsonObject[], itemText: (item: JsonObject) => string): string {
  const start = stringifyJson(head);
  const parts: string[] = [];
  for (const item of items) parts.push(itemText(item));
  return `${start.slice(0, -1)},"items":[${parts.join(',')}]}`;
}
