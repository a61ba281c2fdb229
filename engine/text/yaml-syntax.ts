import { parseAllDocuments, type YAMLError } from 'yaml';
import type { Diagnostic, Source } from './diagnostic.ts';
import { DiagnosticList } from './diagnostic-list.ts';
import { DEFAULT_LIMITS, type TextLimits } from './limits.ts';
import { BRACES_HINT } from './yaml-value.ts';

const HINTS: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'parts of one map or list start in the same column',
  MULTILINE_IMPLICIT_KEY: 'a key stands on one line and is followed by `: `; close the quotes and brackets before it',
  BLOCK_AS_IMPLICIT_KEY: 'text that holds `: ` must be quoted; a nested map starts on a line of its own',
  MISSING_CHAR: 'close quotes and brackets on the line where they belong',
  BAD_SCALAR_START: 'text that starts with this character must be quoted',
  BAD_DQ_ESCAPE: "double quotes take JSON's escapes; a backslash itself is \\\\ or stands in single quotes",
  BAD_ALIAS: 'text that starts with * or & must be quoted',
  UNEXPECTED_TOKEN: 'check quotes, brackets and commas before this place',
};

/** For braces that belong to another language: CEL's `${…}` in a flow collection, Helm's `{{…}}`. */
function braceHint(text: string, at: number): string | undefined {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const before = text.slice(start, at + 2);
  if (before.includes('{{')) return BRACES_HINT;
  return text.startsWith('${', at - 1) ? 'inside of { } and [ ], text that holds ${ must be quoted: "${…}"' : undefined;
}

/** Codes that say something about meaning, which the parser proper checks by Kubernetes' rules. */
const NOT_SYNTAX: ReadonlySet<YAMLError['code']> = new Set([
  'DUPLICATE_KEY',
  'NON_STRING_KEY',
  'TAG_RESOLVE_FAILED',
  'BAD_COLLECTION_TYPE',
]);

/** More text than this is not gone over again: the first error of each document is enough. */
const MAX_LENGTH = 2 * 1024 * 1024;

/**
 * All syntax errors of a YAML source, found by a slower parser that goes on after a mistake; one per line, since what follows on
 * the same line is mostly a consequence. Empty where it finds none (the two parsers differ on a few rare constructs) and
 * for very large sources.
 */
export function findYamlSyntaxErrors(source: Source, limits: TextLimits = DEFAULT_LIMITS): readonly Diagnostic[] {
  if (source.text.length > Math.min(MAX_LENGTH, limits.maxLength) || isNestedDeeper(source.text, limits.maxDepth)) return [];
  const report = new DiagnosticList(source, limits.maxDiagnostics);
  let lastLine: number | undefined;
  const documents = parseAllDocuments(source.text, { prettyErrors: false, uniqueKeys: false, schema: 'failsafe', logLevel: 'silent' });
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const [i, error] of document.errors.entries()) {
      if (NOT_SYNTAX.has(error.code)) continue;
      // Once it has lost the thread, every further line of the document is one.
      if (i > 0 && error.message.includes('token in YAML stream')) continue;
      const [start, end] = error.pos;
      const line = source.text.lastIndexOf('\n', Math.max(start - 1, 0));
      if (line === lastLine) continue;
      lastLine = line;
      const lineEnd = source.text.indexOf('\n', start);
      const limit = lineEnd === -1 ? source.text.length : Math.max(lineEnd, start + 1);
      report.add(
        'yaml-syntax',
        decapitalize(error.message),
        { start, end: Math.min(Math.max(end, start + 1), limit) },
        { hint: braceHint(source.text, start) ?? HINTS[error.code] },
      );
    }
  }
  return report.finish();
}

function decapitalize(message: string): string {
  return /^[A-Z][a-z]/.test(message) ? message[0]?.toLowerCase() + message.slice(1) : message;
}

/** Guards the recursive parser: brackets and indentation deeper than the limit are not worth a stack overflow. */
function isNestedDeeper(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const ch = text.charCodeAt(i);
    if (ch === 91 || ch === 123) {
      if (++depth > limit) return true;
    } else if ((ch === 93 || ch === 125) && depth > 0) depth--;
  }
  return new RegExp(`^[ ]{${limit * 2},}`, 'm').test(text) || new RegExp(`(- ){${limit},}`).test(text);
}
