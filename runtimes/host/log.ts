import { type Clock, systemClock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a log line may carry: scalars only, so that an object of the cluster cannot slip in. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes structured lines. Never give it object contents, tokens or keys. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/** A log of rooms whose lines all have one level. */
export type LineLog = (line: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Lines of a log at one level. What is no scalar is left out. */
export function logAt(log: Log, level: LogLevel): LineLog {
  return (line, fields = {}) => {
    const scalars = Object.entries(fields).filter((entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    );
    log(level, line, Object.fromEntries(scalars));
  };
}

/** A log that says nothing. */
export const silentLog: Log = () => {};

export interface JsonLogOptions {
  readonly level?: LogLevel;
  /** Where lines go; standard error by default, so that standard output stays free for results. */
  readonly write?: (line: string) => void;
}

/** A log of one JSON object per line, written by pino, which is loaded only here. */
export async function createJsonLog(options: JsonLogOptions = {}): Promise<Log> {
  const { pino } = await import('pino');
  const level = options.level ?? 'info';
  const settings = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'message',
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const { write } = options;
  const logger = write === undefined ? pino(settings, pino.destination({ fd: 2, sync: true })) : pino(settings, { write });
  return (at, message, fields) => {
    if (fields === undefined) logger[at](message);
    else logger[at](bounded(fields), message);
  };
}

const LONGEST_FIELD = 1024;

function bounded(fields: LogFields): LogFields {
  for (const key in fields) {
    const value = fields[key];
    if (typeof value === 'string' && value.length > LONGEST_FIELD) {
      return Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [
          name,
          typeof field === 'string' && field.length > LONGEST_FIELD ? `${field.slice(0, LONGEST_FIELD)}…` : field,
        ]),
      );
    }
  }
  return fields;
}

export interface LogBound {
  /** Lines of one message that may come at once. */
  readonly burst?: number;
  /** Lines of one message per second in the long run. */
  readonly perSecond?: number;
  readonly clock?: Clock;
}

/**
 * Bounds how often each message is written, by a token bucket per message: a flood of requests must not become a flood
 * of lines. The next line that passes carries `suppressed`, the number of those that did not.
 */
export function boundLog(log: Log, bound: LogBound = {}): Log {
  const { burst = 20, perSecond = 5, clock = systemClock } = bound;
  const buckets = new Map<string, { tokens: number; at: number; suppressed: number }>();
  return (level, message, fields) => {
    const now = clock.elapsed();
    let bucket = buckets.get(message);
    if (bucket === undefined) {
      // Messages are constants of the program, so the map is small; this holds even if one is not.
      if (buckets.size >= 1000) buckets.clear();
      bucket = { tokens: burst, at: now, suppressed: 0 };
      buckets.set(message, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) {
      bucket.suppressed++;
      return;
    }
    bucket.tokens--;
    const { suppressed } = bucket;
    bucket.suppressed = 0;
    log(level, message, suppressed === 0 ? fields : { ...fields, suppressed });
  };
}
