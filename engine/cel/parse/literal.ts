import type { CelValue } from '../values.ts';
import { double, int, Uint } from '../values.ts';

/** A literal's value, or the message of what is wrong with it. */
export type LiteralResult = { readonly value: CelValue } | { readonly error: string };

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** The value of an int literal: decimal or hexadecimal, with its sign. cel-go: parser/parser.go VisitInt. */
export function intLiteral(text: string, negative: boolean): LiteralResult {
  if (text.length < 15) {
    const value = Number(text);
    return { value: negative && value !== 0 ? -value : value };
  }
  const value = negative ? -BigInt(text) : BigInt(text);
  return value < INT64_MIN || value > INT64_MAX ? { error: 'invalid int literal' } : { value: int(value) };
}

/** The value of a uint literal; `text` ends in its `u`. */
export function uintLiteral(text: string): LiteralResult {
  const value = BigInt(text.slice(0, -1));
  return value > UINT64_MAX ? { error: 'invalid uint literal' } : { value: new Uint(value) };
}

/** The value of a double literal with its sign. */
export function doubleLiteral(text: string): LiteralResult {
  const value = Number(text);
  return Number.isFinite(value) ? { value: double(value) } : { error: 'invalid double literal' };
}

/**
 * The value of a string literal as the lexer accepted it, prefix and quotes included. Line ends become `\n`, in raw strings
 * too. cel-go: parser/unescape.go.
 */
export function stringLiteral(text: string): LiteralResult {
  const raw = text.charCodeAt(0) !== 34 && text.charCodeAt(0) !== 39;
  const body = unquote(raw ? text.slice(1) : text);
  if (raw || !body.includes('\\')) return { value: body };
  let value = '';
  let error: string | undefined;
  splitEscapes(body, (piece) => {
    if (typeof piece === 'string') value += piece;
    else if (piece.codePoint > 0x10ffff || (piece.codePoint >= 0xd800 && piece.codePoint <= 0xdfff)) error ??= 'invalid unicode code point';
    else value += String.fromCodePoint(piece.codePoint);
  });
  return error === undefined ? { value } : { error };
}

/** The value of a bytes literal as the lexer accepted it. Octal and hexadecimal escapes are bytes; `\u` is refused. */
export function bytesLiteral(text: string): LiteralResult {
  const raw = text.charCodeAt(1) !== 34 && text.charCodeAt(1) !== 39;
  const body = unquote(text.slice(raw ? 2 : 1));
  const encoder = new TextEncoder();
  if (raw || !body.includes('\\')) return { value: encoder.encode(body) };
  const bytes: number[] = [];
  let error: string | undefined;
  splitEscapes(body, (piece) => {
    if (typeof piece === 'string') for (const byte of encoder.encode(piece)) bytes.push(byte);
    else if (piece.unicode) error ??= 'unable to unescape string';
    else bytes.push(piece.codePoint);
  });
  return error === undefined ? { value: Uint8Array.from(bytes) } : { error };
}

/** What stands between the quotes, single or triple. */
function unquote(quoted: string): string {
  const body = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''")) ? quoted.slice(3, -3) : quoted.slice(1, -1);
  return body.includes('\r') ? body.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : body;
}

const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Gives the pieces of a body whose escapes the lexer has checked: plain text, and numeric escapes. */
function splitEscapes(body: string, piece: (piece: string | { readonly codePoint: number; readonly unicode: boolean }) => void): void {
  let at = 0;
  for (;;) {
    const slash = body.indexOf('\\', at);
    if (slash < 0) {
      piece(body.slice(at));
      return;
    }
    if (slash > at) piece(body.slice(at, slash));
    const char = body[slash + 1]!;
    const digits = char === 'x' || char === 'X' ? 2 : char === 'u' ? 4 : char === 'U' ? 8 : 0;
    if (digits > 0) {
      at = slash + 2 + digits;
      piece({ codePoint: Number.parseInt(body.slice(slash + 2, at), 16), unicode: digits > 2 });
    } else if (char >= '0' && char <= '3') {
      at = slash + 4;
      piece({ codePoint: Number.parseInt(body.slice(slash + 1, at), 8), unicode: false });
    } else {
      at = slash + 2;
      piece(SIMPLE[char] ?? char);
    }
  }
}
