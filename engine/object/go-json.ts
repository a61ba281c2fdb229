import { isJsonObject, type Json, setOwn } from './json.ts';

const UNSAFE_IN_HTML = /[<>&\u2028\u2029]/;

/** JSON as Go writes it: compact, or indented by so many spaces, and safe inside HTML. Keys stay in their order. Go: encoding/json. */
export function goJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item), indent);
  if (!UNSAFE_IN_HTML.test(text)) return text;
  return text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON as Go writes what it holds in maps: keys sorted at every level. */
export function goMapJson(value: Json): string {
  return goJson(sorted(value));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const copy: { [key: string]: Json } = {};
  for (const key of Object.keys(value).sort()) setOwn(copy, key, sorted(value[key] as Json));
  return copy;
}
