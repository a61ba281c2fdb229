/** Duplicates that are told of one body. */
const MAX_TOLD = 100;

/**
 * Paths of keys that a JSON text has more than once, as `spec.containers[0].image`. The text must be valid JSON: this reads only
 * as much of it as is needed to tell keys from values.
 */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  /** One entry per open object or list. */
  const open: { readonly keys: Set<string> | undefined; path: string; index: number; key: string }[] = [];
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      const top = open.at(-1);
      if (expectKey && top?.keys !== undefined) {
        const key = readKey(text, at, end);
        top.key = key;
        if (top.keys.has(key) && found.length < MAX_TOLD) found.push(top.path === '' ? key : `${top.path}.${key}`);
        top.keys.add(key);
        expectKey = false;
      }
      at = end;
    } else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      const isObject = char === OPEN_OBJECT;
      open.push({ keys: isObject ? new Set() : undefined, path: pathOf(open.at(-1)), index: 0, key: '' });
      expectKey = isObject;
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) {
      open.pop();
      expectKey = false;
    } else if (char === COMMA) {
      const top = open.at(-1);
      if (top === undefined) continue;
      if (top.keys === undefined) top.index++;
      else expectKey = true;
    }
  }
  return found;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** Index of the closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}

function readKey(text: string, start: number, end: number): string {
  const raw = text.slice(start, end + 1);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

function pathOf(
  parent: { readonly keys: Set<string> | undefined; readonly path: string; readonly index: number; readonly key: string } | undefined,
): string {
  if (parent === undefined) return '';
  if (parent.keys === undefined) return `${parent.path}[${parent.index}]`;
  return parent.path === '' ? parent.key : `${parent.path}.${parent.key}`;
}
