import type { QdiscRow } from './qdisc.ts';

/**
 * A token bucket filter (tbf) in the kernel's measures. As the official plugin computes it, so that a limit means the same:
 * plugins/meta/bandwidth/ifb_creator.go buffer, limit.
 */
export interface TokenBucket {
  /** Bytes per second. */
  readonly rate: number;
  /** Bytes that pass at once when nothing has passed for a while. */
  readonly burst: number;
  /** Bytes that may wait: the burst, and what passes in 25 ms. */
  readonly limit: number;
}

/** Seconds that a packet may wait. */
const LATENCY = 0.025;
const MAX_UINT32 = 2 ** 32 - 1;
/** The kernel keeps a burst as the time it takes, in units of 64 ns. Linux: include/net/pkt_sched.h PSCHED_SHIFT */
const TICKS_PER_SECOND = 15_625_000;

/** Of bits per second and bits. A burst that takes longer than the kernel can count, 274 seconds, is cut down to that. */
export function tokenBucket(rateBits: number, burstBits: number): TokenBucket {
  const rate = Math.floor(rateBits / 8);
  const burst = Math.min(Math.floor(burstBits / 8), Math.floor((rate * MAX_UINT32) / TICKS_PER_SECOND));
  return { rate, burst, limit: Math.min(Math.floor(rate * LATENCY) + Math.floor(burstBits / 8), MAX_UINT32) };
}

/** As `tc qdisc add ...` is told. */
export const bucketWords = ({ rate, burst, limit }: TokenBucket): readonly string[] => [
  ...['tbf', 'rate', `${rate * 8}bit`],
  ...['burst', `${wholeMicroseconds(rate, burst)}b`],
  ...['limit', `${limit}b`],
];

/** The official plugin keeps whole microseconds of a burst only. */
const wholeMicroseconds = (rate: number, burst: number): number => Math.max(1, Math.ceil((Math.floor((burst * 1e6) / rate) * rate) / 1e6));

/** Whether it is the bucket that {@link bucketWords} makes, but for what rounding does. */
export function isBucket({ kind, handle, root, options }: QdiscRow, bucket: TokenBucket): boolean {
  if (kind !== 'tbf' || handle !== '1:' || root !== true || options?.rate !== bucket.rate) return false;
  const burst = Number.parseInt(String(options.burst), 10);
  return Math.abs(burst - bucket.burst) <= 1 + bucket.rate / 1e6;
}
