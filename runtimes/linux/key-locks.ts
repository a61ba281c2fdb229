/** Those who wait for one key, at most. */
const MAX_WAITING = 10_000;

/** A lock was not had: the wait was given up, or too many wait. */
export class LockError extends Error {
  override readonly name = 'LockError';
}

interface Waiter {
  readonly holder: string;
  readonly proceed: () => void;
}

interface Lock {
  holder: string;
  readonly waiting: Waiter[];
}

/**
 * Locks by key, within this process. First come, first served. Several keys are taken in their order, one after the other, so that two who
 * want the same keys never wait for each other.
 */
export class KeyLocks {
  readonly #locks = new Map<string, Lock>();

  /**
   * Takes all keys and answers what gives them back. `holder` is named to those who wait in vain: a noun. Throws {@link LockError} when
   * `signal` aborts before, or where too many wait; then none is held.
   */
  async acquire(keys: readonly string[], holder: string, signal?: AbortSignal): Promise<() => void> {
    const wanted = keys.length < 2 ? keys : [...new Set(keys)].sort();
    const held: string[] = [];
    const release = (): void => {
      for (const key of held.splice(0).reverse()) this.#release(key);
    };
    try {
      for (const key of wanted) {
        const lock = this.#locks.get(key);
        if (lock === undefined) this.#locks.set(key, { holder, waiting: [] });
        else await wait(lock, key, holder, signal);
        held.push(key);
      }
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  #release(key: string): void {
    const lock = this.#locks.get(key)!;
    const next = lock.waiting.shift();
    if (next === undefined) return void this.#locks.delete(key);
    lock.holder = next.holder;
    next.proceed();
  }
}

function wait(lock: Lock, key: string, holder: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (lock.waiting.length >= MAX_WAITING) {
      reject(new LockError(`${lock.waiting.length} wait for ${key} already, which ${lock.holder} has`));
      return;
    }
    const giveUp = (): void => {
      lock.waiting.splice(lock.waiting.indexOf(waiter), 1);
      reject(new LockError(`waited in vain for ${key}, which ${lock.holder} has`));
    };
    const waiter: Waiter = {
      holder,
      proceed: () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      },
    };
    lock.waiting.push(waiter);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}
