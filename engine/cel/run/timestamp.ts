import { CelError, Timestamp } from '../values.ts';
import { MAX_UNIX_SECONDS, MIN_UNIX_SECONDS } from './duration.ts';

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const leapThisYear = month > 2 && isLeap(year) ? 1 : 0;
  return before * 365 + leapDays - 719162 + DAYS_BEFORE_MONTH[month - 1]! + leapThisYear + day - 1;
}

/**
 * Reads an RFC 3339 timestamp to the nanosecond; undefined when the text is not one. Throws `timestamp overflow` when it names
 * a moment outside the years 1 to 9999 (in UTC).
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  const offsetHours = Number(match[9] ?? 0);
  const offsetRest = Number(match[10] ?? 0);
  if (offsetHours > 24 || offsetRest > 60) return undefined;
  const offset = (offsetHours * 60 + offsetRest) * (match[8] === '-' ? -1 : 1);
  const nanos = Number((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  const seconds = daysFromEpoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
  if (seconds < MIN_UNIX_SECONDS || seconds > MAX_UNIX_SECONDS) throw new CelError('timestamp overflow');
  return new Timestamp(seconds, nanos, offset);
}

/** A moment on the calendar and clock of some offset from UTC. */
export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 0 is the first of January. */
  readonly yearDay: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The calendar and clock at `seconds` since 1970 in UTC. */
export function civilTime(seconds: number): CivilTime {
  const days = Math.floor(seconds / 86400);
  const clock = seconds - days * 86400;
  // Years counted from the first of March 0000, so that the leap day is the last of its year.
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysFromEpoch(year, 1, 1),
    hour: Math.floor(clock / 3600),
    minute: Math.floor((clock % 3600) / 60),
    second: clock % 60,
  };
}

/** RFC 3339 with as many digits of fraction as needed, in the offset the timestamp was written with. */
export function formatTimestamp(timestamp: Timestamp): string {
  const offset = timestamp.offsetMinutes;
  const at = civilTime(timestamp.seconds + offset * 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${String(at.year).padStart(4, '0')}-${two(at.month)}-${two(at.day)}`;
  const fraction = timestamp.nanos === 0 ? '' : `.${String(timestamp.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  const size = Math.abs(offset);
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${date}T${two(at.hour)}:${two(at.minute)}:${two(at.second)}${fraction}${zone}`;
}
