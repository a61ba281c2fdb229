import type { Source } from './diagnostic.ts';
import { DiagnosticList } from './diagnostic-list.ts';
import { JsonReader } from './json-reader.ts';
import { DEFAULT_LIMITS, type TextLimits } from './limits.ts';
import { lazyDocument } from './text-tree.ts';
import type { ParsedText } from './yaml.ts';

/**
 * Reads JSON: one document, or several one after another (as `kubectl get -o json` prints in a loop, or one per line). Reports all
 * syntax errors it can get over (comments, trailing or missing commas, single quotes) and every duplicate key.
 * Integers beyond 2^53 are `bigint`. A source with a syntax error yields no documents. Never throws.
 */
export function parseJson(source: Source, limits: TextLimits = DEFAULT_LIMITS): ParsedText {
  const report = new DiagnosticList(source, limits.maxDiagnostics);
  if (source.text.length > limits.maxLength) {
    report.add('text-too-large', `the text has ${source.text.length} characters, at most ${limits.maxLength} are read`, undefined);
    return { documents: [], diagnostics: report.finish() };
  }
  const reader = new JsonReader(source.text, limits, report);
  const found: { readonly value: unknown; readonly start: number }[] = [];
  while (!reader.atEnd()) {
    if (found.length >= limits.maxDocuments) {
      report.add('text-too-many-documents', `more than ${limits.maxDocuments} documents`, undefined);
      break;
    }
    const start = reader.position;
    const value = reader.read();
    if (reader.failed) return { documents: [], diagnostics: report.finish() };
    found.push({ value, start });
  }
  if (found.length === 0) report.add('json-syntax', 'the text is empty, a JSON value is expected', { start: 0, end: source.text.length });
  if (reader.hasSyntaxErrors) return { documents: [], diagnostics: report.finish() };
  const documents = found.map(({ value, start }, index) =>
    lazyDocument(source, index, value, () => new JsonReader(source.text, limits, undefined, start).readTree()),
  );
  return { documents, diagnostics: report.finish() };
}
