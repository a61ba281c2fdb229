import type { DiagnosticList } from './diagnostic-list.ts';
import type { TextLimits } from './limits.ts';
import type { TextEntry, TextNode } from './text-tree.ts';
import { setOwn } from './yaml-value.ts';

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const SPACE = /[ \t\n\r]*/y;
/** A string without escapes and control characters: nearly all of them. */
const SIMPLE_STRING = /"[^"\\\u0000-\u001f]*"/y;

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

interface StringToken {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A JSON parser that goes on after a mistake. What it accepts without reporting is exactly RFC 8259. Without a report it reads
 * text known to be good, to find positions.
 */
export class JsonReader {
  readonly #text: string;
  readonly #limits: TextLimits;
  readonly #report: DiagnosticList | undefined;
  #at: number;
  /** The rest of the text can't be made sense of. */
  failed = false;
  hasSyntaxErrors = false;

  constructor(text: string, limits: TextLimits, report: DiagnosticList | undefined, start = 0) {
    this.#text = text;
    this.#limits = limits;
    this.#report = report;
    this.#at = start === 0 && text.charCodeAt(0) === 0xfeff ? 1 : start;
  }

  get position(): number {
    return this.#at;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length;
  }

  /** The next value as plain data. */
  read(): unknown {
    return this.#value(0);
  }

  /** The next value as a tree of positions. */
  readTree(): TextNode | undefined {
    this.#skipSpace();
    return this.#tree();
  }

  #error(message: string, start: number, end: number, hint?: string): void {
    this.hasSyntaxErrors = true;
    this.#report?.add('json-syntax', message, { start, end: Math.min(Math.max(end, start), this.#text.length) }, { hint });
  }

