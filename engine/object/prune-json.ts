import { type Json, setOwn } from './json.ts';

/**
 * What to keep of a JSON value: all of it, nothing, or parts by field. Of a list, `others` is what to keep of each element; where
 * that is nothing, maps and lists among the elements are emptied.
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
  const walk = new Walk();
  const compiled = compile(keep);
  return (text) => walk.prune(text, compiled);
}

/**
 * Reads the JSON value that stands in bytes from `start` up to `end`, which are only good for the time of the call; undefined for
 * what is none.
 */
export type JsonSource = (bytes: Uint8Array, start: number, end: number) => Json | undefined;

/**
 * Reads of a JSON text what is to be kept, for the same texts and with the same result as a {@link JsonPruner} and `JSON.parse`.
 * `source` reads the parts: `maps` says how many levels of maps are made here and new for each text. What is in them is the source's, which
 * may give out the same value again for the same bytes.
 */
export function createJsonReader(keep: KeptJson, source: JsonSource, maps: number): (text: Uint8Array) => Json | undefined {
  const walk = new Walk();
  const compiled = compile(keep);
  return (text) => walk.read(text, compiled, source, maps);
}

type Kept = typeof ALL | typeof NONE | KeptFields;
const ALL = 1;
const NONE = 0;
const EMPTY = new Uint8Array(0);

interface KeptFields {
  /** Candidates by the length of their names in bytes. */
  readonly byLength: readonly (readonly Candidate[] | undefined)[];
  readonly others: Kept;
}

interface Candidate {
  readonly field: string;
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
    const candidate = { field, name, kept: compile(kept) };
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
/** Levels of maps and lists that are walked into; a text of which parts of deeper ones are to be kept is read as a whole. */
const DEEPEST = 64;
const NO_SOURCE: JsonSource = () => undefined;

/** A walk over one text at a time. Positions are indexes into the text; -1 says that the text is not what was expected. */
class Walk {
  #text: Uint8Array = EMPTY;
  #room = new Uint8Array(4096);
  /** Bytes of `#room` that are filled. */
  #filled = 0;
  /** Where the bytes begin that are to be kept and not copied yet. */
  #pending = 0;
  #source: JsonSource = NO_SOURCE;
  /** Where the value ended that was read last. */
  #end = -1;

  prune(text: Uint8Array, keep: Kept): Uint8Array | undefined {
    this.#begin(text);
    const end = keep === NONE ? -1 : this.#value(0, keep, 0);
    const whole = end === text.length;
    if (whole) this.#copyUntil(end);
    // The text belongs to somebody else and may be large.
    this.#text = EMPTY;
    return whole ? this.#room.subarray(0, this.#filled) : undefined;
  }

  read(text: Uint8Array, keep: Kept, source: JsonSource, maps: number): Json | undefined {
    this.#begin(text);
    this.#source = source;
    const value = keep === NONE ? undefined : this.#read(0, keep, maps);
    this.#text = EMPTY;
    this.#source = NO_SOURCE;
    return this.#end === text.length ? value : undefined;
  }

  #begin(text: Uint8Array): void {
    this.#text = text;
    if (this.#room.length < text.length) this.#room = new Uint8Array(text.length * 2);
    this.#filled = 0;
    this.#pending = 0;
    this.#end = -1;
  }

