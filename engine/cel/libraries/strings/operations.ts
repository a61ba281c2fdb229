import { formatForMessage } from '../../run/format.ts';
import { codePointLength } from '../../run/text.ts';
import { CelError, type CelValue } from '../../values.ts';

type Int = number | bigint;

/** Texts beyond this are not built: a few characters of input can ask for gigabytes (`text.replace('', text)`). */
const MAX_LENGTH = 64 * 1024 * 1024;

function bounded(length: number): void {
  if (length > MAX_LENGTH) throw new CelError('operation cancelled: result is too large');
}

const SURROGATE = /[\ud800-\udfff]/;

/** The text's characters, where indices into the text itself would be wrong; otherwise the text. */
const characters = (text: string): string | readonly string[] => (SURROGATE.test(text) ? Array.from(text) : text);

const outOfRange = (index: Int): CelError => new CelError(`index out of range: ${index}`);

/** `text.charAt(index)`: the character, '' just behind the last. */
export function charAt(text: string, index: Int): string {
  const all = characters(text);
  if (index < 0 || index > all.length) throw outOfRange(index);
  return all[Number(index)] ?? '';
}

/** `text.indexOf(part)`, `text.indexOf(part, offset)`: -1 where there is none. */
export function indexOf(text: string, part: string, offset: Int = 0): number {
  if (offset < 0) throw outOfRange(offset);
  const all = characters(text);
  if (part === '') return offset > all.length ? all.length : Number(offset);
  if (offset >= all.length) return -1;
  if (typeof all === 'string') return all.indexOf(part, Number(offset));
  const wanted = Array.from(part);
  for (let i = Number(offset); i + wanted.length <= all.length; i++) if (startsAt(all, wanted, i)) return i;
  return -1;
}

/** `text.lastIndexOf(part)`. */
export function lastIndexOf(text: string, part: string): number {
  const all = characters(text);
  if (part === '') return all.length;
  return all.length === 0 ? -1 : lastIndexOfFrom(text, part, all.length - 1);
}

/** `text.lastIndexOf(part, offset)`: the last place at or before the offset; -1 for an offset behind the text. */
export function lastIndexOfFrom(text: string, part: string, offset: Int): number {
  if (offset < 0) throw outOfRange(offset);
  const all = characters(text);
  if (part === '') return offset > all.length ? all.length : Number(offset);
  if (offset >= all.length) return -1;
  if (typeof all === 'string') return all.lastIndexOf(part, Number(offset));
  const wanted = Array.from(part);
  for (let i = Math.min(Number(offset), all.length - wanted.length); i >= 0; i--) if (startsAt(all, wanted, i)) return i;
  return -1;
}

function startsAt(all: readonly string[], wanted: readonly string[], at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (all[at + i] !== wanted[i]) return false;
  return true;
}

/** `text.substring(start)`, `text.substring(start, end)`. */
export function substring(text: string, start: Int, end?: Int): string {
  if (end !== undefined && start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  const all = characters(text);
  if (start < 0 || start > all.length) throw outOfRange(start);
  if (end !== undefined && end > all.length) throw outOfRange(end);
  const part = all.slice(Number(start), end === undefined ? undefined : Number(end));
  return typeof part === 'string' ? part : part.join('');
}

/** `text.replace(old, new)`, `text.replace(old, new, limit)`; an empty `old` is found between all characters. */
export function replace(text: string, old: string, replacement: string, limit: Int = -1): string {
  if (limit === 0 || old === replacement) return text;
  const found = old === '' ? undefined : text.split(old);
  const places = found ? found.length - 1 : codePointLength(text) + 1;
  const count = limit < 0 || limit > places ? places : Number(limit);
  bounded(text.length + count * replacement.length);
  const parts = found ?? ['', ...Array.from(text)];
  if (old === '') {
    const head = parts.slice(0, count).join(replacement);
    // With all places filled, the last one is behind the text.
    return count === places ? head + replacement : head + replacement + parts.slice(count).join('');
  }
  return [parts.slice(0, count + 1).join(replacement), ...parts.slice(count + 1)].join(old);
}

/** `text.split(separator)`, `text.split(separator, limit)`; an empty separator splits into characters. */
export function split(text: string, separator: string, limit: Int = -1): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0 || limit >= parts.length) return parts;
  const kept = Number(limit) - 1;
  return [...parts.slice(0, kept), parts.slice(kept).join(separator)];
}

/** `list.join()`, `list.join(separator)`. */
export function join(list: readonly CelValue[], separator = ''): string {
  let length = 0;
  for (const element of list) {
    if (typeof element !== 'string') throw new CelError(`join: invalid input: ${formatForMessage(element)}`);
    length += element.length + separator.length;
    bounded(length);
  }
  return list.join(separator);
}

/** Go: unicode.IsSpace. */
const SPACES = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACES}+`);
const SPACE = new RegExp(SPACES);

/** `text.trim()`. */
export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1] as string)) end--;
  return text.slice(0, end).replace(LEADING, '');
}

export const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
export const upperAscii = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** `strings.quote(text)`: a CEL string literal. */
export const quote = (text: string): string => `"${text.replace(/[\x07-\r\\"]/g, (char) => ESCAPES[char] as string)}"`;
