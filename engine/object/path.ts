import { isJsonObject, type Json, ownValue } from './json.ts';

/** One step of a path. `start` and `end` are offsets in the path's text. */
export type PathStep =
  | { readonly kind: 'key'; readonly key: string; readonly start: number; readonly end: number }
  /** Negative indices count from the end. */
  | { readonly kind: 'index'; readonly index: number; readonly start: number; readonly end: number }
  /** All elements of a list, all values of a map. */
  | { readonly kind: 'wildcard'; readonly start: number; readonly end: number };

/** A JSONPath of names, indices and wildcards: no filters, no scripts, no recursive descent. */
export interface JsonPath {
  readonly text: string;
  readonly steps: readonly PathStep[];
}

export interface PathIssue {
  readonly code: 'path-syntax' | 'path-recursive-descent' | 'path-filter' | 'path-script' | 'path-slice' | 'path-union';
  readonly message: string;
  readonly hint?: string;
  /** Offsets in the path's text. */
  readonly start: number;
  readonly end: number;
}

export type ParsedPath = { readonly ok: true; readonly path: JsonPath } | { readonly ok: false; readonly issue: PathIssue };

const NAME = /[\p{L}\p{N}_$-]+/uy;
const INTEGER = /(?:0|-?[1-9][0-9]*)/y;
const MAX_STEPS = 100;

/**
 * Parses `$.spec.containers[*].image`, `$.metadata.labels['app.kubernetes.io/name']`, `$.spec.rules[0]`, `$.items[-1]`. The `$`
 * may be left out before a dot, as Kubernetes does for printer columns; `$` alone is the whole object.
 */
export function parsePath(text: string): ParsedPath {
  const steps: PathStep[] = [];
  let at = text.startsWith('$') ? 1 : 0;
  if (at === 0 && text[0] !== '.')
    return bad('path-syntax', `expected a path that begins with $, found ${shown(text, 0)}`, 0, text.length, 'write $.spec.replicas');
  // A lone dot is Kubernetes' way to name the root.
  if (at === 0 && text === '.') return { ok: true, path: { text, steps } };
  while (at < text.length) {
    const parsed = text[at] === '.' ? parseDot(text, at) : text[at] === '[' ? parseBracket(text, at) : undefined;
    if (parsed === undefined) return bad('path-syntax', `expected . or [, found ${shown(text, at)}`, at, at + 1);
    if ('code' in parsed) return { ok: false, issue: parsed };
    if (steps.length === MAX_STEPS) return bad('path-syntax', `expected at most ${MAX_STEPS} steps`, at, text.length);
    steps.push(parsed);
    at = parsed.end;
  }
  return { ok: true, path: { text, steps } };
}

function parseDot(text: string, start: number): PathStep | PathIssue {
  const at = start + 1;
  if (text[at] === '.') {
    return issue(
      'path-recursive-descent',
      'recursive descent (..) is not allowed in a path',
      start,
      start + 2,
      'name each step: $.spec.containers[*].image',
    );
  }
  if (text[at] === '*') return { kind: 'wildcard', start, end: at + 1 };
  const key = match(NAME, text, at);
  if (key === undefined) {
    const hint = 'names with other characters than letters, digits, _ and - stand in brackets: $.data["a.b"]';
    return issue('path-syntax', `expected a name after the dot, found ${shown(text, at)}`, start, at + 1, hint);
  }
  return { kind: 'key', key, start, end: at + key.length };
}

function parseBracket(text: string, start: number): PathStep | PathIssue {
  const at = start + 1;
  const char = text[at];
  if (char === '"' || char === "'") return parseQuoted(text, start);
  if (char === '*') return closed(text, { kind: 'wildcard', start, end: at + 1 });
  if (char === '?') {
    return issue(
      'path-filter',
      'filters are not allowed in a path',
      start,
      endOfBracket(text, start),
      'set the elements apart with a CEL expression (forEach, where)',
    );
  }
  if (char === '(')
    return issue(
      'path-script',
      'scripts are not allowed in a path',
      start,
      endOfBracket(text, start),
      'compute the index with CEL in a template',
    );
  const number = match(INTEGER, text, at);
  if (number === undefined) {
    if (char === ':') return slice(text, start);
    return issue(
      'path-syntax',
      `expected an index, a quoted name or * in brackets, found ${shown(text, at)}`,
      start,
      endOfBracket(text, start),
    );
  }
  const index = Number(number);
  if (!Number.isSafeInteger(index)) return issue('path-syntax', `the index ${number} is too large`, at, at + number.length);
  return closed(text, { kind: 'index', index, start, end: at + number.length });
}

