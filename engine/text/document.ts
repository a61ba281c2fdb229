import type { Source, Span } from './diagnostic.ts';
import { lineIndexAt } from './position.ts';

/** One step into plain data: a map key or a list index. */
export type PathSegment = string | number;
export type DocumentPath = readonly PathSegment[];

/**
 * One YAML, JSON or CUE document as plain data, with a way back to the text it came from.
 *
 * `value` holds only JSON's types. Objects may carry any own key, `__proto__` included, so read computed keys with
 * `Object.hasOwn`. Integers beyond 2^53 are `bigint`.
 */
export interface Document {
  readonly source: Source;
  /** Position of the document in its source, from 0 (files may hold several). */
  readonly index: number;
  readonly value: unknown;
  /** Where the key or the value at `path` stands, or of its nearest existing ancestor; undefined when the format keeps no positions. */
  locate(path: DocumentPath, part?: 'key' | 'value'): Span | undefined;
  /**
   * Maps an offset inside the string value at `path` (quotes, escapes and block scalars undone) to an offset in the
   * source, so that an error inside an expression points at the character the author wrote.
   */
  locateWithin(path: DocumentPath, offset: number): number | undefined;
}

/** Line from 1 of what stands at a path, or around it; undefined where the format keeps no positions. */
export function lineOf(document: Document, path: DocumentPath): number | undefined {
  const span = document.locate(path);
  return span === undefined ? undefined : lineIndexAt(document.source, span.start) + 1;
}

/** `$.spec.containers[0]['a.b']`: the form paths take in diagnostics. */
export function formatPath(path: DocumentPath): string {
  let text = '$';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(segment)) text += `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}
