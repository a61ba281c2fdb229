import type { Span } from './diagnostic.ts';
import type { TextEntry, TextNode } from './text-tree.ts';

interface Token extends Span {
  readonly kind: 'label' | 'string' | 'punctuation' | 'newline' | 'other';
  readonly text: string;
}

/** Multi-line strings first, then raw, then plain ones; an interpolation inside is skipped with its string. */
const TOKEN =
  /\/\/[^\n]*|(?<newline>\n)|[ \t\r]+|(?<string>"""[\s\S]*?"""|'''[\s\S]*?'''|#"(?:[^"]|"(?!#))*"#|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<label>[#_$]*[A-Za-z_$][\w$]*|_#?[A-Za-z_]\w*)|(?<punctuation>[{}[\](),:?!])|(?<other>[^\s])/gy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const match = TOKEN.exec(text);
    if (match === null) return tokens;
    const { newline, string, label, punctuation, other } = match.groups as Record<string, string | undefined>;
    const kind =
      newline !== undefined
        ? 'newline'
        : string !== undefined
          ? 'string'
          : label !== undefined
            ? 'label'
            : punctuation !== undefined
              ? 'punctuation'
              : other !== undefined
                ? 'other'
                : undefined;
    if (kind !== undefined) tokens.push({ kind, text: match[0], start: match.index, end: TOKEN.lastIndex });
  }
}

interface OpenMap {
  readonly kind: 'map';
  start: number;
  end: number;
  readonly entries: Map<string, TextEntry>;
}

const MAX_DEPTH = 100;

/**
 * Where the fields of a CUE text stand, as far as its labels say: nested braces, `a: b: c: value` chains, lists. It does not evaluate,
 * so what comes from references, comprehensions and definitions is not found. A field written several times is at its
 * first place, with the parts of all of them.
 */
