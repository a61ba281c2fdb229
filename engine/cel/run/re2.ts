import { RE2JS, RE2JSException } from 're2js';
import { CelError } from '../values.ts';
import { linearExpression } from './linear-pattern.ts';

/** A pattern that takes time linear in the text, whatever the pattern. */
export interface Pattern {
  /** Whether the pattern is found anywhere in the text. Needs no receiver. */
  readonly test: (text: string) => boolean;
  /** The leftmost match, or undefined. Go: Regexp.FindString (which answers '' for no match). */
  find(text: string): string | undefined;
  /** Up to `limit` matches from left to right, all of them when `limit` is negative. Go: Regexp.FindAllString. */
  findAll(text: string, limit: number): string[];
}

/** Longer patterns come from data, not from an author, and compiling them could take long. Plain literals may be longer. */
const MAX_PATTERN_LENGTH = 10_000;

/** Patterns kept compiled. Patterns that are computed at run time come from requests, so the number is bounded. */
const CACHE_SIZE = 512;
const cache = new Map<string, Pattern | CelError>();

/**
 * Compiles a pattern of Go's RE2 dialect; repeated calls with one pattern are cheap. Plain literals are compared, and patterns for
 * which the native engine is linear run on it; everything else on RE2.
 * @throws CelError with Go's text: error parsing regexp: missing closing ): `zz(`
 */
export function compileRe2(pattern: string): Pattern {
  let known = cache.get(pattern);
  if (known === undefined) {
    known = compile(pattern);
    if (pattern.length > MAX_PATTERN_LENGTH) return resultOf(known);
    if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as string);
    cache.set(pattern, known);
  }
  return resultOf(known);
}

/** A fresh error each time: the tracing back end notes on it where it happened. */
function resultOf(compiled: Pattern | CelError): Pattern {
  if (compiled instanceof CelError) throw new CelError(compiled.message);
  return compiled;
}

function compile(pattern: string): Pattern | CelError {
  const literal = literalPattern(pattern);
  if (literal !== undefined) return literal;
  if (pattern.length > MAX_PATTERN_LENGTH) return new CelError('error parsing regexp: expression too large');
  try {
    const linear = linearExpression(pattern);
    return linear === undefined ? re2Pattern(RE2JS.compile(pattern)) : linearPattern(pattern, linear);
  } catch (error) {
    if (error instanceof RE2JSException) return new CelError(error.message);
    if (error instanceof RangeError) return new CelError(`error parsing regexp: expression nests too deeply: \`${pattern}\``);
    throw error;
  }
}

/** `re2` is compiled when a match is asked for: nearly all patterns are only tested. */
function linearPattern(pattern: string, expression: RegExp): Pattern {
  let re2: Pattern | undefined;
  const exact = (): Pattern => {
    re2 ??= re2Pattern(RE2JS.compile(pattern));
    return re2;
  };
  return {
    test: (text) => expression.test(text),
    find: (text) => exact().find(text),
    findAll: (text, limit) => exact().findAll(text, limit),
  };
}

function re2Pattern(re2: RE2JS): Pattern {
  return {
    test: (text) => re2.test(text),
    find(text) {
      const matcher = re2.matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : undefined;
    },
    findAll(text, limit) {
      const found: string[] = [];
      if (limit === 0) return found;
      const matcher = re2.matcher(text);
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
    },
  };
}

const LITERAL = /^(\^?)([\w /:@,;=<>!#%&"'`~-]+)(\$?)$/;

/** Patterns without operators, perhaps anchored (`^nginx:`, `-canary$`), need no automaton. */
function literalPattern(pattern: string): Pattern | undefined {
  const parts = LITERAL.exec(pattern);
  if (!parts) return undefined;
  const [, start, text, end] = parts as unknown as [string, string, string, string];
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

/** What is wrong with a pattern; undefined where it is one of RE2. */
export function patternError(pattern: string): string | undefined {
  try {
    compileRe2(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}
