import { parseDuration } from '../../cel/run/duration.ts';
import { type CelValue, Duration } from '../../cel/values.ts';

/** Milliseconds that a certificate is valid where a rule does not say: 90 days. */
export const DEFAULT_CERTIFICATE_DURATION = 90 * 24 * 60 * 60 * 1000;

/** Milliseconds of a duration as `90s` or `2160h`; undefined for text that is none, and for a negative one. */
export function readDuration(text: string): number | undefined {
  const duration = parseDuration(text.trim());
  return duration === undefined ? undefined : millisecondsOf(duration);
}

/** Milliseconds of a value of an expression: a duration, or its text. */
export function durationOf(value: CelValue): number | undefined {
  if (value instanceof Duration) return millisecondsOf(value);
  return typeof value === 'string' ? readDuration(value) : undefined;
}

/** Rounded up, so that nothing is looked at before its time. */
function millisecondsOf({ nanos }: Duration): number | undefined {
  return nanos < 0n ? undefined : Number((nanos + 999_999n) / 1_000_000n);
}
