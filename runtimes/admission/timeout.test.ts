import { describe, expect, it } from 'vitest';
import { parseDuration, reviewDeadline } from './timeout.ts';

describe('the deadline of a review', () => {
  it.each([
    ['', 9_900],
    ['timeout=10s', 9_900],
    ['timeout=1s', 900],
    ['timeout=500ms', 450],
    ['timeout=1m30s', 29_900],
    ['timeout=30s&x=1', 29_900],
    ['timeout=0s', 9_900],
    ['timeout=-5s', 9_900],
    ['timeout=soon', 9_900],
    ['timeout=', 9_900],
  ])('%j', (query, expected) => expect(reviewDeadline(query)).toBe(expected));

  it.each([
    ['1h2m3s', 3_723_000],
    ['1.5s', 1500],
    ['250us', 0.25],
    ['10', undefined],
    ['s', undefined],
    ['1s ', undefined],
    ['1'.repeat(100), undefined],
  ])('of %j', (text, expected) => expect(parseDuration(text)).toBe(expected));
});
