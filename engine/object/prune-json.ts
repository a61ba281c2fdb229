/**
 * What to keep of a JSON value: all of it, nothing, or parts by field. Of a list, `others` is what to keep of each element; where
 * that is nothing, the list is kept as it is.
 */
export type KeptJson = 'all' | 'none' | { readonly fields: ReadonlyMap<string, KeptJson>; readonly others: KeptJson };

/**
 * Leaves out of a JSON text, as UTF-8 bytes, what is not to be kept, without reading it: several times faster than `JSON.parse` of
 * the whole. What is left is JSON for `JSON.parse`, in bytes that are good until the next call. Undefined where the text is not of
 * the compact form that Kubernetes writes (white space between tokens, escapes in field names) or not JSON as far as can be
 * seen: then it is to be read as a whole. What is left out is not checked.
 */
export type JsonPruner = (text: Uint8Array) => Uint8Array | undefined;

/** A pruner with room of its own; not to be used while a text it made is still needed. */
export function createJsonPruner(keep: KeptJson): JsonPruner {
  const pruner = new Pruner();
  const compiled = compile(keep);
  return (text) => pruner.prune(text, compiled);
}

type Kept = typeof ALL | typeof NONE | KeptFields;
const ALL = 1;
const NONE = 0;

interface KeptFields {
  /** Candidates by the length of their names in bytes. */
  readonly byLength: readonly (readonly Candidate[] | undefined)[];
  readonly others: Kept;
}

interface Candidate {
  readonly name: Uint8Array;
  readonly kept: Kept;
}

function compile(keep: KeptJson): Kept {
  if (keep === 'all') return ALL;
  if (keep === 'none') return NONE;
  const byLength: Candidate[][] = [];
  for (const [field, kept] of keep.fields) {
    const name = new TextEncoder().encode(field);
    const candidates = byLength[name.length];
    const candidate = { name, kept: compile(kept) };
    if (candidates === undefined) byLength[name.length] = [candidate];
    else candidates.push(candidate);
  }
  return { byLength: Array.from(byLength), others: compile(keep.others) };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
/** Levels of maps and lists that are walked into; deeper ones are only skipped or kept as a whole. */
const DEEPEST = 64;

/** Positions are indexes into the text; -1 says that the text is not what was expected. */
class Pruner {
  #text: Uint8Array = new Uint8Array(0);
  #room = new Uint8Array(4096);
  /** Bytes of `#room` that are filled. */
  #filled = 0;
  /** Where the bytes begin that are to be kept and not copied yet. */
  #pending = 0;

  prune(text: Uint8Array, keep: Kept): Uint8Array | undefined {
    this.#text = text;
    if (this.#room.length < text.length) this.#room = new Uint8Array(text.length * 2);
    this.#filled = 0;
    this.#pending = 0;
    const end = keep === NONE ? -1 : this.#value(0, keep, 0);
    const whole = end === text.length;
    if (whole) this.#copyUntil(end);
    // The text belongs to somebody else and may be large.
    this.#text = EMPTY;
    return whole ? this.#room.subarray(0, this.#filled) : undefined;
  }

  /** Copies what is pending up to `end`. */
  #copyUntil(end: number): void {
    const text = this.#text;
    const room = this.#room;
    let to = this.#filled;
    for (let from = this.#pending; from < end; from++) room[to++] = text[from]!;
    this.#filled = to;
  }

  /** Walks over a value of which something is kept. Answers where it ends. */
  #value(at: number, keep: Kept, depth: number): number {
    if (keep === ALL || keep === NONE || depth > DEEPEST) return this.#skip(at);
    const first = this.#text[at];
    if (first === OPEN_MAP) return this.#map(at, keep, depth);
    if (first === OPEN_LIST && keep.others !== NONE && keep.others !== ALL) return this.#list(at, keep.others, depth);
    return this.#skip(at);
  }

  #map(start: number, keep: KeptFields, depth: number): number {
    const text = this.#text;
    let at = start + 1;
    if (text[at] === CLOSE_MAP) return at + 1;
    let none = true;
    /** Where the member begins, with the comma before it. */
    let member = at;
    for (;;) {
      if (text[at] !== QUOTE) return -1;
      const name = at + 1;
      let end = name;
      for (let byte = text[end]; byte !== QUOTE; byte = text[++end]) if (byte === BACKSLASH || byte === undefined) return -1;
      if (text[end + 1] !== COLON) return -1;
      const kept = this.#keptOf(keep, name, end);
      const value = end + 2;
      if (kept === NONE) {
        this.#copyUntil(member);
        at = this.#skip(value);
        this.#pending = at;
      } else {
        if (none && member !== name - 1) {
          // The first member that is kept has no comma before it.
          this.#copyUntil(member);
          this.#pending = name - 1;
        }
        none = false;
        at = this.#value(value, kept, depth + 1);
      }
      if (at < 0) return -1;
      const next = text[at];
      if (next === CLOSE_MAP) return at + 1;
      if (next !== COMMA) return -1;
      member = at++;
    }
  }

  #list(start: number, keep: KeptFields, depth: number): number {
    const text = this.#text;
    let at = start + 1;
    if (text[at] === CLOSE_LIST) return at + 1;
    for (;;) {
      at = this.#value(at, keep, depth + 1);
      if (at < 0) return -1;
      const next = text[at];
      if (next === CLOSE_LIST) return at + 1;
      if (next !== COMMA) return -1;
      at++;
    }
  }

  #keptOf(keep: KeptFields, start: number, end: number): Kept {
    const candidates = keep.byLength[end - start];
    if (candidates !== undefined) {
      const text = this.#text;
      next: for (const { name, kept } of candidates) {
        for (let i = 0; i < name.length; i++) if (name[i] !== text[start + i]) continue next;
        return kept;
      }
    }
    return keep.others;
  }

  /** Where the value at `at` ends. */
  #skip(at: number): number {
    const text = this.#text;
    const first = text[at];
    if (first === QUOTE) return this.#skipString(at);
    if (first !== OPEN_MAP && first !== OPEN_LIST) {
      let end = at;
      for (let byte = first; byte !== COMMA && byte !== CLOSE_MAP && byte !== CLOSE_LIST; byte = text[++end])
        if (byte === undefined || byte <= 0x20 || byte === QUOTE) return end > at && byte === undefined ? end : -1;
      return end > at ? end : -1;
    }
    let depth = 1;
    for (let end = at + 1; end < text.length; end++) {
      const byte = text[end]!;
      if (byte === QUOTE) {
        // Strings are most of a text, so they are skipped here and not by a call.
        for (end++; text[end] !== QUOTE; end++) {
          if (text[end] === BACKSLASH) end++;
          if (end >= text.length) return -1;
        }
        // Of brackets and braces only this bit differs: `[` 5b and `{` 7b, `]` 5d and `}` 7d.
      } else if ((byte | 0x20) === OPEN_MAP) depth++;
      else if ((byte | 0x20) === CLOSE_MAP && --depth === 0) return end + 1;
    }
    return -1;
  }

  #skipString(at: number): number {
    const text = this.#text;
    for (let end = at + 1; end < text.length; end++) {
      const byte = text[end]!;
      if (byte === QUOTE) return end + 1;
      if (byte === BACKSLASH) end++;
    }
    return -1;
  }
}

const EMPTY = new Uint8Array(0);
