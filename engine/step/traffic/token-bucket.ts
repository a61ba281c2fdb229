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

/**
 * Bytes by which `tc` comes to the ticks of the official plugin, which keeps whole microseconds of a burst only. Where a tick is many bytes
 * it is the middle of the tick, because `tc` computes in floating point and may lose its beginning.
 */
function wholeMicroseconds(rate: number, burst: number): number {
  const microseconds = Math.floor((burst * 1e6) / rate);
  const ticks = Math.floor((microseconds * TICKS_PER_SECOND) / 1e6);
  return Math.max(1, Math.ceil((microseconds * rate) / 1e6), Math.floor(((ticks + 0.5) * rate) / TICKS_PER_SECOND));
}

/** Whether it is the bucket that {@link bucketWords} makes, but for what rounding does: in the kernel, and where `tc` prints it. */
export function isBucket({ kind, handle, root, options }: QdiscRow, { rate, burst, limit }: TokenBucket): boolean {
  if (kind !== 'tbf' || handle !== '1:' || root !== true || options?.rate !== rate) return false;
  const told = readSize(options.burst);
  if (told === undefined || Math.abs(told.bytes - burst) > told.tolerance + (2 * rate) / 1e6) return false;
  return options.lat === undefined || Math.abs(options.lat - ((limit - burst) / rate) * 1e6) <= 5 + 2e6 / rate;
}

/** iproute2: tc/tc_util.c print_size. A multiple of 1024, or what is near one, is printed as such. */
function readSize(text: number | string | undefined): { readonly bytes: number; readonly tolerance: number } | undefined {
  if (typeof text === 'number') return { bytes: text, tolerance: 1 };
  const match = /^(\d+)(b|Kb|Mb)(\/\d+)?$/.exec(text ?? '');
  if (match === null) return undefined;
  const count = Number(match[1]);
  if (match[2] === 'b') return { bytes: count, tolerance: 1 };
  return match[2] === 'Kb' ? { bytes: count * 1024, tolerance: 17 } : { bytes: count * 1024 * 1024, tolerance: 1025 };
}