  #give(message: string, hint?: string): undefined {
    this.#error(message, this.#at, this.#at + 1, hint);
    this.failed = true;
    return undefined;
  }

  #skipSpace(): void {
    for (;;) {
      const ch = this.#text.charCodeAt(this.#at);
      if (ch === 32 || ch === 10 || ch === 13 || ch === 9) {
        SPACE.lastIndex = this.#at;
        SPACE.test(this.#text);
        this.#at = SPACE.lastIndex;
      } else if (ch === 47 /* / */ && (this.#text[this.#at + 1] === '/' || this.#text[this.#at + 1] === '*')) this.#skipComment();
      else return;
    }
  }

  #skipComment(): void {
    const start = this.#at;
    const isLine = this.#text[start + 1] === '/';
    const found = this.#text.indexOf(isLine ? '\n' : '*/', start + 2);
    this.#at = found === -1 ? this.#text.length : found + (isLine ? 0 : 2);
    this.#error(
      'JSON has no comments',
      start,
      isLine ? this.#at : Math.min(start + 2, this.#text.length),
      'remove it, or name the file .yaml',
    );
  }

  #value(depth: number): unknown {
    this.#skipSpace();
    const start = this.#at;
    const ch = this.#text[start];
    switch (ch) {
      case '{':
      case '[':
        if (depth >= this.#limits.maxDepth) {
          this.#report?.add('text-too-deep', `more than ${this.#limits.maxDepth} maps and lists inside one another`, {
            start,
            end: start + 1,
          });
          this.hasSyntaxErrors = true;
          this.failed = true;
          return undefined;
        }
        return ch === '{' ? this.#object(depth) : this.#array(depth);
      case '"':
      case "'":
        return this.#string()?.value;
      case undefined:
        return this.#give('a value is expected, but the text ends here');
      default:
        break;
    }
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.#text);
    if (number !== null) return this.#number(number);
    WORD.lastIndex = start;
    const word = WORD.exec(this.#text)?.[0];
    if (word === undefined) return this.#give(`a value is expected, but ${JSON.stringify(ch)} was found`);
    this.#at += word.length;
    if (word === 'null') return null;
    if (word === 'true') return true;
    if (word === 'false') return false;
    this.#error(
      `a value is expected, but \`${word}\` was found`,
      start,
      this.#at,
      /^(True|False|None|undefined)$/.test(word) ? 'JSON knows true, false and null' : 'text must stand in double quotes',
    );
    return null;
  }

  #number(match: RegExpExecArray): unknown {
    const start = this.#at;
    const text = match[0];
    this.#at += text.length;
    const next = this.#text.charCodeAt(this.#at);
    if ((next >= 48 && next <= 57) || next === 46 || next === 95 || next === 120) {
      while (/[\w.+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      this.#error(`\`${this.#text.slice(start, this.#at)}\` is not a JSON number`, start, this.#at);
      return null;
    }
    const value = Number(text);
    if (match[1] === undefined && match[2] === undefined) {
      if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
      const exact = text.length <= 40 ? BigInt(text) : undefined;
      return exact !== undefined && BigInt.asIntN(64, exact) === exact
        ? exact
        : exact !== undefined && BigInt.asUintN(64, exact) === exact
          ? exact
          : value;
    }
    if (!Number.isFinite(value)) {
      this.#report?.add('json-number-too-large', `${text} is beyond what a number can hold`, { start, end: this.#at });
      return null;
    }
    return value === 0 ? 0 : value;
  }

  #string(): StringToken | undefined {
    const start = this.#at;
    SIMPLE_STRING.lastIndex = start;
    const simple = SIMPLE_STRING.exec(this.#text);
    if (simple !== null) {
      this.#at = start + simple[0].length;
      return { value: simple[0].slice(1, -1), start, end: this.#at };
    }
    const quote = this.#text[start] as string;
    if (quote === "'") this.#error('text must stand in double quotes', start, start + 1, 'write " in the place of \'');
    let value = '';
    let at = start + 1;
    for (;;) {
      const ch = this.#text[at];
      if (ch === undefined || ch === '\n' || ch === '\r') {
        this.#error('the text is not closed', start, at, `close it with ${quote} before the line ends`);
        this.#at = at;
        this.failed = true;
        return undefined;
      }
      if (ch === quote) break;
      if (ch === '\\') {
        const escaped = this.#text[at + 1] ?? '';
        const hex = this.#text.slice(at + 2, at + 6);
        if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
          value += String.fromCharCode(Number.parseInt(hex, 16));
          at += 6;
        } else if (Object.hasOwn(ESCAPES, escaped)) {
          value += ESCAPES[escaped];
          at += 2;
        } else {
          this.#error(`\`\\${escaped}\` is not an escape JSON knows`, at, at + 2, 'a backslash itself is written \\\\');
          at += 1;
        }
      } else {
        if (ch < ' ') this.#error(`control character U+${ch.charCodeAt(0).toString(16).padStart(4, '0')} must be escaped`, at, at + 1);
        value += ch;
        at++;
      }
    }
    this.#at = at + 1;
    return { value, start, end: this.#at };
  }

  #array(depth: number): unknown[] | undefined {
    const items: unknown[] = [];
    this.#sequence(']', () => {
      items.push(this.#value(depth + 1));
    });
    return items;
  }

  #object(depth: number): Record<string, unknown> {
    const target: Record<string, unknown> = {};
    this.#sequence('}', () => {
      const key = this.#key();
      if (key === undefined) return;
      const value = this.#value(depth + 1);
      if (this.failed) return;
      if (Object.hasOwn(target, key.value)) {
        this.#report?.add('json-duplicate-key', `key ${JSON.stringify(key.value)} is set twice in one object`, key, {
          hint: 'remove one of the two: which of them counts differs from parser to parser',
        });
      } else setOwn(target, key.value, value);
    });
    return target;
  }

  #key(): StringToken | undefined {
    const start = this.#at;
    const ch = this.#text[start];
    let key: StringToken | undefined;
    if (ch === '"' || ch === "'") key = this.#string();
    else {
      WORD.lastIndex = start;
      const word = WORD.exec(this.#text)?.[0];
      if (word === undefined)
        return this.#give(
          `a key in double quotes is expected${ch === undefined ? ', but the text ends here' : `, but ${JSON.stringify(ch)} was found`}`,
        );
      this.#at += word.length;
      this.#error(`key \`${word}\` must stand in double quotes`, start, this.#at, `write "${word}"`);
      key = { value: word, start, end: this.#at };
    }
    if (key === undefined) return undefined;
    this.#skipSpace();
    if (this.#text[this.#at] === ':') this.#at++;
    else return this.#give(`\`:\` is expected after the key ${JSON.stringify(key.value)}`);
    return key;
  }

  /** Parts divided by commas up to `close`; the opening bracket stands at the current position. */
  #sequence(close: ']' | '}', part: () => void): void {
    const open = this.#at++;
    for (let first = true; ; first = false) {
      this.#skipSpace();
      if (this.#text[this.#at] === close) {
        this.#at++;
        return;
      }
      if (!first) {
        if (this.#text[this.#at] === ',') {
          const comma = this.#at++;
          this.#skipSpace();
          if (this.#text[this.#at] === close) {
            this.#error('a comma must not stand after the last part', comma, comma + 1, 'remove the comma');
            this.#at++;
            return;
          }
        } else if (this.#at >= this.#text.length) {
          this.#error(`this \`${this.#text[open]}\` is not closed`, open, open + 1);
          this.failed = true;
          return;
        } else if (/["'{[\w-]/.test(this.#text[this.#at] as string)) {
          this.#error(`\`,\` or \`${close}\` is expected`, this.#at, this.#at + 1, 'put a comma between the parts');
        } else {
          this.#give(`\`,\` or \`${close}\` is expected, but ${JSON.stringify(this.#text[this.#at])} was found`);
          return;
        }
      }
      part();
      if (this.failed) return;
    }
  }

  #tree(): TextNode | undefined {
    this.#skipSpace();
    const start = this.#at;
    const ch = this.#text[start];
    if (ch === '[') {
      const items: TextNode[] = [];
      this.#sequence(']', () => {
        const item = this.#tree();
        if (item !== undefined) items.push(item);
      });
      return { kind: 'list', start, end: this.#at, items };
    }
    if (ch === '{') {
      const entries = new Map<string, TextEntry>();
      this.#sequence('}', () => {
        const key = this.#key();
        const value = key === undefined ? undefined : this.#tree();
        if (key !== undefined && value !== undefined && !entries.has(key.value)) {
          entries.set(key.value, { key: { start: key.start, end: key.end }, value });
        }
      });
      return { kind: 'map', start, end: this.#at, entries };
    }
    this.#value(0);
    const end = this.#at;
    return ch === '"'
      ? { kind: 'scalar', start, end, offsets: () => stringOffsets(this.#text, start, end) }
      : { kind: 'scalar', start, end };
  }
}

/** The source offset of each unit of the string literal at `start`, and of its closing quote. */
function stringOffsets(text: string, start: number, end: number): number[] {
  const offsets: number[] = [];
  for (let at = start + 1; at < end - 1; ) {
    offsets.push(at);
    if (text[at] === '\\') at += text[at + 1] === 'u' ? 6 : 2;
    else at++;
  }
  offsets.push(end - 1);
  return offsets;
}
