/** One line of a ratio table. */
export interface BenchRow {
  readonly name: string;
  /** Of `ours` and of the reference: `ns`, `µs`, `ms`, `MB`, `req/s`. */
  readonly unit: string;
  /** Median over the rounds. */
  readonly ours: number;
  /** A peer, or a ceiling such as a hand-written closure, measured in the same run. */
  readonly reference?: { readonly name: string; readonly value: number };
  /** (90th - 10th percentile) / median of the rounds' ratios (of ours, where there is no reference). */
  readonly spread?: number;
  readonly better: 'lower' | 'higher';
  /** What we promise, in words: `at most 2 times the closure`. */
  readonly goal?: string;
  readonly note?: string;
}

export interface BenchContext {
  /** Progress for a person, on standard error. */
  log(line: string): void;
  readonly signal: AbortSignal;
}

/**
 * A benchmark: `conformance/bench/<name>.bench.ts`, export `bench`. Throws `SuiteUnavailable` (of `conformance/suite.ts`) where it can't run.
 */
export interface Bench {
  readonly name: string;
  readonly description: string;
  run(context: BenchContext): AsyncIterable<BenchRow>;
}
