import type { CelIssue } from '../cel/issue.ts';
import type { Diagnostic, Severity, Span } from '../text/diagnostic.ts';
import { type Document, type DocumentPath, formatPath } from '../text/document.ts';

/** Reports what is wrong with one document, at the place where it stands. */
export interface Reporter {
  readonly document: Document;
  error(path: DocumentPath, code: string, message: string, hint?: string): void;
  warning(path: DocumentPath, code: string, message: string, hint?: string): void;
  /** An issue of the expression at `path`; `offset` is where its text begins in the string there. */
  issue(
    path: DocumentPath,
    issue: CelIssue,
    options?: { readonly offset?: number; readonly severity?: Severity; readonly note?: string },
  ): void;
  /** Adds a diagnostic as it is. */
  add(diagnostic: Diagnostic): void;
  readonly hasErrors: boolean;
}

export function reporter(document: Document, diagnostics: Diagnostic[]): Reporter {
  let errors = 0;
  const add = (severity: Severity, path: DocumentPath, code: string, message: string, hint: string | undefined, span?: Span) => {
    if (severity === 'error') errors++;
    const where = span ?? document.locate(path);
    diagnostics.push({
      code,
      severity,
      message,
      source: document.source,
      ...(where === undefined ? {} : { span: where }),
      path: formatPath(path),
      ...(hint === undefined ? {} : { hint }),
    });
  };
  return {
    document,
    error: (path, code, message, hint) => add('error', path, code, message, hint),
    warning: (path, code, message, hint) => add('warning', path, code, message, hint),
    issue(path, issue, options = {}) {
      const base = options.offset ?? 0;
      const start = document.locateWithin(path, base + issue.start);
      const end = document.locateWithin(path, base + Math.max(issue.end, issue.start + 1));
      const span = start === undefined ? undefined : { start, end: end === undefined || end <= start ? start + 1 : end };
      const text = issue.code === 'instantiation' ? `program instantiation failed: ${issue.message}` : issue.message;
      const message = options.note === undefined ? text : `${text} (${options.note})`;
      add(options.severity ?? issue.severity, path, `cel-${issue.code}`, message, issue.hint, span);
    },
    add(diagnostic) {
      if (diagnostic.severity === 'error') errors++;
      diagnostics.push(diagnostic);
    },
    get hasErrors() {
      return errors > 0;
    },
  };
}
