import type { JsonObject } from '../../../../engine/object/json.ts';
import { stringifyJson } from '../../../host/json-body.ts';

/** Texts of objects that many lists and watches show. Objects are never changed in place, so a text stays good. */
const texts = new WeakMap<JsonObject, string>();

/** The JSON of a stored object; kept as long as the object is. */
export function objectText(object: JsonObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = stringifyJson(object);
    texts.set(object, text);
  }
  return text;
}

/** The JSON of a list, put together from the texts of its items. */
export function listText(head: JsonObject, items: readonly JsonObject[], itemText: (item: JsonObject) => string = objectText): string {
  const start = stringifyJson(head);
  const parts: string[] = [];
  for (const item of items) parts.push(itemText(item));
  return `${start.slice(0, -1)},"items":[${parts.join(',')}]}`;
}
