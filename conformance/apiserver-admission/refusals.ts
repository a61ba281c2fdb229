import { type Diagnostic, isError, type Severity } from '../../engine/text/diagnostic.ts';
import { type Document, type DocumentPath, formatPath } from '../../engine/text/document.ts';
import type { Refusal } from './live.ts';
import type { OurBundle } from './ours.ts';

/** One reason of an API server: where in the document, where in the expression (line and column from 1, when it has a place there), why. */
export interface LiveReason {
  readonly field: string;
  readonly place?: { readonly line: number; readonly column: number };
  readonly text: string;
}

const VALUE_PREFIX =
  /^(?:Invalid value: (?:"(?:[^"\\]|\\.)*"|\{[^}]*\}|\S+): |Unsupported value: |Required value: |Forbidden: |Internal error: )/;
const CEL_ERROR = /(?:^|: )(?:ERROR|WARNING): <input>:(\d+):(\d+): (.*)$/gm;

/** The errors of a cel-go picture, or the whole text where it is none. */
export function reasonsIn(field: string, message: string): LiveReason[] {
  const errors = [...message.matchAll(CEL_ERROR)];
  if (errors.length === 0) return [{ field, text: message.replace(VALUE_PREFIX, '') }];
  return errors.map(([, line, column, text]) => ({ field, place: { line: Number(line), column: Number(column) }, text: text! }));
}

export function liveReasons(refusal: Refusal): LiveReason[] {
  return refusal.causes.flatMap(({ field, message }) => reasonsIn(field, message));
}

/** One diagnostic of ours on the document of a name. */
interface OurReason {
  readonly field: string;
  readonly text: string;
  /** True when the place is one that the diagnostic's span covers, in the string that its path names. */
  covers(place: { readonly line: number; readonly column: number }): boolean;
}

/** Diagnostics of one severity on the document of a name. */
export function ourReasons(ours: OurBundle, name: string, severity: Severity = 'error'): OurReason[] {
  return ours.bundle.diagnostics
    .filter((diagnostic) => diagnostic.severity === severity)
    .flatMap((diagnostic) => {
      const document = ours.documents.find((each) => each.source === diagnostic.source);
      const { metadata } = (document?.value ?? {}) as { metadata?: { name: string } };
      if (document === undefined || metadata?.name !== name) return [];
      const field = (diagnostic.path ?? '$').replace(/^\$\.?/, '');
      return [{ field, text: diagnostic.message, covers: (place) => coversPlace(document, diagnostic, place) }];
    });
}

function coversPlace(document: Document, diagnostic: Diagnostic, place: { readonly line: number; readonly column: number }): boolean {
  const { span, path } = diagnostic;
  const found = path === undefined ? undefined : findPath(document.value, path);
  if (span === undefined || found === undefined || typeof found.value !== 'string') return false;
  const at = document.locateWithin(found.path, offsetOf(found.value, place));
  return at !== undefined && span.start <= at && at <= span.end;
}

/** cel-go counts columns in characters, from 0 as it prints them less one. */
function offsetOf(text: string, place: { readonly line: number; readonly column: number }): number {
  const lines = text.split('\n');
  const before = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  return (
    before +
    Array.from(lines[place.line - 1] ?? '')
      .slice(0, place.column - 1)
      .join('').length
  );
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

/** Rules that are not about expressions have words of our own: there, that both refuse is enough. */
function isAboutExpression({ place, text }: LiveReason): boolean {
  return place !== undefined || /^must evaluate to|^program instantiation failed|^compilation failed/.test(text);
}

/** Differences between reasons of the API server and ours, in words. Errors of expressions must have the same text and the same place. */
export function compareReasons(live: readonly LiveReason[], own: readonly OurReason[]): string[] {
  const unmatched = [...own];
  const missing = live.filter(isAboutExpression).filter((reason) => {
    const at = unmatched.findIndex((each) => {
      if (each.field !== reason.field) return false;
      if (reason.place === undefined) return each.text.includes(reason.text);
      // Of a token that goes on, the text is cut at the end of its line.
      return each.text.split('\n')[0] === reason.text && each.covers(reason.place);
    });
    if (at >= 0) unmatched.splice(at, 1);
    return at < 0;
  });
  const hasOtherReasons = !live.every(isAboutExpression);
  if (hasOtherReasons && own.length === 0) missing.push(...live.filter((reason) => !isAboutExpression(reason)));
  const extra = hasOtherReasons ? [] : unmatched;
  const lines = missing.map(
    (each) => `the API server: ${each.field} ${each.place ? `${each.place.line}:${each.place.column} ` : ''}${each.text}`,
  );
  return [...lines, ...extra.map((each) => `ours: ${each.field} ${each.text}`)];
}

/** Differences between two refusals of one document. */
export function compareRefusals(refusal: Refusal, ours: OurBundle, name: string): string[] {
  if (!ours.bundle.diagnostics.some(isError)) return [`the API server refuses: ${refusal.message}\nours: no error`];
  return compareReasons(liveReasons(refusal), ourReasons(ours, name));
}
