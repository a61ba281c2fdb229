import { CelError, type Timestamp } from '../values.ts';
import { type CivilTime, civilTime } from './timestamp.ts';

/** Formatters by zone name; zone names come from rules and requests, so the table is bounded. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATTERS = 600;

const WHOLE_NUMBER = /^[+-]?\d{1,9}$/;

/**
 * The calendar and clock of a timestamp in a time zone: an IANA name, `UTC`, or an offset such as `+02:00` or `-9:30`.
 * Throws with Go's text for a name that is not known.
 */
export function civilTimeIn(timestamp: Timestamp, zone: string): CivilTime {
  if (zone === 'UTC' || zone === '') return civilTime(timestamp.seconds);
  return civilTime(timestamp.seconds + (zone.includes(':') ? fixedOffset(zone) : namedOffset(zone, timestamp.seconds)));
}

function fixedOffset(zone: string): number {
  const at = zone.indexOf(':');
  const number = (text: string): number => {
    if (!WHOLE_NUMBER.test(text)) throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  };
  const hours = number(zone.slice(0, at));
  const minutes = number(zone.slice(at + 1));
  return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60;
}

function namedOffset(zone: string, seconds: number): number {
  const name = formatter(zone)
    .formatToParts(seconds * 1000)
    .find((part) => part.type === 'timeZoneName')!.value;
  const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name);
  if (!match) throw new CelError(`unknown time zone ${zone}`);
  const size = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
  return match[1] === '-' ? -size : size;
}

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
  if (formatters.size >= MAX_FORMATTERS) formatters.clear();
  formatters.set(zone, made);
  return made;
}
