/** Kubernetes: pkg/apis/admissionregistration/validation: 1 to 30 seconds; 10 by default in v1. */
const DEFAULT_TIMEOUT = 10_000;
const LONGEST_TIMEOUT = 30_000;

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds to answer in, counted from the arrival of a request, by the `timeout` parameter of its query: a Go
 * duration such as `10s` or `1m30s`. A little less than the caller waits, so that the answer still reaches it. What
 * cannot be read counts as the default.
 */
export function reviewDeadline(query: string): number {
  // All calls of one webhook configuration have the same query.
  if (query !== lastQuery) {
    lastDeadline = computeDeadline(query);
    lastQuery = query;
  }
  return lastDeadline;
}

let lastQuery: string | undefined;
let lastDeadline = 0;

function computeDeadline(query: string): number {
  const timeout = query === '' ? undefined : parseDuration(new URLSearchParams(query).get('timeout') ?? '');
  const bounded = timeout === undefined || timeout <= 0 ? DEFAULT_TIMEOUT : Math.min(timeout, LONGEST_TIMEOUT);
  return bounded - Math.min(100, bounded / 10);
}

/** Milliseconds of a Go duration, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,15}(\.[0-9]{0,9})?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/g)) total += Number(number) * UNITS[unit!]!;
  return total;
}
