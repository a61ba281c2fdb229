import { expect, test } from 'vitest';
import { compare, lastResult, percentile, relativeSpread } from './measure.ts';

test('percentiles interpolate and do not need sorted values', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(percentile([7], 0.9)).toBe(7);
  expect(relativeSpread([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toBeCloseTo(8 / 6);
});

test('both sides are called with the number of the call, in turns', () => {
  const seen = { ours: 0, reference: 0 };
  const result = compare(
    (iteration) => {
      seen.ours++;
      return iteration;
    },
    () => {
      seen.reference++;
      return 'reference';
    },
    { rounds: 3, milliseconds: 0.01 },
  );
  expect(seen.ours).toBeGreaterThan(3);
  expect(seen.reference).toBeGreaterThan(3);
  expect(lastResult()).toBe('reference');
  expect(result.ours).toBeGreaterThan(0);
  expect(result.spread).toBeGreaterThanOrEqual(0);
});