export function cueTextTree(text: string): TextNode {
  const tokens = tokenize(text);
  let at = 0;

  function skipNewlines(): void {
    while (tokens[at]?.kind === 'newline' || tokens[at]?.text === ',') at++;
  }

  /** Fields up to the closing brace, or the end of the text. */
  function fields(into: OpenMap, depth: number): void {
    for (;;) {
      skipNewlines();
      const token = tokens[at];
      if (token === undefined || token.text === '}') return;
      const before = at;
      if (!field(into, depth)) {
        at = before;
        if (depth > MAX_DEPTH || token.text === 'if' || token.text === 'for') skipExpression(depth);
        else embedded(into, depth);
        if (at === before) at++;
      }
    }
  }

  /** An expression in the place of a field: `#Definition & { a: 1 }` has the fields of its braces. */
  function embedded(into: OpenMap, depth: number): void {
    for (;;) {
      const token = tokens[at];
      if (token === undefined || token.kind === 'newline' || /^[,}\])]$/.test(token.text)) return;
      at++;
      if (token.text === '{') {
        fields(into, depth + 1);
        at++;
      } else if (token.text === '[') skipTo(']');
      else if (token.text === '(') skipTo(')');
      else if (/^[&|]$/.test(token.text)) while (tokens[at]?.kind === 'newline') at++;
    }
  }

  function field(into: OpenMap, depth: number): boolean {
    const label = tokens[at];
    if (
      label === undefined ||
      (label.kind !== 'label' && !(label.kind === 'string' && label.text.startsWith('"') && !label.text.startsWith('"""')))
    )
      return false;
    let colon = at + 1;
    if (tokens[colon]?.text === '?' || tokens[colon]?.text === '!') colon++;
    if (tokens[colon]?.text !== ':') return false;
    at = colon + 1;
    const name = label.kind === 'string' ? unquote(label.text) : label.text;
    const key = { start: label.start, end: label.end };
    const known = into.entries.get(name);
    const value = fieldValue(known?.value, depth + 1);
    if (known === undefined) into.entries.set(name, { key, value });
    else if (known.value.kind !== 'map' || value.kind === 'scalar') return true;
    return true;
  }

  function fieldValue(known: TextNode | undefined, depth: number): TextNode {
    while (tokens[at]?.kind === 'newline') at++;
    const start = tokens[at]?.start ?? text.length;
    const target: OpenMap = known?.kind === 'map' ? (known as OpenMap) : { kind: 'map', start, end: start, entries: new Map() };
    if (depth > MAX_DEPTH) {
      skipExpression(depth);
      return { kind: 'scalar', start, end: start };
    }
    const before = at;
    // A chain: `a: b: 1` is `a: {b: 1}`.
    if (field(target, depth)) {
      target.end = tokens[at - 1]?.end ?? text.length;
      return target;
    }
    at = before;
    let list: TextNode[] | undefined;
    let isMap = false;
    let end = start;
    for (;;) {
      const token = tokens[at];
      if (
        token === undefined ||
        token.kind === 'newline' ||
        token.text === ',' ||
        token.text === '}' ||
        token.text === ']' ||
        token.text === ')'
      )
        break;
      if (token.text === '{') {
        at++;
        isMap = true;
        fields(target, depth);
        end = tokens[at]?.end ?? text.length;
        at++;
      } else if (token.text === '[') {
        at++;
        list ??= [];
        end = items(list, depth);
      } else if (token.text === '(') {
        at++;
        skipTo(')');
        end = tokens[at - 1]?.end ?? text.length;
      } else {
        end = token.end;
        at++;
        // An operator at the end of a line goes on on the next.
        if (/^[&|+\-*/=<>!~.]$/.test(token.text)) while (tokens[at]?.kind === 'newline') at++;
      }
    }
    if (isMap) {
      target.end = Math.max(target.end, end);
      return target;
    }
    if (list !== undefined) return { kind: 'list', start, end, items: list };
    return { kind: 'scalar', start, end, ...(text[start] === '"' ? { offsets: () => stringOffsets(text, start, end) } : {}) };
  }

  function items(into: TextNode[], depth: number): number {
    for (;;) {
      skipNewlines();
      const token = tokens[at];
      if (token === undefined) return text.length;
      if (token.text === ']') {
        at++;
        return token.end;
      }
      const before = at;
      into.push(fieldValue(undefined, depth + 1));
      if (at === before) at++;
    }
  }

  function skipExpression(depth: number): void {
    if (depth > MAX_DEPTH) {
      at = tokens.length;
      return;
    }
    for (let nested = 0; ; at++) {
      const token = tokens[at];
      if (token === undefined) return;
      if (nested === 0 && (token.kind === 'newline' || token.text === ',' || token.text === '}')) return;
      if (/^[{[(]$/.test(token.text)) nested++;
      else if (/^[}\])]$/.test(token.text)) nested--;
    }
  }

  function skipTo(close: string): void {
    for (let nested = 0; at < tokens.length; at++) {
      const token = tokens[at] as Token;
      if (nested === 0 && token.text === close) {
        at++;
        return;
      }
      if (/^[{[(]$/.test(token.text)) nested++;
      else if (/^[}\])]$/.test(token.text)) nested--;
    }
  }

  const root: OpenMap = { kind: 'map', start: 0, end: text.length, entries: new Map() };
  while (at < tokens.length) {
    fields(root, 0);
    at++;
  }
  return root;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

/** Source offsets of a string literal's value; of a multi-line one, as if it had no escapes and no indentation but its closing one. */
function stringOffsets(text: string, start: number, end: number): number[] {
  const offsets: number[] = [];
  if (!text.startsWith('"""', start)) {
    for (let at = start + 1; at < end - 1; ) {
      offsets.push(at);
      at += text[at] === '\\' ? (text[at + 1] === 'u' ? 6 : 2) : 1;
    }
    offsets.push(end - 1);
    return offsets;
  }
  const indent = /[ \t]*$/.exec(text.slice(start, end - 3))?.[0].length ?? 0;
  const first = text.indexOf('\n', start) + 1;
  const last = text.lastIndexOf('\n', end);
  for (let line = first; line <= last; ) {
    const next = text.indexOf('\n', line);
    const lineEnd = next === -1 || next > last ? last : next;
    for (let at = line + indent; at < lineEnd; at += text[at] === '\\' ? 2 : 1) offsets.push(at);
    offsets.push(lineEnd);
    line = lineEnd + 1;
  }
  return offsets;
}
