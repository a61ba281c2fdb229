/** The `fraction` percentile (0 to 1) by linear interpolation. `values` need not be sorted, and must not be empty. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (position - low);
}

/** (90th - 10th percentile) / median. */
export function relativeSpread(values: readonly number[]): number {
  return (percentile(values, 0.9) - percentile(values, 0.1)) / percentile(values, 0.5);
}

export interface Comparison {
  /** Nanoseconds per call, median of the rounds. */
  readonly ours: number;
  readonly reference: number;
  /** Relative spread of ours/reference over the rounds. */
  readonly spread: number;
}

export interface CompareOptions {
  /** Default 15. */
  readonly rounds?: number;
  /** Length of one round of one side. Default 40. */
  readonly milliseconds?: number;
}

/** Takes the results so that an optimiser may not drop the work. */
let sink: unknown;

/**
 * Measures two functions in turns (ours, reference, ours, …), so that a slow machine is slow for both. Each gets the number
 * of the call, to choose among inputs. Both are warmed up first.
 */
export function compare(
  ours: (iteration: number) => unknown,
  reference: (iteration: number) => unknown,
  options: CompareOptions = {},
): Comparison {
  const { rounds = 15, milliseconds = 40 } = options;
  const callsOf = [ours, reference].map((run) => calibrate(run, milliseconds));
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(timePerCall(ours, callsOf[0]!));
    times[1].push(timePerCall(reference, callsOf[1]!));
  }
  const ratios = times[0].map((time, round) => time / times[1][round]!);
  return { ours: percentile(times[0], 0.5), reference: percentile(times[1], 0.5), spread: relativeSpread(ratios) };
}

/** Warms up and answers how many calls fill a round. */
function calibrate(run: (iteration: number) => unknown, milliseconds: number): number {
  let calls = 1;
  for (;;) {
    const perCall = timePerCall(run, calls);
    if (perCall * calls >= milliseconds * 1e6) return calls;
    calls = Math.ceil(Math.min(calls * 10, Math.max(calls * 2, (milliseconds * 1e6) / Math.max(perCall, 0.1))));
  }
}

function timePerCall(run: (iteration: number) => unknown, calls: number): number {
  const started = process.hrtime.bigint();
  for (let iteration = 0; iteration < calls; iteration++) sink = run(iteration);
  return Number(process.hrtime.bigint() - started) / calls;
}

/** The last result measured, for a test that the work was done. */
export function lastResult(): unknown {
  return sink;
}
