import type { PathSegment } from '../text/document.ts';

/** One reference token of RFC 6901, escaped: `~` is `~0`, `/` is `~1`. */
export function escapePointerToken(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

/** `/spec/containers/0`: the JSON Pointer of a path; the whole document is ``. */
export function formatPointer(path: readonly PathSegment[]): string {
  let text = '';
  for (const segment of path) text += typeof segment === 'number' ? `/${segment}` : `/${escapePointerToken(segment)}`;
  return text;
}

/**
 * The reference tokens of a JSON Pointer, or undefined when it is none by RFC 6901 (no leading `/`, a `~` that is neither
 * `~0` nor `~1`).
 */
export function parsePointer(pointer: string): readonly string[] | undefined {
  if (pointer === '') return [];
  if (pointer[0] !== '/' || /~(?![01])/.test(pointer)) return undefined;
  return splitTokens(pointer);
}

/** What stands behind each `/`, unescaped, whatever stands before the first; `~` without 0 or 1 stays as it is. */
export function splitTokens(pointer: string): readonly string[] {
  const tokens = pointer.split('/');
  tokens.shift();
  return pointer.includes('~') ? tokens.map((token) => token.replace(/~[01]/g, (sequence) => (sequence === '~1' ? '/' : '~'))) : tokens;
}
