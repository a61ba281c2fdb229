import type { Span } from '../diagnostic.ts';
import { refuse } from './tree.ts';

export interface CueToken extends Span {
  readonly kind: 'identifier' | 'number' | 'string' | 'operator' | 'end';
  readonly text: string;
}

const SPACE = /(?:[ \t\r]+|\/\/[^\n]*)+/y;
const IDENTIFIER = /(?:_#|#)?[\p{L}$_][\p{L}\p{N}$_]*/uy;
const NUMBER = /(?:0[xob][0-9A-Za-z_]*|\d[\d_]*(?:\.(?!\.)[\d_]*)?(?:[eE][+-]?\d[\d_]*)?|\.\d[\d_]*(?:[eE][+-]?\d[\d_]*)?)(?:[KMGTP]i?)?/y;
const STRING = /(?<hashes>#*)(?<quotes>"""|"|'''|')/y;
const OPERATOR = /_\|_|\.\.\.|<=|>=|!=|=~|!~|==|&&|\|\||[{}[\]():,?!<>&|*+\-/.=@%]/y;

/** After these at the end of a line, a comma is understood. */
const ENDS: ReadonlySet<string> = new Set([')', ']', '}', '?', '!', '...', '_|_']);

/**
 * The tokens of a CUE text, with the commas that line ends stand for, up to a token of kind `end`. Throws {@link CueMistake} at
 * what is no token.
 */
export function tokenizeCue(text: string): CueToken[] {
  const tokens: CueToken[] = [];
  const comma = (at: number) => {
    const last = tokens.at(-1);
    if (last === undefined || last.text === ',') return;
    if (last.kind !== 'operator' || ENDS.has(last.text)) tokens.push({ kind: 'operator', text: ',', start: at, end: at });
  };
  for (let at = 0; at < text.length; ) {
    if (text[at] === '\n') {
      comma(at);
      at++;
      continue;
    }
    const space = matchAt(SPACE, text, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
  comma(text.length);
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
  return tokens;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function tokenAt(text: string, at: number): CueToken {
  const quote = matchAt(STRING, text, at);
  if (quote !== undefined) return stringAt(text, at, quote);
  if (text.startsWith('_|_', at)) return { kind: 'operator', text: '_|_', start: at, end: at + 3 };
  for (const [kind, pattern] of [
    ['identifier', IDENTIFIER],
    ['number', NUMBER],
    ['operator', OPERATOR],
  ] as const) {
    const found = matchAt(pattern, text, at);
    if (found !== undefined) return { kind, text: found, start: at, end: at + found.length };
  }
  const char = String.fromCodePoint(text.codePointAt(at)!);
  return refuse({ start: at, end: at + char.length }, 'syntax', `${JSON.stringify(char)} is not expected here`);
}

/** A string ends at its quotes with as many `#` as it began with; escapes have as many. */
function stringAt(text: string, at: number, opening: string): CueToken {
  const hashes = /^#*/.exec(opening)![0];
  const quotes = opening.slice(hashes.length);
  const close = quotes + hashes;
  const backslash = `\\${hashes}`;
  for (let end = at + opening.length; end < text.length; end++) {
    if (text.startsWith(backslash, end)) end += backslash.length;
    else if (text.startsWith(close, end)) {
      const token: CueToken = { kind: 'string', text: text.slice(at, end + close.length), start: at, end: end + close.length };
      if (quotes.startsWith("'")) refuse(token, 'unsupported', 'no value of an object is bytes', 'write a string, in "double quotes"');
      return token;
    } else if (text[end] === '\n' && quotes.length === 1) break;
  }
  return refuse({ start: at, end: at + opening.length }, 'syntax', 'the string does not end');
}
