import { expect, test } from 'vitest';
import { formatMicroTime, formatTime } from './time.ts';

test.each([
  [0, '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z'],
  [Date.UTC(2026, 0, 2, 3, 4, 5, 999), '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.999000Z'],
  [-1, '1969-12-31T23:59:59Z', '1969-12-31T23:59:59.999000Z'],
])('%d is %s', (milliseconds, time, microTime) => {
  expect([formatTime(milliseconds), formatMicroTime(milliseconds)]).toEqual([time, microTime]);
});
