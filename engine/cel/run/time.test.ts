import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CelError, Duration, Timestamp } from '../values.ts';
import { addToTimestamp, formatDuration, parseDuration, subtractTimestamps } from './duration.ts';
import { civilTimeIn } from './time-zone.ts';
import { civilTime, formatTimestamp, parseTimestamp } from './timestamp.ts';

const messageOf = (run: () => unknown): string => {
  try {
    return `no error but ${String(run())}`;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
};

describe('durations in the syntax of Go', () => {
  test.each<[string, bigint]>([
    ['0', 0n],
    ['1h30m', 5_400_000_000_000n],
    ['-1.5s', -1_500_000_000n],
    ['+2m', 120_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['100ms', 100_000_000n],
    ['3us', 3_000n],
    ['3µs', 3_000n],
    ['1h1m1s1ms1us1ns', 3_661_001_001_001n],
    ['2562047h47m16.854775807s', 9223372036854775807n],
    ['-2562047h47m16.854775808s', -9223372036854775808n],
  ])('%s', (text, nanos) => {
    expect(parseDuration(text)?.nanos).toBe(nanos);
  });

  test.each(['', '-', '1', '1x', 's', '.s', '1h 1m', '1h-1m', '2562047h47m16.854775808s', '1d'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each<[bigint, string]>([
    [0n, '0s'],
    [5_400_000_000_000n, '5400s'],
    [1_500_000n, '0.0015s'],
    [-1n, '-0.000000001s'],
    [100_000n, '0.0001s'],
  ])('%d ns print as %s', (nanos, text) => {
    expect(formatDuration(new Duration(nanos))).toBe(text);
  });
});

describe('timestamps to the nanosecond', () => {
  test.each<[string, number, number, string?]>([
    ['1970-01-01T00:00:00Z', 0, 0],
    ['2023-12-25T00:00:00.123456789Z', 1703462400, 123456789],
    ['2023-12-25T00:00:00.5Z', 1703462400, 500000000],
    ['2023-12-25T01:00:00+01:00', 1703462400, 0],
    ['2024-02-29T23:59:59-08:00', 1709279999, 0],
    ['0001-01-01T00:00:00Z', -62135596800, 0],
    ['9999-12-31T23:59:59.999999999Z', 253402300799, 999999999],
    ['1969-12-31T23:59:59.9Z', -1, 900000000],
  ])('%s', (text, seconds, nanos) => {
    const parsed = parseTimestamp(text);
    expect([parsed?.seconds, parsed?.nanos]).toEqual([seconds, nanos]);
    expect(formatTimestamp(parsed!)).toBe(text);
  });

  test.each([
    '2023-02-29T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-01-01',
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:00:60Z',
    '2023-01-01 00:00:00Z',
    '',
  ])('%j is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('a moment before year 1 or after year 9999 is an overflow', () => {
    expect(messageOf(() => parseTimestamp('0001-01-01T00:00:00+01:00'))).toBe('timestamp overflow');
    expect(messageOf(() => addToTimestamp(new Timestamp(253402300799, 0), new Duration(1_000_000_000n)))).toBe('timestamp overflow');
    expect(messageOf(() => subtractTimestamps(new Timestamp(253402300799, 0), new Timestamp(-62135596800, 0)))).toBe('integer overflow');
  });

  const anyTimestamp = fc.tuple(fc.integer({ min: -62135596800, max: 253402300799 }), fc.integer({ min: 0, max: 999_999_999 }));

  test('printing and reading are inverse', () => {
    fc.assert(
      fc.property(anyTimestamp, ([seconds, nanos]) => {
        const parsed = parseTimestamp(formatTimestamp(new Timestamp(seconds, nanos)));
        expect([parsed?.seconds, parsed?.nanos]).toEqual([seconds, nanos]);
      }),
    );
  });

  test('the calendar is that of Date', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (seconds) => {
        const date = new Date(seconds * 1000);
        const at = civilTime(seconds);
        expect([at.year, at.month, at.day, at.hour, at.minute, at.second, at.weekday]).toEqual([
          date.getUTCFullYear(),
          date.getUTCMonth() + 1,
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds(),
          date.getUTCDay(),
        ]);
      }),
    );
  });

  test('adding a duration and taking the difference are inverse', () => {
    fc.assert(
      fc.property(anyTimestamp, fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), ([seconds, nanos], span) => {
        const start = new Timestamp(seconds, nanos);
        const total = seconds + Number(span / 1_000_000_000n);
        fc.pre(total > -62135596700 && total < 253402300700);
        expect(subtractTimestamps(addToTimestamp(start, new Duration(span)), start).nanos).toBe(span);
      }),
    );
  });
});

describe('time zones', () => {
  const summer = parseTimestamp('2023-07-14T10:30:45Z')!;

  test.each<[string, number, number]>([
    ['UTC', 10, 30],
    ['', 10, 30],
    ['America/Los_Angeles', 3, 30],
    ['Asia/Kolkata', 16, 0],
    ['Europe/Berlin', 12, 30],
    ['+02:00', 12, 30],
    ['-09:30', 1, 0],
    ['02:00', 12, 30],
  ])('%s', (zone, hour, minute) => {
    const at = civilTimeIn(summer, zone);
    expect([at.hour, at.minute]).toEqual([hour, minute]);
  });

  test('names that are none', () => {
    expect(messageOf(() => civilTimeIn(summer, 'Nowhere/City'))).toBe('unknown time zone Nowhere/City');
    expect(messageOf(() => civilTimeIn(summer, 'a:b'))).toBe('strconv.Atoi: parsing "a": invalid syntax');
  });
});
