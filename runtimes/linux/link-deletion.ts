import { existsSync } from 'node:fs';
import type { Clock } from '../host/clock.ts';
import type { Resident, ResidentAnswer } from './resident.ts';

export interface LinkDeletionOptions {
  /** Children that delete and do nothing else. */
  readonly residents: readonly Resident[];
  readonly clock: Clock;
  /** Milliseconds for one deletion. */
  readonly deadline: number;
  /** Called when a link went out of view: what was known of its name is not true any more. */
  gone(name: string): void;
  /** Whether the kernel shows a link; see {@link isInView}. */
  isInView?(name: string): boolean;
}

/** Milliseconds between two looks. */
const LOOK = 1;

/**
 * Whether a link of the host's namespace is in view. The folder is that of the namespace of who asks, unlike `/sys/class/net`, and goes
 * when the addresses and routes of the link have gone. A link without IPv4 (an MTU below 68) has none, and counts as in view until its
 * deletion returns.
 */
export function isInView(name: string): boolean {
  return existsSync(`/proc/sys/net/ipv4/conf/${name}`);
}

/**
 * Deletes links by name.
 *
 * Measured, with a veth that is up and has an address and a route: `link del` returns after 16 to 23 ms, but after 1.2 ms the link is out of
 * view, its addresses and routes are gone, and a link of the same name can be made; the rest is the kernel waiting until no processor
 * looks at the old one any more (`netdev_run_todo`, outside of the lock that other changes need). So the deletion is answered when the
 * link is out of view, and its end is awaited in the background, by one of a few children that nobody else waits for.
 */
export class LinkDeletion {
  readonly #options: LinkDeletionOptions;
  readonly #running: number[];

  constructor(options: LinkDeletionOptions) {
    this.#options = options;
    this.#running = options.residents.map(() => 0);
  }

  /** Resolves when the link is out of view, or with the failure of its deletion. Rejects as {@link Resident.ask}. */
  async delete(name: string, signal: AbortSignal | undefined): Promise<ResidentAnswer> {
    const { residents, deadline, clock, gone, isInView: look = isInView } = this.#options;
    const least = this.#running.indexOf(Math.min(...this.#running));
    const wasInView = look(name);
    this.#running[least]!++;
    let isDone = false;
    const done = residents[least]!.ask(`link del dev ${name}`, { deadline, signal }).finally(() => {
      isDone = true;
      this.#running[least]!--;
    });
    if (!wasInView) return await done;
    const outOfView = new Promise<ResidentAnswer>((resolve) => {
      const again = (): void => {
        if (isDone) return;
        if (look(name)) clock.after(LOOK, again);
        else resolve({ kind: 'answered', text: '', failed: false, firstUse: clock.elapsed() });
      };
      clock.after(LOOK, again);
    });
    try {
      return await Promise.race([done, outOfView]);
    } finally {
      // When it has returned later, nobody listens.
      done.catch(() => {});
      gone(name);
    }
  }
}
