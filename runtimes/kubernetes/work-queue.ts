import { type Clock, systemClock, type Timer } from '../host/clock.ts';

/** How urgent a key is: `changed` is news, `initial` came with a list at the start and may wait behind it. */
export type WorkPriority = 'changed' | 'initial';

export interface WorkQueueOptions {
  /** Keys of different groups take turns, so that a busy rule does not hold up the others. Default: all in one. */
  readonly groupOf?: (key: string) => string;
  /** Milliseconds before the first retry of a key; doubled with each further one. Default 200. */
  readonly baseDelay?: number;
  /** Longest delay in milliseconds; default 300 000. */
  readonly maxDelay?: number;
  /** Keys that wait, now or for a time; default 1 000 000. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
  /** From 0 up to 1; spreads retries. */
  readonly random?: () => number;
}

/**
 * Keys that something is to be done about.
 *
 * A key is held once however often it is added. While it is processed it is not given out again; if it is added meanwhile, it is
 * given out exactly once more after {@link done}. Kubernetes: staging/src/k8s.io/client-go/util/workqueue.
 */
export interface WorkQueue {
  /** False where the queue is full or shut down, and the key is not in it. */
  add(key: string, priority?: WorkPriority): boolean;
  /** Adds after so many milliseconds, or earlier where that was asked for before. */
  addAfter(key: string, milliseconds: number, priority?: WorkPriority): boolean;
  /** Adds after a delay that grows with each call until {@link forget}; answers the delay in milliseconds. */
  retry(key: string): number;
  /** The key is well: its next {@link retry} waits as the first did. */
  forget(key: string): void;
  /** Retries since it was last forgotten. */
  retries(key: string): number;
  /** The next key; waits for one. Undefined once the queue is shut down. {@link done} must be called for each key. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  /** Keys that could be taken now. */
  readonly length: number;
  /** Keys that are taken and not done. */
  readonly processing: number;
  /** Gives out nothing more and forgets what waits. Resolves once everything that was taken is done. */
  shutdown(): Promise<void>;
}

/** News comes first, but of so many keys one is of the initial ones, so that they are not held up for ever. */
const INITIAL_SHARE = 16;

/** First in, first out in each group; groups take turns. */
class FairQueue {
  readonly #groups = new Map<string, Set<string>>();
  size = 0;

  add(group: string, key: string): void {
    const keys = this.#groups.get(group);
    if (keys === undefined) this.#groups.set(group, new Set([key]));
    else if (keys.has(key)) return;
    else keys.add(key);
    this.size++;
  }

  delete(group: string, key: string): void {
    const keys = this.#groups.get(group);
    if (keys?.delete(key) !== true) return;
    this.size--;
    if (keys.size === 0) this.#groups.delete(group);
  }

  /** Takes a key of the group whose turn it is, which then goes behind the others. */
  shift(): string | undefined {
    for (const [group, keys] of this.#groups) {
      for (const key of keys) {
        keys.delete(key);
        this.size--;
        this.#groups.delete(group);
        if (keys.size > 0) this.#groups.set(group, keys);
        return key;
      }
    }
    return undefined;
  }
}

/** An empty queue. */
export function createWorkQueue(options: WorkQueueOptions = {}): WorkQueue {
  const {
    groupOf = () => '',
    baseDelay = 200,
    maxDelay = 300_000,
    maxKeys = 1_000_000,
    clock = systemClock,
    random = Math.random,
  } = options;
  const ready: Readonly<Record<WorkPriority, FairQueue>> = { changed: new FairQueue(), initial: new FairQueue() };
  /** Keys that are to be given out: those in `ready`, and those that were added while they are processed. */
  const dirty = new Map<string, WorkPriority>();
  const processing = new Set<string>();
  const delayed = new Map<string, { readonly due: number; readonly priority: WorkPriority; readonly timer: Timer }>();
  const failures = new Map<string, number>();
  const takers: ((key: string | undefined) => void)[] = [];
  let taken = 0;
  let closed: { readonly drained: Promise<void>; readonly drain: () => void } | undefined;

  function add(key: string, priority: WorkPriority = 'changed'): boolean {
    if (closed !== undefined) return false;
    const before = dirty.get(key);
    if (before === priority || before === 'changed') return true;
    if (before === undefined && dirty.size + delayed.size >= maxKeys) return false;
    dirty.set(key, priority);
    if (processing.has(key)) return true;
    const group = groupOf(key);
    if (before !== undefined) ready[before].delete(group, key);
    ready[priority].add(group, key);
    const taker = takers.shift();
    if (taker !== undefined) taker(next());
    return true;
  }

  function next(): string | undefined {
    taken++;
    const initialFirst = taken % INITIAL_SHARE === 0;
    const key = initialFirst ? (ready.initial.shift() ?? ready.changed.shift()) : (ready.changed.shift() ?? ready.initial.shift());
    if (key !== undefined) {
      dirty.delete(key);
      processing.add(key);
    }
    return key;
  }

  function addAfter(key: string, milliseconds: number, priority: WorkPriority = 'changed'): boolean {
    if (closed !== undefined) return false;
    if (milliseconds <= 0) return add(key, priority);
    const due = clock.elapsed() + milliseconds;
    const before = delayed.get(key);
    if (before !== undefined && before.due <= due) return true;
    if (before === undefined && dirty.size + delayed.size >= maxKeys) return false;
    before?.timer.cancel();
    const timer = clock.after(milliseconds, () => {
      delayed.delete(key);
      add(key, priority);
    });
    delayed.set(key, { due, priority, timer });
    return true;
  }

  return {
    add,
    addAfter,
    retry(key) {
      const before = failures.get(key) ?? 0;
      if (closed === undefined) failures.set(key, before + 1);
      const delay = Math.min(baseDelay * 2 ** Math.min(before, 40), maxDelay) * (1 + 0.25 * random());
      addAfter(key, delay);
      return delay;
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
    take() {
      if (closed !== undefined) return Promise.resolve(undefined);
      const key = next();
      if (key !== undefined) return Promise.resolve(key);
      return new Promise((resolve) => takers.push(resolve));
    },
    done(key) {
      if (!processing.delete(key)) return;
      const priority = dirty.get(key);
      if (closed !== undefined) {
        if (processing.size === 0) closed.drain();
      } else if (priority !== undefined) {
        dirty.delete(key);
        add(key, priority);
      }
    },
    get length() {
      return ready.changed.size + ready.initial.size;
    },
    get processing() {
      return processing.size;
    },
    shutdown() {
      if (closed === undefined) {
        let drain = (): void => {};
        const drained = new Promise<void>((resolve) => {
          drain = resolve;
        });
        closed = { drained, drain };
        for (const { timer } of delayed.values()) timer.cancel();
        delayed.clear();
        dirty.clear();
        failures.clear();
        for (const taker of takers.splice(0)) taker(undefined);
        if (processing.size === 0) drain();
      }
      return closed.drained;
    },
  };
}
