import { describe, expect, it } from 'vitest';
import { bucketWords, isBucket, tokenBucket } from './token-bucket.ts';

/** What the official plugin and `tc` with our words gave in the same kernel: bits per second, bits, and `tc -json -raw qdisc show`. */
const SEEN = [
  [1e6, 1e6, { rate: 125000, burst: 125000, lat: 24999 }, 128125],
  [1000001, 999999, { rate: 125000, burst: 124999, lat: 24999 }, 128124],
  [8e6, 2147483647, { rate: 1000000, burst: 268435454, lat: 25001 }, 268460455],
  [123456789, 7654321, { rate: 15432098, burst: 956759, lat: 25001 }, 1342592],
  [10e9, 2147483647, { rate: 1250000000, burst: 268433750, lat: 25001 }, 299685455],
  [10e9, 80000, { rate: 1250000000, burst: 10000, lat: 25000 }, 31260000],
  [1e5, 8e5, { rate: 12500, burst: 100000, lat: 24960 }, 100312],
  [3333333333, 33333333, { rate: 416666666, burst: 4165833, lat: 25001 }, 14583332],
] as const;

describe('a token bucket', () => {
  it.each(SEEN)('of %d bit/s and %d bit is what the kernel shows', (rate, burst, options, limit) => {
    const bucket = tokenBucket(rate, burst);
    expect(bucket.limit).toBe(limit);
    expect(isBucket({ kind: 'tbf', handle: '1:', root: true, options }, bucket)).toBe(true);
    expect(bucketWords(bucket).slice(0, 3)).toEqual(['tbf', 'rate', `${options.rate * 8}bit`]);
    expect(bucketWords(bucket).slice(-2)).toEqual(['limit', `${limit}b`]);
  });

  it('is not one with other measures, or of somebody else', () => {
    const bucket = tokenBucket(1e6, 1e6);
    const options = { rate: 125000, burst: 125000, lat: 24999 };
    const row = { kind: 'tbf', handle: '1:', root: true, options };
    expect(isBucket({ ...row, kind: 'htb' }, bucket)).toBe(false);
    expect(isBucket({ ...row, handle: '2:' }, bucket)).toBe(false);
    expect(isBucket({ ...row, options: { ...options, rate: 124999 } }, bucket)).toBe(false);
    expect(isBucket({ ...row, options: { ...options, burst: 120000 } }, bucket)).toBe(false);
    expect(isBucket({ ...row, options: { ...options, lat: 50000 } }, bucket)).toBe(false);
    expect(isBucket({ kind: 'noqueue', handle: '0:', root: true }, bucket)).toBe(false);
  });

  it.each([
    ['125000b/1', 1e6, 1e6],
    ['256Mb/1', 8e6, 2147483647],
    ['64Kb', 8e6, 65536 * 8],
  ])('reads the size %s', (burst, rate, bits) => {
    const bucket = tokenBucket(rate, bits);
    expect(isBucket({ kind: 'tbf', handle: '1:', root: true, options: { rate: bucket.rate, burst } }, bucket)).toBe(true);
  });

  it('cuts down a burst that takes longer than the kernel can count', () => {
    // Kubernetes asks for a burst of 2^31-1 bits whatever the rate is.
    const { burst, rate } = tokenBucket(1e6, 2147483647);
    expect(burst / rate).toBeLessThan(274.9);
    expect(burst / rate).toBeGreaterThan(274.8);
  });
});
