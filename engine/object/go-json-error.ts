import { goQuote } from '../cel/go-quote.ts';

/** Where in a value the text stands. */
type Place = 'object' | 'array';

const END = 'unexpected end of JSON input';
/** Levels beyond which Go reads no further. */
const MAX_DEPTH = 10_000;

/**
 * Why Go does not read a text as JSON, in its words; undefined where it does. For messages that clients compare and people look up:
 * `invalid character '}' looking for beginning of value`. Go: encoding/json/scanner.go.
 */
export function goJsonError(text: Uint8Array): string | undefined {
  const scan = new Scan(text);
  return scan.document();
}

class Scan {
  readonly #text: Uint8Array;
  #at = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  document(): string | undefined {
    const places: Place[] = [];
    let error = this.#value(places);
    for (;;) {
      if (error !== undefined) return error;
      // A value has just ended.
      const byte = this.#next();
      const place = places.at(-1);
      if (byte === undefined) return place === undefined ? undefined : END;
      if (place === undefined) return this.#refuse('after top-level value');
      const closing = place === 'object' ? CLOSE_MAP : CLOSE_LIST;
      if (byte === closing) {
        this.#at++;
        places.pop();
        continue;
      }
      if (byte !== COMMA) return this.#refuse(place === 'object' ? 'after object key:value pair' : 'after array element');
      this.#at++;
      error = (place === 'object' ? this.#key() : undefined) ?? this.#value(places);
    }
  }

  /** Reads up to the end of a value that holds nothing, or of the first one that is inside. */
  #value(places: Place[]): string | undefined {
    for (;;) {
      const byte = this.#next();
      if (byte === undefined) return END;
      if (byte === QUOTE) return this.#string();
      if (byte === MINUS || isDigit(byte)) return this.#number();
      const literal = LITERALS.get(byte);
      if (literal !== undefined) return this.#literal(literal);
      if (byte !== OPEN_MAP && byte !== OPEN_LIST) return this.#refuse('looking for beginning of value');
      const place = byte === OPEN_MAP ? 'object' : 'array';
      if (places.length >= MAX_DEPTH) return this.#refuse('exceeded max depth');
      this.#at++;
      const first = this.#next();
      if (first === (place === 'object' ? CLOSE_MAP : CLOSE_LIST)) {
        this.#at++;
        return undefined;
      }
      places.push(place);
      const error = place === 'object' ? this.#key() : undefined;
      if (error !== undefined) return error;
    }
  }

  /** A key and its colon. */
  #key(): string | undefined {
    const byte = this.#next();
    if (byte === undefined) return END;
    if (byte !== QUOTE) return this.#refuse('looking for beginning of object key string');
    const error = this.#string();
    if (error !== undefined) return error;
    const colon = this.#next();
    if (colon === undefined) return END;
    if (colon !== COLON) return this.#refuse('after object key');
    this.#at++;
    return undefined;
  }

  #string(): string | undefined {
    for (;;) {
      const byte = this.#text[++this.#at];
      if (byte === undefined) return END;
      if (byte === QUOTE) {
        this.#at++;
        return undefined;
      }
      if (byte < 0x20) return this.#refuse('in string literal');
      if (byte !== BACKSLASH) continue;
      const code = this.#text[++this.#at];
      if (code === LETTER_U) {
        for (let digit = 0; digit < 4; digit++) {
          const hex = this.#text[++this.#at];
          if (hex === undefined || !/[0-9a-fA-F]/.test(String.fromCharCode(hex)))
            return this.#refuse('in \\u hexadecimal character escape');
        }
      } else if (code === undefined || !ESCAPES.has(code)) return this.#refuse('in string escape code');
    }
  }

  #number(): string | undefined {
    if (this.#text[this.#at] === MINUS) this.#at++;
    const first = this.#text[this.#at];
    if (first === undefined || !isDigit(first)) return this.#refuse('in numeric literal');
    this.#at++;
    if (first !== ZERO) this.#digits();
    if (this.#text[this.#at] === DOT) {
      this.#at++;
      const error = this.#someDigits('after decimal point in numeric literal');
      if (error !== undefined) return error;
    }
    const exponent = this.#text[this.#at];
    if (exponent !== LETTER_E && exponent !== CAPITAL_E) return undefined;
    this.#at++;
    const sign = this.#text[this.#at];
    if (sign === PLUS || sign === MINUS) this.#at++;
    return this.#someDigits('in exponent of numeric literal');
  }

  #someDigits(where: string): string | undefined {
    const byte = this.#text[this.#at];
    if (byte === undefined || !isDigit(byte)) return this.#refuse(where);
    this.#digits();
    return undefined;
  }

  #digits(): void {
    for (let byte = this.#text[this.#at]; byte !== undefined && isDigit(byte); byte = this.#text[this.#at]) this.#at++;
  }

  #literal(word: string): string | undefined {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter.charCodeAt(0)) return this.#refuse(`in literal ${word} (expecting '${letter}')`);
      this.#at++;
    }
    return undefined;
  }

  /** The next byte that is no white space; not yet read. */
  #next(): number | undefined {
    while (SPACES.has(this.#text[this.#at] ?? -1)) this.#at++;
    return this.#text[this.#at];
  }

  /** Go ends every text with a space. */
  #refuse(where: string): string {
    return `invalid character ${quoted(this.#text[this.#at] ?? SPACE)} ${where}`;
  }
}

/** A byte as Go's errors show it: as the character of that number. */
function quoted(byte: number): string {
  if (byte === 0x27) return "'\\''";
  if (byte === QUOTE) return "'\"'";
  return `'${goQuote(String.fromCharCode(byte)).slice(1, -1)}'`;
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= 0x39;

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const CAPITAL_E = 0x45;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const LETTER_E = 0x65;
const LETTER_U = 0x75;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const ESCAPES: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (char) => char.charCodeAt(0)));
const LITERALS: ReadonlyMap<number, string> = new Map([
  [0x74, 'true'],
  [0x66, 'false'],
  [0x6e, 'null'],
]);
