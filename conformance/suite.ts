/** What one comparison said. */
export interface CaseResult {
  /** Unique in its suite and stable from run to run: it is what `known-failures.txt` names. One line. */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed (expected and found) or was skipped; may have several lines. */
  readonly reason?: string;
}

export interface SuiteContext {
  /**
   * Folder of a corpus that is kept outside the project: `--corpus DIR` when given, else `$FAIRLEAD_CORPORA/<name>`, else
   * `../shared/corpora/<name>` beside the checkout. Throws {@link SuiteUnavailable} where there is none.
   */
  corpus(name: string): string;
  /** True when the case passes `--filter`; a suite may ask before it does costly work. The runner filters in any case. */
  wanted(name: string): boolean;
  /** Says that cases are left out of this run, so that names of known failures need not be found. */
  incomplete(why: string): void;
  /** Progress for a person, on standard error. */
  log(line: string): void;
  /** Aborted on SIGINT and SIGTERM: clean up and return. */
  readonly signal: AbortSignal;
}

/**
 * A comparison with something this project did not write. Lives in `conformance/<name>/suite.ts` as the export `suite`, beside
 * its `known-failures.txt`.
 */
export interface Suite {
  readonly name: string;
  /** One line for `--list`. */
  readonly description: string;
  /** Takes too long to run with the others: only runs when the command line names it. */
  readonly onlyWhenNamed?: boolean;
  run(context: SuiteContext): AsyncIterable<CaseResult>;
}

/** Thrown by a suite that can't run here (no corpus, no Go): the suite is skipped with this one line. */
export class SuiteUnavailable extends Error {
  override readonly name = 'SuiteUnavailable';
}
