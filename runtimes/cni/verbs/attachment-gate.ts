import { KeyLocks, LockError } from '../../linux/key-locks.ts';

/** What is worked on at once of one network of a rule; the rest waits for its turn. */
interface Network {
  /** Operations that are in the network now. */
  inside: number;
  /** Set while somebody wants it alone, or has it: the others wait for it. */
  alone: Promise<void> | undefined;
  /** Called when the last of those inside has left. */
  onEmpty: (() => void) | undefined;
}

/**
 * Who may work on what: one operation at a time on an attachment, any number on a network, but garbage is collected alone, as the specification
 * says. Waits end with the signal.
 */
export class AttachmentGate {
  readonly #attachments = new KeyLocks();
  readonly #networks = new Map<string, Network>();

  /** Waits for an attachment, and answers what lets go of it. Throws {@link LockError} when `signal` aborts before, or where too many wait. */
  async enter(network: string, attachment: string, verb: string, signal: AbortSignal): Promise<() => void> {
    for (let busy = this.#networks.get(network)?.alone; busy !== undefined; busy = this.#networks.get(network)?.alone)
      await withSignal(busy, `waited in vain for the collection of garbage of network ${network}`, signal);
    const state = this.#of(network);
    state.inside++;
    try {
      const release = await this.#attachments.acquire([attachment], verb, signal);
      return () => {
        release();
        this.#leave(network, state);
      };
    } catch (error) {
      this.#leave(network, state);
      throw error;
    }
  }

  /** Waits until nobody works on a network and keeps others out, until what is answered is called. Throws {@link LockError}. */
  async enterAlone(network: string, signal: AbortSignal): Promise<() => void> {
    for (let busy = this.#networks.get(network)?.alone; busy !== undefined; busy = this.#networks.get(network)?.alone)
      await withSignal(busy, `waited in vain for another collection of garbage of network ${network}`, signal);
    const state = this.#of(network);
    let end = (): void => {};
    state.alone = new Promise<void>((resolve) => {
      end = () => {
        state.alone = undefined;
        this.#dropIfIdle(network, state);
        resolve();
      };
    });
    if (state.inside === 0) return end;
    try {
      const empty = new Promise<void>((resolve) => {
        state.onEmpty = resolve;
      });
      await withSignal(empty, `waited in vain for the operations of network ${network} to end`, signal);
      return end;
    } catch (error) {
      state.onEmpty = undefined;
      end();
      throw error;
    }
  }

  #of(network: string): Network {
    let state = this.#networks.get(network);
    if (state === undefined) {
      state = { inside: 0, alone: undefined, onEmpty: undefined };
      this.#networks.set(network, state);
    }
    return state;
  }

  #leave(network: string, state: Network): void {
    state.inside--;
    if (state.inside > 0) return;
    const { onEmpty } = state;
    state.onEmpty = undefined;
    onEmpty?.();
    this.#dropIfIdle(network, state);
  }

  #dropIfIdle(network: string, state: Network): void {
    if (state.inside === 0 && state.alone === undefined && this.#networks.get(network) === state) this.#networks.delete(network);
  }
}

function withSignal(wait: Promise<void>, inVain: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new LockError(inVain));
    if (signal.aborted) {
      giveUp();
      return;
    }
    signal.addEventListener('abort', giveUp, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
  });
}
