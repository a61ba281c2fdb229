import { EffectError } from '../../../engine/step/effect.ts';
import type { Clock } from '../../host/clock.ts';
import type { RelayEnds } from '../child.ts';
import { NetlinkPlace } from './place.ts';
import { Relay } from './relay.ts';

export interface NetlinkOptions {
  readonly clock: Clock;
  /** Milliseconds for the lines of one effect. */
  readonly deadline: number;
  /** Starts the relay. May throw {@link EffectError}. */
  start(): RelayEnds;
}

/** The place where relays are started. */
const HOME = 0;
const MAX_PLACES = 60_000;

/**
 * The kernel's own language for links, addresses and routes, for the lines of iproute2 whose meaning is known here: what nearly every
 * attachment does. All lines of an effect are one exchange, a namespace is entered by opening a socket there, and names are looked up by the
 * kernel each time. What is not known is answered with undefined, with nothing done, and is left to iproute2.
 */
export class Netlink {
  readonly #options: NetlinkOptions;
  readonly #places = new Set<number>();
  #relay: Relay | undefined;
  #last = HOME;
  #isClosed = false;

  constructor(options: NetlinkOptions) {
    this.#options = options;
  }

  /** Starts the relay, so that who asks first does not wait for it. */
  prepare(): void {
    this.#current();
  }

  /** Where to talk about the host itself. */
  home(): NetlinkPlace {
    return this.#place(HOME, undefined);
  }

  /** Where to talk about the namespace at a path. Close it. Undefined where too many are open. */
  place(path: string): NetlinkPlace | undefined {
    if (this.#places.size >= MAX_PLACES) return undefined;
    do this.#last = (this.#last % MAX_PLACES) + 1;
    while (this.#places.has(this.#last));
    this.#places.add(this.#last);
    return this.#place(this.#last, path);
  }

  #place(number: number, path: string | undefined): NetlinkPlace {
    return new NetlinkPlace({ relay: () => this.#current(), number, path, onClose: () => this.#places.delete(number) });
  }

  /** The relay that there is now. Throws {@link EffectError} where none can be started. */
  #current(): Relay {
    if (this.#isClosed) throw new EffectError('program', 'the host is closed', 'netlink');
    if (!this.#relay?.isOpen) {
      const { clock, deadline, start } = this.#options;
      this.#relay = new Relay({ ends: start(), clock, deadline });
    }
    return this.#relay;
  }

  async close(patience: number): Promise<void> {
    this.#isClosed = true;
    await this.#relay?.end(patience);
  }
}
