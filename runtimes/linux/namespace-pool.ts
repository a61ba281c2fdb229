import { EffectError } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { NamespaceEntry } from './namespace-entry.ts';
import { type NamespaceProgram, namespaceProgram } from './namespace-program.ts';

export interface NamespacePoolOptions {
  readonly clock: Clock;
  /** What runs in namespaces. Default: the quickest that the host has. */
  readonly program?: NamespaceProgram;
  /** Processes that wait outside, ready to enter: a process takes a millisecond of this one to start. As many as this are started ahead. */
  readonly spares: number;
  /** Processes that wait outside again after they have left a namespace. */
  readonly kept: number;
  /** Namespaces that are entered at the same time; who comes next waits, so that a burst does not start all its processes at once. */
  readonly limit: number;
  /**
   * Milliseconds after which who waits enters nevertheless: those that are inside may wait for a lock that this one holds.
   */
  readonly patience: number;
}

/** Milliseconds after an entry until a new spare is started: not while the one that entered is being waited for. */
const SPARE_DELAY = 10;
/** Milliseconds in which what was in a namespace has to end. */
const LEAVING = 2000;
/** Sessions that wait for one of {@link NamespacePoolOptions.limit}. */
const MAX_WAITING = 2048;

/** Hands out processes that enter namespaces. */
export class NamespacePool {
  readonly #options: NamespacePoolOptions;
  readonly #spares: NamespaceEntry[] = [];
  readonly #waiting: (() => void)[] = [];
  #program: NamespaceProgram | undefined;
  #entered = 0;
  /** Entries that are in a namespace, and may come back. */
  #away = 0;
  #timer: { cancel(): void } | undefined;
  #isClosed = false;

  constructor(options: NamespacePoolOptions) {
    this.#options = options;
  }

  /** Waits for a turn; whoever got one calls {@link leave}. Rejects with {@link EffectError} `timeout`, `busy`. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#entered < this.#options.limit) {
      this.#entered++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) throw new EffectError('busy', `${MAX_WAITING} wait to enter a namespace`, 'nsenter');
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(new EffectError('timeout', 'given up', 'nsenter'));
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const leaveQueue = (): void => void this.#waiting.splice(this.#waiting.indexOf(start), 1);
      const start = (): void => {
        settle();
        resolve();
      };
      const abort = (): void => {
        settle();
        leaveQueue();
        reject(new EffectError('timeout', 'given up while waiting to enter a namespace', 'nsenter'));
      };
      const timer = this.#options.clock.after(this.#options.patience, () => {
        leaveQueue();
        this.#entered++;
        start();
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(start);
    });
  }

  leave(): void {
    this.#entered--;
    if (this.#entered >= this.#options.limit) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#entered++;
    next();
  }

  /** A process on its way into the namespace at `path`, which is one line. Whether it got there is seen by its answers. */
  enter(path: string): NamespaceEntry {
    let entry = this.#spares.shift();
    while (entry !== undefined && !entry.isOpen) entry = this.#spares.shift();
    entry ??= this.#start();
    entry.enter(path);
    this.#away++;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(SPARE_DELAY, () => this.#prepare());
    return entry;
  }

  /** Ends what is in the namespace. An entry of which nobody waits for anything (`isClean`) may enter another then. Never rejects. */
  async takeBack(entry: NamespaceEntry, isClean: boolean): Promise<void> {
    const isFree = isClean && (await entry.leave(LEAVING));
    this.#away--;
    if (isFree && !this.#isClosed && this.#spares.length < this.#options.kept) {
      this.#spares.push(entry);
      return;
    }
    entry.close();
    this.#options.clock.after(LEAVING, () => entry.kill());
  }

  /** Starts processes ahead, in the background. */
  prepare(): void {
    this.#timer ??= this.#options.clock.after(0, () => this.#prepare());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const spare of this.#spares.splice(0)) spare.close();
  }

  #start(): NamespaceEntry {
    const { clock, program } = this.#options;
    this.#program ??= program ?? namespaceProgram();
    return new NamespaceEntry(this.#program, clock);
  }

  #prepare(): void {
    if (this.#isClosed || this.#spares.length + this.#away >= this.#options.spares) return;
    try {
      this.#spares.push(this.#start());
    } catch {
      // Who enters next will be told.
      return;
    }
    // One after the other: each start holds up everything else for a moment.
    this.#timer = this.#options.clock.after(1, () => this.#prepare());
  }
}
