import * as T from './token.ts';

/** Called for a stretch of text that is no token; lexing goes on after it. */
export type LexError = (start: number, end: number, message: string) => void;

const LETTER = 1;
const DIGIT = 2;
const HEX = 4;
const SPACE = 8;
/** What may stand between backticks. */
const ESCAPED = 16;

/** Character classes of ASCII, by code. */
const CLASS = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  let bits = 0;
  if (/[A-Za-z_]/.test(char)) bits |= LETTER;
  if (/[0-9]/.test(char)) bits |= DIGIT;
  if (/[0-9A-Fa-f]/.test(char)) bits |= HEX;
  if (/[\t \r\n\f]/.test(char)) bits |= SPACE;
  if (/[A-Za-z0-9_.\-/ ]/.test(char)) bits |= ESCAPED;
  CLASS[code] = bits;
}

/** Tokens of one character, by code. */
const SINGLE = new Uint8Array(128);
for (const [char, kind] of [
  ['[', T.LBRACKET],
  [']', T.RBRACKET],
  ['{', T.LBRACE],
  ['}', T.RBRACE],
  ['(', T.LPAREN],
  [')', T.RPAREN],
  ['.', T.DOT],
  [',', T.COMMA],
  ['-', T.MINUS],
  ['!', T.NOT],
  ['?', T.QUESTION],
  [':', T.COLON],
  ['+', T.PLUS],
  ['*', T.STAR],
  ['/', T.SLASH],
  ['%', T.PERCENT],
  ['<', T.LT],
  ['>', T.GT],
] as const) {
  SINGLE[char.charCodeAt(0)] = kind;
}

/**
 * Cuts an expression into tokens, one at a time: `kind`, `start` and `end` describe the token that {@link next} found last.
 * The longest match wins, as in cel-go's generated lexer, and what is no token is reported as that lexer reports it.
 */
export class Lexer {
  kind: number = T.EOF;
  start = 0;
  end = 0;
  /** Where the token before this one ended. */
  previousEnd = 0;
  /** The text up to which a token that failed was read, while {@link scan} looks for a shorter one. */
  private failedAt = 0;

  constructor(
    readonly text: string,
    private readonly onError: LexError,
  ) {}

  /** The text of the present token. */
  get lexeme(): string {
    return this.text.slice(this.start, this.end);
  }

  /** Goes back so that the token at `start` is the present one again. */
  rewind(start: number): void {
    this.end = start;
    this.next();
  }

  next(): void {
    const text = this.text;
    const length = text.length;
    this.previousEnd = this.end;
    let at = this.end;
    for (;;) {
      // White space and comments.
      while (at < length) {
        const code = text.charCodeAt(at);
        if (code === 32 || (code < 128 && (CLASS[code]! & SPACE) !== 0)) at++;
        else if (code === 47 && text.charCodeAt(at + 1) === 47) {
          const newline = text.indexOf('\n', at);
          at = newline < 0 ? length : newline;
        } else break;
      }
      this.start = at;
      if (at >= length) {
        this.kind = T.EOF;
        this.end = length;
        return;
      }
      const end = this.scan(at);
      if (end >= 0) {
        this.end = end;
        return;
      }
      // The character at which matching failed belongs to the unrecognised text.
      let stop = this.failedAt;
      if (stop < length) stop += (text.codePointAt(stop) ?? 0) > 0xffff ? 2 : 1;
      this.onError(at, stop, `token recognition error at: '${text.slice(at, stop)}'`);
      at = stop;
    }
  }

  /** Sets `kind` and returns the end of the token at `at`; or sets `failedAt` and returns -1. */
  private scan(at: number): number {
    const text = this.text;
    const code = text.charCodeAt(at);
    if (code >= 128) {
      this.failedAt = at;
      return -1;
    }
    const bits = CLASS[code]!;
    if (bits & LETTER) return this.scanWord(at, code);
    if (bits & DIGIT) return this.scanNumber(at);
    switch (code) {
      case 34: // "
      case 39: // '
        this.kind = T.STRING;
        return this.scanString(at, false);
      case 46: // .
        if (isDigit(text.charCodeAt(at + 1))) {
          this.kind = T.FLOAT;
          return this.scanExponent(this.skipDigits(at + 1));
        }
        this.kind = T.DOT;
        return at + 1;
      case 61: // =
        return this.scanPair(at, 61, T.EQ);
      case 38: // &
        return this.scanPair(at, 38, T.AND);
      case 124: // |
        return this.scanPair(at, 124, T.OR);
      case 33: // !
        if (text.charCodeAt(at + 1) === 61) {
          this.kind = T.NE;
          return at + 2;
        }
        break;
      case 60: // <
        if (text.charCodeAt(at + 1) === 61) {
          this.kind = T.LE;
          return at + 2;
        }
        break;
      case 62: // >
        if (text.charCodeAt(at + 1) === 61) {
          this.kind = T.GE;
          return at + 2;
        }
        break;
      case 96: // `
        return this.scanEscapedIdent(at);
    }
    const kind = SINGLE[code]!;
    if (kind === 0) {
      this.failedAt = at;
      return -1;
    }
    this.kind = kind;
    return at + 1;
  }

  private scanPair(at: number, second: number, kind: number): number {
    if (this.text.charCodeAt(at + 1) === second) {
      this.kind = kind;
      return at + 2;
    }
    this.failedAt = at + 1;
    return -1;
  }

