import type { Steps } from '../effect.ts';
import { show } from '../effects/show.ts';

/** A queueing discipline, as `tc -json -details qdisc show` tells it. */
export interface QdiscRow {
  readonly kind: string;
  /** `1:`; `0:` of what the kernel gives a device by itself. */
  readonly handle: string;
  readonly root?: boolean;
  readonly options?: {
    /** Bytes per second. */
    readonly rate?: number;
    /** Bytes, or bytes and what they are rounded to: `125000b/1`. */
    readonly burst?: number | string;
    /** Microseconds. */
    readonly lat?: number;
  };
}

/** All of a device of the host; none where there is no such device. */
export const qdiscs = (device: string): Steps<readonly QdiscRow[]> => show('tc', undefined, 'qdisc', 'show', 'dev', device);

interface FilterRow {
  readonly options?: { readonly actions?: readonly { readonly kind?: string; readonly to_dev?: string }[] };
}

/** Devices that something which a device of the host receives is redirected to. */
export function* redirects(device: string): Steps<readonly string[]> {
  const filters = yield* show<FilterRow>('tc', undefined, 'filter', 'show', 'dev', device, 'parent', 'ffff:');
  return filters.flatMap(({ options }) => options?.actions?.flatMap(({ to_dev }) => to_dev ?? []) ?? []);
}