function slice(text: string, start: number): PathIssue {
  return issue('path-slice', 'slices ([a:b]) are not allowed in a path', start, endOfBracket(text, start), 'use [*], or one index');
}

/** Steps over the closing bracket. */
function closed(text: string, step: PathStep): PathStep | PathIssue {
  if (text[step.end] === ']') return { ...step, end: step.end + 1 };
  if (text[step.end] === ':') return slice(text, step.start);
  if (text[step.end] === ',') {
    return issue(
      'path-union',
      'unions ([a,b]) are not allowed in a path',
      step.start,
      endOfBracket(text, step.start),
      'write one rule part for each',
    );
  }
  return issue('path-syntax', `expected ], found ${shown(text, step.end)}`, step.start, step.end + 1);
}

/** `['a.b']` with the escapes of RFC 9535: `\'`, `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t` and `\uXXXX`. */
function parseQuoted(text: string, start: number): PathStep | PathIssue {
  const quote = text[start + 1] as string;
  let key = '';
  let at = start + 2;
  while (at < text.length && text[at] !== quote) {
    if (text[at] !== '\\') {
      key += text[at++];
      continue;
    }
    const unicode = /^\\u([0-9A-Fa-f]{4})/.exec(text.slice(at, at + 6));
    const escaped = unicode ? String.fromCharCode(Number.parseInt(unicode[1] as string, 16)) : ESCAPES.get(text[at + 1] ?? '');
    if (escaped === undefined) return issue('path-syntax', `unknown escape ${text.slice(at, at + 2)}`, at, at + 2);
    key += escaped;
    at += unicode ? 6 : 2;
  }
  if (at >= text.length) return issue('path-syntax', `expected ${quote} to end the name`, start + 1, text.length);
  return closed(text, { kind: 'key', key, start, end: at + 1 });
}

const ESCAPES = new Map([
  ["'", "'"],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function endOfBracket(text: string, start: number): number {
  const end = text.indexOf(']', start);
  return end < 0 ? text.length : end + 1;
}

function shown(text: string, at: number): string {
  return at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) as number)) : 'the end';
}

function issue(code: PathIssue['code'], message: string, start: number, end: number, hint?: string): PathIssue {
  return { code, message, start, end, ...(hint === undefined ? {} : { hint }) };
}

function bad(...args: Parameters<typeof issue>): ParsedPath {
  return { ok: false, issue: issue(...args) };
}

/** All values a path leads to, in document order; none where something is missing or of another shape. */
export type PathGetter = (value: Json) => readonly Json[];

export function compileGetter(path: JsonPath): PathGetter {
  const { steps } = path;
  const names = steps.map((step) => (step.kind === 'key' ? step.key : undefined));
  // Most paths are names only: one loop, no recursion.
  if (names.every((name) => name !== undefined)) {
    return (value) => {
      let node: Json | undefined = value;
      for (const name of names) {
        if (!isJsonObject(node)) return [];
        node = ownValue(node, name as string);
      }
      return node === undefined ? [] : [node];
    };
  }
  return (value) => {
    const found: Json[] = [];
    collect(value, steps, 0, found);
    return found;
  };
}

function collect(node: Json, steps: readonly PathStep[], i: number, found: Json[]): void {
  const step = steps[i];
  if (step === undefined) {
    found.push(node);
    return;
  }
  if (Array.isArray(node)) {
    if (step.kind === 'wildcard') for (const child of node) collect(child, steps, i + 1, found);
    else if (step.kind === 'index') {
      const child: Json | undefined = node[step.index < 0 ? step.index + node.length : step.index];
      if (child !== undefined) collect(child, steps, i + 1, found);
    }
  } else if (isJsonObject(node)) {
    if (step.kind === 'wildcard') for (const key of Object.keys(node)) collect(node[key] as Json, steps, i + 1, found);
    else if (step.kind === 'key') {
      const child = ownValue(node, step.key);
      if (child !== undefined) collect(child, steps, i + 1, found);
    }
  }
}
