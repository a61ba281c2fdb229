import type { Clock, Timer } from '../../../host/clock.ts';
import type { GroupResource, ObjectEvent, Registry } from '../registry.ts';
import type { ObjectKey } from './kind.ts';
import { reasonOf } from './write.ts';

/** When to look at a key again although nothing has happened; undefined: not before something does. */
export type SyncAgain = { readonly after: number } | undefined;

/** One kind of work: which keys a change concerns, and what is done about a key. */
export interface Controller {
  /** For messages, and the field manager of its writes. */
  readonly name: string;
  /** Resources whose changes concern it; `*` for all. */
  readonly watches: readonly (GroupResource | '*')[];
  /** Keys that may be worked on at the same time. Default: 4. */
  readonly workers?: number;
  /** Keys to look at because of a change. Called in the order of changes, synchronously; must not throw or write. */
  keys(event: ObjectEvent): Iterable<ObjectKey>;
  /** Keys to look at first. */
  initial(): Iterable<ObjectKey>;
  /** Makes a key's world as it should be. May throw: the key comes again after a while. One call per key at a time. */
  sync(key: ObjectKey): Promise<SyncAgain>;
}

export interface ControlLoopOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly controllers: readonly Controller[];
  /** Called with each event before the controllers are; for indexes that they share. */
  readonly follow?: (event: ObjectEvent) => void;
  /** Told of a sync that failed with something else than a conflict, which is nobody's fault. */
  readonly onError?: (controller: string, key: ObjectKey, error: unknown) => void;
}

export interface ControlLoop {
  /** Resolves once nothing is queued and nothing runs; timers may wait. */
  idle(): Promise<void>;
  /** Takes no more events and starts nothing more; resolves once what runs has ended. */
  close(): Promise<void>;
}

const WORKERS = 4;
const FIRST_RETRY = 5;
const LAST_RETRY = 30_000;

/**
 * Runs controllers: a key that changes is looked at soon, never twice at the same time, and once more when it changed
 * meanwhile. Controllers don't wait for each other.
 */
export function runControlLoop(options: ControlLoopOptions): ControlLoop {
  const { registry, clock, controllers, follow, onError = () => {} } = options;
  const idleWaiters = new Set<() => void>();
  let busy = 0;
  let closed = false;
  const changeBusy = (by: number): void => {
    busy += by;
    if (busy > 0) return;
    for (const resolve of idleWaiters) resolve();
    idleWaiters.clear();
  };
  const queues = controllers.map((controller) => new KeyQueue(controller, clock, changeBusy, onError));
  const byResource = new Map<string, KeyQueue[]>();
  for (const queue of queues)
    for (const resource of queue.controller.watches) {
      const watching = byResource.get(resource);
      if (watching === undefined) byResource.set(resource, [queue]);
      else watching.push(queue);
    }
  const everywhere = byResource.get('*') ?? [];
  const unsubscribe = registry.subscribe((event) => {
    follow?.(event);
    for (const queue of byResource.get(event.resource) ?? []) queue.changed(event);
    for (const queue of everywhere) queue.changed(event);
  });
  for (const queue of queues) queue.start();
  const idle = (): Promise<void> => (busy === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.add(resolve)));
  return {
    idle,
    close() {
      if (!closed) {
        closed = true;
        unsubscribe();
        for (const queue of queues) queue.close();
      }
      return idle();
    },
  };
}

/**
 * The keys of one controller. Queued, running and due-again are told apart as in client-go util/workqueue/queue.go: a key that is
 * added while it runs is queued once it has ended.
 */
class KeyQueue {
  readonly controller: Controller;
  readonly #clock: Clock;
  readonly #changeBusy: (by: number) => void;
  readonly #onError: NonNullable<ControlLoopOptions['onError']>;
  readonly #queued = new Set<ObjectKey>();
  readonly #running = new Set<ObjectKey>();
  readonly #again = new Set<ObjectKey>();
  readonly #timers = new Map<ObjectKey, { readonly due: number; readonly timer: Timer }>();
  readonly #failures = new Map<ObjectKey, number>();
  #closed = false;

  constructor(controller: Controller, clock: Clock, changeBusy: (by: number) => void, onError: NonNullable<ControlLoopOptions['onError']>) {
    this.controller = controller;
    this.#clock = clock;
    this.#changeBusy = changeBusy;
    this.#onError = onError;
  }

  start(): void {
    for (const key of this.controller.initial()) this.#add(key);
  }

  changed(event: ObjectEvent): void {
    for (const key of this.controller.keys(event)) this.#add(key);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#again.clear();
    this.#changeBusy(-this.#queued.size);
    this.#queued.clear();
  }

  #add(key: ObjectKey): void {
    if (this.#closed || this.#queued.has(key)) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#queued.add(key);
    this.#changeBusy(1);
    this.#runNext();
  }

  #addAfter(key: ObjectKey, milliseconds: number): void {
    if (this.#closed) return;
    const due = this.#clock.elapsed() + milliseconds;
    const waiting = this.#timers.get(key);
    // The key is looked at when the first of its timers is due, and asks anew then.
    if (waiting !== undefined && waiting.due <= due) return;
    waiting?.timer.cancel();
    const timer = this.#clock.after(milliseconds, () => {
      this.#timers.delete(key);
      this.#add(key);
    });
    this.#timers.set(key, { due, timer });
  }

  #runNext(): void {
    if (this.#running.size >= (this.controller.workers ?? WORKERS)) return;
    const [key] = this.#queued;
    if (key === undefined) return;
    this.#queued.delete(key);
    this.#running.add(key);
    // Not in the stack of the writer whose event this is, and after requests that wait for the event loop.
    setImmediate(() => void this.#run(key));
  }

  async #run(key: ObjectKey): Promise<void> {
    try {
      const again = this.#closed ? undefined : await this.controller.sync(key);
      this.#failures.delete(key);
      if (again !== undefined) this.#addAfter(key, again.after);
    } catch (error) {
      if (reasonOf(error) !== 'Conflict') this.#onError(this.controller.name, key, error);
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      // A conflict or two just means that somebody was faster.
      if (failures < 3 && reasonOf(error) === 'Conflict') this.#again.add(key);
      else this.#addAfter(key, Math.min(FIRST_RETRY * 2 ** failures, LAST_RETRY));
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.#add(key);
    this.#runNext();
    this.#changeBusy(-1);
  }
}