  /** Reads a value of which something is kept, and notes where it ends. */
  #read(at: number, keep: typeof ALL | KeptFields, maps: number): Json | undefined {
    if (keep === ALL) {
      this.#end = this.#skip(at);
      return this.#end < 0 ? undefined : this.#source(this.#text, at, this.#end);
    }
    if (maps > 0 && this.#text[at] === OPEN_MAP) return this.#readMap(at, keep, maps - 1);
    this.#filled = 0;
    this.#pending = at;
    const end = this.#value(at, keep, 0);
    this.#end = end;
    if (end < 0) return undefined;
    // Nothing was left out: there is nothing to copy.
    if (this.#pending === at) return this.#source(this.#text, at, end);
    this.#copyUntil(end);
    return this.#source(this.#room, 0, this.#filled);
  }

  #readMap(start: number, keep: KeptFields, maps: number): Json | undefined {
    const text = this.#text;
    const map: { [key: string]: Json } = {};
    let at = start + 1;
    if (text[at] === CLOSE_MAP) {
      this.#end = at + 1;
      return map;
    }
    for (;;) {
      const end = this.#nameEnd(at);
      if (end < 0) break;
      const candidate = candidateFor(keep, text, at + 1, end);
      const kept = candidate === undefined ? keep.others : candidate.kept;
      const value = end + 2;
      let next: number;
      if (kept === NONE) next = this.#skip(value);
      else {
        const name = candidate === undefined ? this.#source(text, at, end + 1) : candidate.field;
        const read = typeof name === 'string' ? this.#read(value, kept, maps) : undefined;
        if (read === undefined) break;
        setOwn(map, name as string, read);
        next = this.#end;
      }
      if (next < 0) break;
      const byte = text[next];
      if (byte === CLOSE_MAP) {
        this.#end = next + 1;
        return map;
      }
      if (byte !== COMMA) break;
      at = next + 1;
    }
    this.#end = -1;
    return undefined;
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
  #value(at: number, keep: typeof ALL | KeptFields, depth: number): number {
    if (keep === ALL) return this.#skip(at);
    const first = this.#text[at];
    if (first === OPEN_MAP) return depth > DEEPEST ? -1 : this.#map(at, keep, depth);
    if (first === OPEN_LIST && keep.others !== ALL) return depth > DEEPEST ? -1 : this.#list(at, keep.others, depth);
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
      const end = this.#nameEnd(at);
      if (end < 0) return -1;
      const candidate = candidateFor(keep, text, at + 1, end);
      const kept = candidate === undefined ? keep.others : candidate.kept;
      const value = end + 2;
      if (kept === NONE) {
        this.#copyUntil(member);
        at = this.#skip(value);
        this.#pending = at;
      } else {
        if (none && member !== at) {
          // The first member that is kept has no comma before it.
          this.#copyUntil(member);
          this.#pending = at;
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

  #list(start: number, keep: typeof NONE | KeptFields, depth: number): number {
    const text = this.#text;
    let at = start + 1;
    if (text[at] === CLOSE_LIST) return at + 1;
    for (;;) {
      at = keep === NONE ? this.#emptied(at) : this.#value(at, keep, depth + 1);
      if (at < 0) return -1;
      const next = text[at];
      if (next === CLOSE_LIST) return at + 1;
      if (next !== COMMA) return -1;
      at++;
    }
  }

  /** Walks over a value, of which only the brackets are kept if it has any. */
  #emptied(at: number): number {
    const end = this.#skip(at);
    const first = this.#text[at];
    if (end < 0 || (first !== OPEN_MAP && first !== OPEN_LIST)) return end;
    this.#copyUntil(at + 1);
    this.#pending = end - 1;
    return end;
  }

  /** Where the quote stands that ends the name of a member; -1 where there is no name, one with escapes, or no colon after it. */
  #nameEnd(at: number): number {
    const text = this.#text;
    const { length } = text;
    if (at >= length || text[at] !== QUOTE) return -1;
    let end = at + 1;
    while (end < length) {
      const byte = text[end]!;
      if (byte === QUOTE) return end + 1 < length && text[end + 1] === COLON ? end : -1;
      if (byte === BACKSLASH) return -1;
      end++;
    }
    return -1;
  }

  /** Where the value at `at` ends. */
  #skip(at: number): number {
    const text = this.#text;
    const { length } = text;
    if (at >= length) return -1;
    const first = text[at]!;
    if (first === QUOTE) return this.#skipString(at);
    if (first !== OPEN_MAP && first !== OPEN_LIST) {
      let end = at;
      for (; end < length; end++) {
        const byte = text[end]!;
        if (byte === COMMA || byte === CLOSE_MAP || byte === CLOSE_LIST) break;
        if (byte <= 0x20 || byte === QUOTE) return -1;
      }
      return end > at ? end : -1;
    }
    let depth = 1;
    for (let end = at + 1; end < length; end++) {
      const byte = text[end]!;
      if (byte === QUOTE) {
        // Strings are most of a text, so they are skipped here and not by a call.
        if (++end >= length) return -1;
        for (let inside = text[end]!; inside !== QUOTE; inside = text[end]!) {
          if (inside === BACKSLASH) end++;
          if (++end >= length) return -1;
        }
        // Of brackets and braces only this bit differs: `[` 5b and `{` 7b, `]` 5d and `}` 7d.
      } else if ((byte | 0x20) === OPEN_MAP) depth++;
      else if ((byte | 0x20) === CLOSE_MAP && --depth === 0) return end + 1;
    }
    return -1;
  }

  #skipString(at: number): number {
    const text = this.#text;
    const { length } = text;
    for (let end = at + 1; end < length; end++) {
      const byte = text[end]!;
      if (byte === QUOTE) return end + 1;
      if (byte === BACKSLASH) end++;
    }
    return -1;
  }
}

function candidateFor(keep: KeptFields, text: Uint8Array, start: number, end: number): Candidate | undefined {
  const length = end - start;
  const candidates = length < keep.byLength.length ? keep.byLength[length] : undefined;
  if (candidates === undefined) return undefined;
  next: for (const candidate of candidates) {
    const { name } = candidate;
    for (let i = 0; i < length; i++) if (name[i] !== text[start + i]) continue next;
    return candidate;
  }
  return undefined;
}
