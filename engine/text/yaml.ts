import { EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { Diagnostic, Source } from './diagnostic.ts';
import { DiagnosticList } from './diagnostic-list.ts';
import type { Document } from './document.ts';
import { DEFAULT_LIMITS, type TextLimits } from './limits.ts';
import { lazyDocument } from './text-tree.ts';
import { buildTextTree } from './yaml-tree.ts';
import { ValueBuilder } from './yaml-value.ts';

/** What a source holds, and everything that is wrong with it. A document with syntax errors is left out, any other is there. */
export interface ParsedText {
  readonly documents: readonly Document[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads YAML as Kubernetes does (see `resolvePlainScalar`): several documents, anchors, merge keys; empty documents are left
 * out. Reports the first syntax error of each document (`findYamlSyntaxErrors` finds the others) and every duplicate key,
 * unknown anchor, unsupported tag, number that JSON can't hold, and word that only Kubernetes takes for a boolean.
 * Never throws.
 */
export function parseYaml(source: Source, limits: TextLimits = DEFAULT_LIMITS): ParsedText {
  const report = new DiagnosticList(source, limits.maxDiagnostics);
  const documents: Document[] = [];
  if (source.text.length > limits.maxLength) {
    report.add('text-too-large', `the text has ${source.text.length} characters, at most ${limits.maxLength} are read`, undefined);
    return { documents, diagnostics: report.finish() };
  }
  for (const chunk of readChunks(source.text, limits, report)) {
    // Events are parsed again when a position is asked for: most documents never need one. Once for all documents of the text,
    // or a long file with much to say about it would be parsed as often as it has documents.
    let again: readonly Event[] | undefined;
    const eventsAgain = (): readonly Event[] => {
      again ??= parseEvents(chunk.restore(), options(limits));
      return again;
    };
    for (let at = 0; at < chunk.events.length; at++) {
      if (chunk.events[at]?.type !== EVENT_ID.DOCUMENT || isEmpty(chunk.events[at + 1])) continue;
      if (documents.length >= limits.maxDocuments) {
        report.add('text-too-many-documents', `more than ${limits.maxDocuments} documents`, undefined);
        return { documents, diagnostics: report.finish() };
      }
      const from = at + 1;
      const value = new ValueBuilder(source.text, chunk.events, from, limits, report).build();
      const buildTree = () => buildTextTree(source.text, eventsAgain(), from);
      documents.push(lazyDocument(source, documents.length, value, buildTree));
    }
  }
  return { documents, diagnostics: report.finish() };
}

interface Chunk {
  readonly events: readonly Event[];
  /** The text the events came from, with offsets as in the source. */
  readonly restore: () => string;
}

const MAX_RECOVERED_DOCUMENTS = 200;

function options(limits: TextLimits): { maxDepth: number } {
  return { maxDepth: limits.maxDepth };
}

/** The events of the whole text, or, where that has syntax errors, of each document that has none. */
function readChunks(text: string, limits: TextLimits, report: DiagnosticList): readonly Chunk[] {
  try {
    return [{ events: parseEvents(text, options(limits)), restore: () => text }];
  } catch (error) {
    const starts = documentStarts(text);
    if (starts.length === 1 || starts.length > MAX_RECOVERED_DOCUMENTS || /^%/m.test(text)) {
      reportSyntaxError(error, text, report);
      return [];
    }
    return starts.flatMap((start, i) => {
      const end = starts[i + 1] ?? text.length;
      const restore = () => '\n'.repeat(start) + text.slice(start, end);
      try {
        return [{ events: parseEvents(restore(), options(limits)), restore }];
      } catch (error) {
        reportSyntaxError(error, text, report);
        return [];
      }
    });
  }
}

function documentStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/^---(?=\s|$)/gm)) if (match.index > 0) starts.push(match.index);
  return starts;
}

function isEmpty(event: Event | undefined): boolean {
  return (
    event === undefined || event.type === EVENT_ID.POP || (event.type === EVENT_ID.SCALAR && event.valueStart === -1 && event.style === 1)
  );
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/tab characters/, 'indent with spaces'],
  [
    /bad indentation of a mapping entry|deficient indentation|multiline key/,
    'check that keys of one map start in the same column, and that text holding `: ` or ` #` is quoted',
  ],
  [/bad indentation of a sequence entry/, 'check that the dashes of one list start in the same column'],
  [/unexpected end of the (stream|document) within a (single|double) quoted/, 'close the quote'],
  [/flow collection|missed comma/, 'check commas and closing brackets; text that starts with { or [ must be quoted'],
  [/expected ':'/, 'a key needs `: ` with a space after the colon'],
];

function reportSyntaxError(error: unknown, text: string, report: DiagnosticList): void {
  if (!(error instanceof YAMLException)) throw error;
  const reason = error.reason ?? error.message;
  if (reason.startsWith('nesting exceeded')) {
    report.add(
      'text-too-deep',
      reason.replace(/nesting exceeded maxDepth \((\d+)\)/, 'more than $1 maps and lists inside one another'),
      at(error, text),
    );
    return;
  }
  const hint = HINTS.find(([pattern]) => pattern.test(reason))?.[1];
  report.add('yaml-syntax', reason, at(error, text), { hint });
}

function at(error: YAMLException, text: string): { start: number; end: number } {
  const start = Math.min(error.mark?.position ?? 0, text.length);
  return { start, end: Math.min(start + 1, text.length) };
}
