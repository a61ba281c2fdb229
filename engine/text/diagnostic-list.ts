import type { Diagnostic, Severity, Source, Span } from './diagnostic.ts';

interface Details {
  readonly severity?: Severity;
  readonly hint?: string | undefined;
  readonly path?: string;
}

/** Collects the diagnostics of one source, up to a limit: a hostile file must not become a million messages. */
export class DiagnosticList {
  readonly #source: Source;
  readonly #limit: number;
  readonly #kept: Diagnostic[] = [];
  #dropped = 0;

  constructor(source: Source, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  add(code: string, message: string, span: Span | undefined, { severity = 'error', hint, path }: Details = {}): void {
    if (this.#kept.length >= this.#limit) {
      this.#dropped++;
      return;
    }
    this.#kept.push({
      code,
      severity,
      message,
      source: this.#source,
      ...(span === undefined ? {} : { span }),
      ...(path === undefined ? {} : { path }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Whether anything of severity error was reported. */
  get hasErrors(): boolean {
    return this.#dropped > 0 || this.#kept.some((diagnostic) => diagnostic.severity === 'error');
  }

  /** Everything collected, in the order of the text. */
  finish(): readonly Diagnostic[] {
    const sorted = this.#kept.toSorted((a, b) => (a.span?.start ?? -1) - (b.span?.start ?? -1));
    if (this.#dropped === 0) return sorted;
    return [
      ...sorted,
      { code: 'text-too-many-problems', severity: 'error', message: `${this.#dropped} more problems are not shown`, source: this.#source },
    ];
  }
}
