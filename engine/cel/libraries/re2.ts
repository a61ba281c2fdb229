import { RE2JS, RE2JSException } from 're2js';
import { CelError } from '../values.ts';

/** A pattern that takes time linear in the text, whatever the pattern. */
export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
  /** The leftmost match, or undefined. Go: Regexp.FindString (which answers '' for no match). */
  find(text: string): string | undefined;
  /** Up to `limit` matches from left to right, all of them when `limit` is negative. Go: Regexp.FindAllString. */
  findAll(text: string, limit: number): string[];
}

/** Longer patterns come from data, not from an author, and compiling them could take long. */
const MAX_PATTERN_LENGTH = 10_000;

/** Patterns kept compiled. Patterns that are computed at run time come from requests, so the number is bounded. */
const CACHE_SIZE = 512;
const cache = new Map<string, Pattern | CelError>();

/**
 * Compiles a pattern of Go's RE2 dialect; repeated calls with one pattern are cheap.
 * @throws CelError with Go's text: error parsing regexp: missing closing ): `zz(`
 */
export function compileRe2(pattern: string): Pattern {
  let known = cache.get(pattern);
  if (known === undefined) {
    known = compile(pattern);
    if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as string);
    cache.set(pattern, known);
  }
  // A fresh error each time: the tracing back end notes on it where it happened.
  if (known instanceof CelError) throw new CelError(known.message);
  return known;
}

function compile(pattern: string): Pattern | CelError {
  if (pattern.length > MAX_PATTERN_LENGTH) return new CelError('error parsing regexp: expression too large');
  try {
    const literal = literalPattern(pattern);
    // The pattern is parsed in any case, so that what is refused does not depend on the short cut.
    const re = RE2JS.compile(pattern);
    return literal ?? new Re2Pattern(re);
  } catch (error) {
    if (error instanceof RE2JSException) return new CelError(error.message);
    if (error instanceof RangeError) return new CelError(`error parsing regexp: expression nests too deeply: \`${pattern}\``);
    throw error;
  }
}

class Re2Pattern implements Pattern {
  readonly #re: RE2JS;
  constructor(re: RE2JS) {
    this.#re = re;
  }

  test(text: string): boolean {
    return this.#re.test(text);
  }

  find(text: string): string | undefined {
    const matcher = this.#re.matcher(text);
    return matcher.find() ? (matcher.group() ?? '') : undefined;
  }

  findAll(text: string, limit: number): string[] {
    const found: string[] = [];
    if (limit === 0) return found;
    const matcher = this.#re.matcher(text);
    let previousEnd = -1;
    while (matcher.find()) {
      // Go drops an empty match that begins where the match before it ended; Java's find, which re2js follows, keeps it.
      if (matcher.start() !== matcher.end() || matcher.start() !== previousEnd) {
        found.push(matcher.group() ?? '');
        if (found.length === limit) break;
      }
      previousEnd = matcher.end();
    }
    return found;
  }
}

const LITERAL = /^(\^?)([A-Za-z0-9 _/:@,;<>=~#%&!"'-]*)(\$?)$/;

/** Patterns without operators, perhaps anchored (`^nginx:`, `-canary$`), need no automaton. */
function literalPattern(pattern: string): Pattern | undefined {
  const parts = LITERAL.exec(pattern);
  if (!parts) return undefined;
  const [, start, text, end] = parts as unknown as [string, string, string, string];
  if (text === '') return undefined;
  const test =
    start && end
      ? (value: string) => value === text
      : start
        ? (value: string) => value.startsWith(text)
        : end
          ? (value: string) => value.endsWith(text)
          : (value: string) => value.includes(text);
  return {
    test,
    find: (value) => (test(value) ? text : undefined),
    findAll(value, limit) {
      if (limit === 0 || !test(value)) return [];
      if (start || end) return [text];
      const found: string[] = [];
      for (let at = value.indexOf(text); at >= 0 && found.length !== limit; at = value.indexOf(text, at + text.length)) found.push(text);
      return found;
    },
  };
}
