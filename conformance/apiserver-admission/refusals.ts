import { isError } from '../../engine/text/diagnostic.ts';
import { type DocumentPath, formatPath } from '../../engine/text/document.ts';
import type { Refusal } from './live.ts';
import type { OurBundle } from './ours.ts';

/** One reason to refuse a document: where in the document, where in its expression (`1:5`, when it has a place there), and why. */
interface Reason {
  readonly field: string;
  readonly place: string;
  readonly text: string;
}

const INVALID_VALUE = /^(?:Invalid value: (?:"(?:[^"\\]|\\.)*"|\S+): |Unsupported value: |Required value: |Required value$|Forbidden: )/;
const CEL_ERROR = /^ERROR: <input>:(\d+:\d+): (.*)$/gm;

/** Reasons of an API server, out of the causes of its answer; each error of an expression is one. */
export function liveReasons(refusal: Refusal): Reason[] {
  return refusal.causes.flatMap(({ field, message }) => {
    const errors = [...message.matchAll(CEL_ERROR)];
    if (errors.length > 0) return errors.map(([, place, text]) => ({ field, place: place!, text: text! }));
    return [{ field, place: '', text: message.replace(INVALID_VALUE, '') }];
  });
}

/** Error diagnostics of our compiler on the document of a name, in the same form. */
export function ourReasons(ours: OurBundle, name: string): Reason[] {
  return ours.bundle.diagnostics.filter(isError).flatMap((diagnostic) => {
    const document = ours.documents.find((each) => each.source === diagnostic.source);
    const { metadata } = (document?.value ?? {}) as { metadata?: { name: string } };
    if (metadata?.name !== name) return [];
    const field = (diagnostic.path ?? '$').replace(/^\$\.?/, '');
    return [{ field, place: placeOf(ours, diagnostic), text: diagnostic.message }];
  });
}

/** Line and column (from 1) inside the expression that a diagnostic points into. */
function placeOf(ours: OurBundle, diagnostic: OurBundle['bundle']['diagnostics'][number]): string {
  const document = ours.documents.find((each) => each.source === diagnostic.source);
  if (!document || !diagnostic.span || diagnostic.path === undefined) return '';
  const found = findPath(document.value, diagnostic.path);
  if (!found || typeof found.value !== 'string') return '';
  for (let offset = 0; offset <= found.value.length; offset++) {
    if (document.locateWithin(found.path, offset) !== diagnostic.span.start) continue;
    const before = found.value.slice(0, offset).split('\n');
    return `${before.length}:${Array.from(before.at(-1)!).length + 1}`;
  }
  return '';
}

/** The place that a formatted path names. */
function findPath(
  value: unknown,
  wanted: string,
  path: DocumentPath = [],
): { readonly path: DocumentPath; readonly value: unknown } | undefined {
  const here = formatPath(path);
  if (here === wanted) return { path, value };
  if (!wanted.startsWith(here) || typeof value !== 'object' || value === null) return undefined;
  const children: [string | number, unknown][] = Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
  for (const [key, item] of children) {
    const found = findPath(item, wanted, [...path, key]);
    if (found) return found;
  }
  return undefined;
}

/** Differences between two refusals of one document, in words. */
export function compareRefusals(refusal: Refusal, ours: OurBundle, name: string): string[] {
  const write = (reason: Reason): string => `${reason.field} ${reason.place} ${reason.text}`;
  const live = liveReasons(refusal).map(write).sort();
  const own = ourReasons(ours, name).map(write).sort();
  if (JSON.stringify(live) === JSON.stringify(own)) return [];
  return [`the API server refuses:\n  ${live.join('\n  ')}\nours: ${own.length === 0 ? 'no error' : `\n  ${own.join('\n  ')}`}`];
}
