import { CelError, Duration, Timestamp } from '../values.ts';
import { decimalDigits } from './double-format.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const SECOND = 1_000_000_000n;

/** First and last second that a timestamp may have: the years 1 to 9999. */
export const MIN_UNIX_SECONDS = -62135596800;
export const MAX_UNIX_SECONDS = 253402300799;

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  '\u00b5s': 1000n,
  '\u03bcs': 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

function within(nanos: bigint): bigint {
  if (nanos < INT64_MIN || nanos > INT64_MAX) throw new CelError('integer overflow');
  return nanos;
}

/** Reads Go's duration syntax (`1h30m`, `-1.5s`, `100ms`, `0`), or returns undefined. Beyond int64 nanoseconds is undefined too. */
export function parseDuration(text: string): Duration | undefined {
  const sign = text.startsWith('-') ? -1n : 1n;
  const rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return new Duration(0n);
  if (rest === '' || rest.length > 200) return undefined;
  const part = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  let total = 0n;
  for (let at = 0; at < rest.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(rest);
    if (!match) return undefined;
    const [, whole = '', fraction = '', unitName = ''] = match;
    if (whole === '' && fraction === '') return undefined;
    const unit = UNITS[unitName]!;
    total += BigInt(whole || '0') * unit;
    if (fraction !== '') total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  const nanos = sign * total;
  return nanos < INT64_MIN || nanos > INT64_MAX ? undefined : new Duration(nanos);
}

/** `string(duration)`: seconds as a decimal number and `s`. */
export function formatDuration(duration: Duration): string {
  return `${decimalDigits(durationSeconds(duration))}s`;
}

/** Seconds with their fraction, as a double. */
export function durationSeconds(duration: Duration): number {
  return Number(duration.nanos / SECOND) + Number(duration.nanos % SECOND) / 1e9;
}

/** Throws `integer overflow` beyond int64 nanoseconds. */
export const addDurations = (a: Duration, b: Duration): Duration => new Duration(within(a.nanos + b.nanos));

export const negateDuration = (a: Duration): Duration => new Duration(within(-a.nanos));

/** Throws `timestamp overflow` outside the years 1 to 9999. Keeps the offset the timestamp is printed with. */
export function addToTimestamp(timestamp: Timestamp, duration: Duration): Timestamp {
  const total = BigInt(timestamp.nanos) + duration.nanos;
  let carry = total / SECOND;
  let nanos = total % SECOND;
  if (nanos < 0n) {
    nanos += SECOND;
    carry -= 1n;
  }
  const seconds = timestamp.seconds + Number(carry);
  if (seconds < MIN_UNIX_SECONDS || seconds > MAX_UNIX_SECONDS) throw new CelError('timestamp overflow');
  return new Timestamp(seconds, Number(nanos), timestamp.offsetMinutes);
}

/** The time from `b` to `a`. Throws `integer overflow` when it is beyond int64 nanoseconds (some 292 years). */
export function subtractTimestamps(a: Timestamp, b: Timestamp): Duration {
  return new Duration(within(within(BigInt(a.seconds - b.seconds) * SECOND) + BigInt(a.nanos - b.nanos)));
}
