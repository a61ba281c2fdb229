/** A text that diagnostics can point into: a file, standard input, or an expression given on the command line. */
export interface Source {
  /** What the user calls it: a path relative to where they stand, or `<stdin>`. */
  readonly name: string;
  readonly text: string;
}

/** Half-open range of UTF-16 offsets into {@link Source.text}. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Severity = 'error' | 'warning' | 'info';

/**
 * Something to tell the author of a document, as a value: the engine never throws for a user's mistake.
 *
 * A message says what was expected and what was found; the hint says what to do about it.
 */
export interface Diagnostic {
  /** Stable, lower case, dashed, prefixed by its room: `yaml-duplicate-key`, `schema-unknown-field`, `cel-undeclared-reference`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly source?: Source;
  readonly span?: Span;
  /** Path inside the document, as `$.spec.validations[0].expression`. */
  readonly path?: string;
  readonly hint?: string;
}

export function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error';
}
