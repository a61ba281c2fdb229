import type { FunctionDeclaration } from '../../function.ts';
import { durationSeconds } from '../../run/duration.ts';
import { civilTimeIn } from '../../run/time-zone.ts';
import type { CivilTime } from '../../run/timestamp.ts';
import { DURATION, INT, STRING, TIMESTAMP } from '../../types.ts';
import type { CelValue, Duration, Timestamp } from '../../values.ts';
import { member } from './overloads.ts';

type Part = (at: CivilTime, timestamp: Timestamp) => number;

/** A getter on timestamps, in UTC or in the named zone, and on durations where there is a meaning. */
function getter(
  name: string,
  id: string,
  part: Part,
  ofDuration?: (duration: Duration) => number,
  zonedId = `${id}_with_tz`,
): FunctionDeclaration {
  const read = (timestamp: CelValue, zone: CelValue = 'UTC'): number =>
    part(civilTimeIn(timestamp as Timestamp, zone as string), timestamp as Timestamp);
  const overloads = [member(id, [TIMESTAMP], INT, read), member(zonedId, [TIMESTAMP, STRING], INT, read)];
  if (ofDuration)
    overloads.push(member(id.replace('timestamp', 'duration'), [DURATION], INT, (duration) => ofDuration(duration as Duration)));
  return { name, overloads };
}

const truncated = (seconds: number): number => Math.trunc(seconds) + 0;

/** `getFullYear` ... `getMilliseconds`. cel-go: common/stdlib/standard.go. */
export const TIME: readonly FunctionDeclaration[] = [
  getter('getFullYear', 'timestamp_to_year', (at) => at.year),
  getter('getMonth', 'timestamp_to_month', (at) => at.month - 1),
  getter('getDayOfYear', 'timestamp_to_day_of_year', (at) => at.yearDay),
  getter('getDayOfMonth', 'timestamp_to_day_of_month', (at) => at.day - 1),
  getter('getDate', 'timestamp_to_day_of_month_1_based', (at) => at.day),
  getter('getDayOfWeek', 'timestamp_to_day_of_week', (at) => at.weekday),
  getter(
    'getHours',
    'timestamp_to_hours',
    (at) => at.hour,
    (duration) => truncated(durationSeconds(duration) / 3600),
  ),
  getter(
    'getMinutes',
    'timestamp_to_minutes',
    (at) => at.minute,
    (duration) => truncated(durationSeconds(duration) / 60),
  ),
  getter(
    'getSeconds',
    'timestamp_to_seconds',
    (at) => at.second,
    (duration) => truncated(durationSeconds(duration)),
    'timestamp_to_seconds_tz',
  ),
  getter(
    'getMilliseconds',
    'timestamp_to_milliseconds',
    (_, timestamp) => Math.floor(timestamp.nanos / 1_000_000),
    (duration) => Number(duration.nanos / 1_000_000n),
  ),
];