  private scanWord(at: number, first: number): number {
    const text = this.text;
    let end = at + 1;
    for (;;) {
      const code = text.charCodeAt(end);
      if (code < 128 && (CLASS[code]! & (LETTER | DIGIT)) !== 0) end++;
      else break;
    }
    const length = end - at;
    // Prefixes of string literals: r'', b'', br''.
    if (length <= 2) {
      const quote = text.charCodeAt(end);
      if (quote === 34 || quote === 39) {
        const lower = first | 32;
        if (length === 1 && lower === 114) {
          const stop = this.scanString(end, true);
          if (stop >= 0) {
            this.kind = T.STRING;
            return stop;
          }
        } else if (lower === 98 && (length === 1 || (text.charCodeAt(at + 1) | 32) === 114)) {
          const stop = this.scanString(end, length === 2);
          if (stop >= 0) {
            this.kind = T.BYTES;
            return stop;
          }
        }
      }
    }
    this.kind = T.IDENT;
    if (length === 2) {
      if (first === 105 && text.charCodeAt(at + 1) === 110) this.kind = T.IN;
    } else if (length === 4) {
      if (first === 116 && text.startsWith('true', at)) this.kind = T.TRUE;
      else if (first === 110 && text.startsWith('null', at)) this.kind = T.NULL;
    } else if (length === 5 && first === 102 && text.startsWith('false', at)) this.kind = T.FALSE;
    return end;
  }

  private scanNumber(at: number): number {
    const text = this.text;
    if (text.charCodeAt(at) === 48 && text.charCodeAt(at + 1) === 120) {
      let end = at + 2;
      while (isHex(text.charCodeAt(end))) end++;
      if (end > at + 2) return this.endInteger(end);
    }
    let end = this.skipDigits(at);
    if (text.charCodeAt(end) === 46 && isDigit(text.charCodeAt(end + 1))) {
      this.kind = T.FLOAT;
      end = this.skipDigits(end + 1);
      return this.scanExponent(end);
    }
    const exponent = this.scanExponent(end);
    if (exponent > end) {
      this.kind = T.FLOAT;
      return exponent;
    }
    return this.endInteger(end);
  }

  private endInteger(end: number): number {
    if ((this.text.charCodeAt(end) | 32) === 117) {
      this.kind = T.UINT;
      return end + 1;
    }
    this.kind = T.INT;
    return end;
  }

  /** The end of an exponent at `at`, or `at` when there is none. */
  private scanExponent(at: number): number {
    const text = this.text;
    if ((text.charCodeAt(at) | 32) !== 101) return at;
    let end = at + 1;
    const sign = text.charCodeAt(end);
    if (sign === 43 || sign === 45) end++;
    return isDigit(text.charCodeAt(end)) ? this.skipDigits(end) : at;
  }

  private skipDigits(at: number): number {
    let end = at;
    while (isDigit(this.text.charCodeAt(end))) end++;
    return end;
  }

  private scanEscapedIdent(at: number): number {
    const text = this.text;
    let end = at + 1;
    for (;;) {
      const code = text.charCodeAt(end);
      if (code < 128 && (CLASS[code]! & ESCAPED) !== 0) end++;
      else if (code === 96 && end > at + 1) {
        this.kind = T.ESC_IDENT;
        return end + 1;
      } else {
        this.failedAt = end;
        return -1;
      }
    }
  }

  /** The end of the string whose opening quote is at `at`; or sets `failedAt` and returns -1. */
  private scanString(at: number, raw: boolean): number {
    const text = this.text;
    const quote = text.charCodeAt(at);
    if (text.charCodeAt(at + 1) === quote) {
      if (text.charCodeAt(at + 2) !== quote) return at + 2;
      const end = this.scanLongString(at, quote, raw);
      // Three quotes that never close are an empty string and the start of another.
      return end >= 0 ? end : at + 2;
    }
    let end = at + 1;
    for (;;) {
      const code = text.charCodeAt(end);
      if (code === quote) return end + 1;
      if (code === 92 && !raw) {
        end = this.skipEscape(end);
        if (end < 0) return -1;
      } else if (code === 10 || code === 13 || end >= text.length) {
        this.failedAt = end;
        return -1;
      } else end++;
    }
  }

  private scanLongString(at: number, quote: number, raw: boolean): number {
    const text = this.text;
    let end = at + 3;
    while (end < text.length) {
      const code = text.charCodeAt(end);
      if (code === quote && text.charCodeAt(end + 1) === quote && text.charCodeAt(end + 2) === quote) return end + 3;
      if (code === 92 && !raw) {
        end = this.skipEscape(end);
        if (end < 0) return -1;
      } else end++;
    }
    this.failedAt = end;
    return -1;
  }

  /** The end of the escape sequence whose backslash is at `at`; or sets `failedAt` and returns -1. */
  private skipEscape(at: number): number {
    const text = this.text;
    const code = text.charCodeAt(at + 1);
    let digits = 0;
    switch (code) {
      case 120: // x
      case 88: // X
        digits = 2;
        break;
      case 117: // u
        digits = 4;
        break;
      case 85: // U
        digits = 8;
        break;
      default:
        if (code >= 48 && code <= 51) {
          for (let end = at + 2; end < at + 4; end++) {
            const octal = text.charCodeAt(end);
            if (!(octal >= 48 && octal <= 55)) {
              this.failedAt = Math.min(end, text.length);
              return -1;
            }
          }
          return at + 4;
        }
        if (SIMPLE_ESCAPES.has(code)) return at + 2;
        this.failedAt = Math.min(at + 1, text.length);
        return -1;
    }
    for (let end = at + 2; end < at + 2 + digits; end++) {
      if (!isHex(text.charCodeAt(end))) {
        this.failedAt = Math.min(end, text.length);
        return -1;
      }
    }
    return at + 2 + digits;
  }
}

const SIMPLE_ESCAPES: ReadonlySet<number> = new Set(Array.from('abfnrtv"\'\\?`', (char) => char.charCodeAt(0)));

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isHex(code: number): boolean {
  return code < 128 && (CLASS[code]! & HEX) !== 0;
}
