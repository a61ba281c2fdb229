import { describe, expect, it } from 'vitest';
import { parseCronSchedule } from './cron-schedule.ts';

const next = (schedule: string, from: string, zone?: string): string | undefined => {
  const time = parseCronSchedule(schedule, zone)?.next(Date.parse(from));
  return time === undefined ? undefined : new Date(time).toISOString().slice(0, 16);
};

describe('parseCronSchedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01'],
    ['*/15 * * * *', '2026-01-01T00:15:00Z', '2026-01-01T00:30'],
    ['5,35 9-17/4 * * *', '2026-01-01T09:35:00Z', '2026-01-01T13:05'],
    ['0 0 1 * *', '2026-01-15T12:00:00Z', '2026-02-01T00:00'],
    ['30 8 * * mon-fri', '2026-01-02T09:00:00Z', '2026-01-05T08:30'],
    ['0 12 * * 7', '2026-01-01T00:00:00Z', '2026-01-04T12:00'],
    ['0 0 13 * 5', '2026-01-03T00:00:00Z', '2026-01-09T00:00'],
    ['0 0 29 feb *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['@daily', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['@hourly', '2026-01-01T00:59:59Z', '2026-01-01T01:00'],
  ])('%s after %s is %s', (schedule, from, expected) => {
    expect(next(schedule, from)).toBe(expected);
  });

  it('reads a wall clock where a time zone is given', () => {
    expect(next('30 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01T07:30');
    expect(next('30 9 * * *', '2026-01-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-01-01T08:30');
    expect(next('30 9 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T07:30');
    expect(next('0 0 * * *', '2026-10-24T22:30:00Z', 'Europe/Berlin')).toBe('2026-10-25T23:00');
  });

  it('never comes to a day that does not exist', () => {
    expect(next('0 0 30 2 *', '2026-01-01T00:00:00Z')).toBeUndefined();
  });

  it.each(['', '* * * *', '60 * * * *', '* * 0 * *', '5-1 * * * *', '*/0 * * * *', '* * * foo *', '*-5 * * * *', 'x'])(
    'does not read %j',
    (text) => {
      expect(parseCronSchedule(text)).toBeUndefined();
    },
  );

  it('does not know a time zone that is none', () => {
    expect(parseCronSchedule('* * * * *', 'Nowhere/Land')).toBeUndefined();
  });
});
