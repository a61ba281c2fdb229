/** A schedule of five fields, as `cron` reads them. Times are milliseconds since the epoch. */
export interface CronSchedule {
  /** The first time after `time`; undefined where there is none within five years, such as for February 30. */
  next(time: number): number | undefined;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Written as `*`: then it does not narrow the days that the other day field names. */
  readonly any: boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const SHORT: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const MINUTE = 60_000;
const YEARS = 5;

/**
 * Reads `*\/5 * * * *`, with names of months and days, lists, ranges and steps. Undefined where the text is no schedule or the time
 * zone is unknown. The zone is an IANA name; default: UTC.
 */
export function parseCronSchedule(text: string, timeZone = 'UTC'): CronSchedule | undefined {
  const parts = (Object.hasOwn(SHORT, text.trim()) ? SHORT[text.trim()]! : text.trim()).split(/\s+/);
  if (parts.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = [
    parseField(parts[0]!, 0, 59),
    parseField(parts[1]!, 0, 23),
    parseField(parts[2]!, 1, 31),
    parseField(parts[3]!, 1, 12, MONTHS, 1),
    parseField(parts[4]!, 0, 7, DAYS),
  ];
  if (!minute || !hour || !day || !month || !weekday) return undefined;
  let wall: (time: number) => Wall;
  try {
    wall = wallClock(timeZone);
  } catch {
    return undefined;
  }
  const isDay = (at: Wall): boolean => {
    if (!month.values.has(at.month)) return false;
    const inMonth = day.values.has(at.day);
    const inWeek = weekday.values.has(at.weekday) || (at.weekday === 0 && weekday.values.has(7));
    return day.any || weekday.any ? inMonth && inWeek : inMonth || inWeek;
  };
  return {
    next(time) {
      const end = time + YEARS * 366 * 24 * 60 * MINUTE;
      for (let at = Math.floor(time / MINUTE) * MINUTE + MINUTE; at <= end; ) {
        const now = wall(at);
        // Past midnight lies another day, at most an hour off where the clock is changed in between.
        if (!isDay(now)) at += Math.max(1, (24 - now.hour) * 60 - now.minute - (now.hour < 22 ? 60 : 0)) * MINUTE;
        else if (!hour.values.has(now.hour)) at += (60 - now.minute) * MINUTE;
        else if (!minute.values.has(now.minute)) at += MINUTE;
        else return at;
      }
      return undefined;
    },
  };
}

function parseField(text: string, min: number, max: number, names: readonly string[] = [], first = 0): Field | undefined {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const match = /^(\*|\?|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,4}))?$/i.exec(part);
    if (match === null) return undefined;
    const [, from, to, step] = match;
    const everything = from === '*' || from === '?';
    if (everything && to !== undefined) return undefined;
    if (everything && step === undefined) any = true;
    const low = everything ? min : fieldValue(from!, names, first);
    const high = everything ? max : to === undefined ? (step === undefined ? low : max) : fieldValue(to, names, first);
    const by = step === undefined ? 1 : Number(step);
    if (low === undefined || high === undefined || low < min || high > max || low > high || by === 0) return undefined;
    for (let value = low; value <= high; value += by) values.add(value);
  }
  return { values, any };
}

function fieldValue(text: string, names: readonly string[], first: number): number | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? undefined : index + first;
}

interface Wall {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

/** What a clock on the wall shows. Throws a RangeError for an unknown zone. */
function wallClock(timeZone: string): (time: number) => Wall {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC')
    return (time) => {
      const date = new Date(time);
      return {
        minute: date.getUTCMinutes(),
        hour: date.getUTCHours(),
        day: date.getUTCDate(),
        month: date.getUTCMonth() + 1,
        weekday: date.getUTCDay(),
      };
    };
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    weekday: 'short',
  });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const weekday = DAYS.indexOf((parts.get('weekday') ?? '').toLowerCase());
    return { minute: number('minute'), hour: number('hour'), day: number('day'), month: number('month'), weekday };
  };
}
