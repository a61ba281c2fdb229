import { setMaxListeners } from 'node:events';
import type { Clock, Timer } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import type { LineLog } from '../host/log.ts';
import type { Collection, Wanted } from './collect.ts';
import type { Collected } from './performer.ts';

/*
 * What carries a tag of ours and is in no record was there before the journal began (its folder was lost, or is another one), or its record was
 * given up (`forget`). We make no others: a plan is recorded before it does anything, it stays recorded while anything of it is left, and what is
 * looked for does not depend on the rules that are served. So one look at everything tells which plans have something to be looked for, and the
 * others have not. That matters because such a look lists the packet filters and all links of the node, which takes longer than all the rest of a
 * DEL, and runtimes send DELs of what is gone, or never was.
 *
 * Nothing follows from a look that could not list everything. And strays may appear that a look can't have seen: a device was in a container then,
 * and came back when that ended, mostly right after its DEL; an administrator restores tables that were saved; a second daemon has another state
 * folder. Nothing tells of that. So whoever had no record is looked for again a little later, all of that time in one look. What comes still later,
 * or is there when this process ends before, is for the collection of garbage, which always looks at everything.
 */

export interface StraysOptions {
  /** Looks at everything and removes what is wanted. */
  readonly collect: (wanted: Wanted) => Promise<Collection>;
  readonly clock: Clock;
  readonly log: LineLog;
}

/** Milliseconds after an answer until it is looked whether something came since. A container ends in less. */
const LOOKED_AGAIN_AFTER = 30_000;
/** Plans that are remembered of those that were undone, and of those that are looked for later; beyond them the oldest are not. */
const MAX_PLANS = 10_000;

/** Knows which plans left something that is in no record, and removes it. */
export class Strays {
  readonly #options: StraysOptions;
  readonly #everywhere: SharedLook;
  readonly #calledOff = new AbortController();
  /** Plans that are known to have left something; undefined before everything was listed once. */
  #known: Set<string> | undefined;
  /** Looks at everything, numbered as they began; and the number from which on one knows more than {@link #known}. */
  #looks = 0;
  #knownSince = 0;
  /** Plans that were undone to their end, and not performed again. */
  readonly #undone = new Set<string>();
  readonly #toLookFor = new Set<string>();
  #timer: Timer | undefined;
  #lookingAgain: Promise<void> = Promise.resolve();

  constructor(options: StraysOptions) {
    this.#options = options;
    const { signal } = this.#calledOff;
    // Each question of a look listens.
    setMaxListeners(0, signal);
    this.#everywhere = new SharedLook((plans) => this.collect({ plans, signal }));
  }

  /** Looks at everything, removes what is wanted, and remembers the rest. */
  async collect(wanted: Wanted): Promise<Collected> {
    const number = ++this.#looks;
    const { strays, removed, left } = await this.#options.collect(wanted);
    if (strays !== undefined && number > this.#knownSince) {
      this.#known = new Set(strays);
      this.#knownSince = number;
    }
    return { removed, left };
  }

  /** Removes what is left of a plan that has no record. What is answered may be of others as well. */
  async sweep(plan: string): Promise<Collected> {
    const isKnown = this.#known?.has(plan);
    // Undone by its record it has left nothing, though not everything can be listed, and nothing of it is on its way.
    if (isKnown !== true && this.#undone.has(plan)) return NOTHING;
    this.#lookAgain(plan);
    return isKnown === false ? NOTHING : this.#everywhere.for([plan]);
  }

  /** Something is being made for a plan. */
  begun(plan: string): void {
    this.#undone.delete(plan);
  }

  /** A plan was undone, and nothing was left. */
  undone(plan: string): void {
    keepNewest(this.#undone, plan);
  }

  /** The record of a plan went, and something of it may be there still. */
  lostSightOf(plan: string): void {
    // A look that is under way may have passed by when it was recorded.
    this.#knownSince = ++this.#looks;
    this.#undone.delete(plan);
    this.#known?.add(plan);
  }

  /** Resolves when nothing is looked for again any more; who is swept or collected is waited for by whoever asked. */
  async close(): Promise<void> {
    this.#calledOff.abort();
    this.#timer?.cancel();
    await this.#lookingAgain;
  }

  #lookAgain(plan: string): void {
    if (this.#calledOff.signal.aborted) return;
    keepNewest(this.#toLookFor, plan);
    this.#timer ??= this.#options.clock.after(LOOKED_AGAIN_AFTER, () => {
      this.#timer = undefined;
      const plans = [...this.#toLookFor];
      this.#toLookFor.clear();
      this.#lookingAgain = this.#lookAgainFor(plans);
    });
  }

  async #lookAgainFor(plans: readonly string[]): Promise<void> {
    const { log } = this.#options;
    try {
      const { removed, left } = await this.#everywhere.for(plans);
      if (removed.length > 0) log('removed what no record knew of', { what: removed.map(({ what }) => what).join(', ') });
      if (left.length > 0 && !this.#calledOff.signal.aborted) log('not all that no record knows of could be removed', { first: left[0] });
    } catch (error) {
      log('what no record knows of could not be looked for', { error: errorMessage(error) });
    }
  }
}

const NOTHING: Collected = { removed: [], left: [] };

function keepNewest(plans: Set<string>, plan: string): void {
  plans.delete(plan);
  plans.add(plan);
  for (const oldest of plans) {
    if (plans.size <= MAX_PLANS) break;
    plans.delete(oldest);
  }
}

/** A look that has not begun yet, and whom it is for. */
interface Waiting {
  readonly plans: Set<string>;
  readonly result: Promise<Collected>;
}

/** Looks for plans, one look after the other; those that wait at the same time share one. */
class SharedLook {
  readonly #look: (plans: readonly string[]) => Promise<Collected>;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: Waiting | undefined;

  constructor(look: (plans: readonly string[]) => Promise<Collected>) {
    this.#look = look;
  }

  /** A look that began before somebody asked may have passed by what they ask for, so they join the next. */
  for(plans: readonly string[]): Promise<Collected> {
    this.#waiting ??= this.#begin();
    for (const plan of plans) this.#waiting.plans.add(plan);
    return this.#waiting.result;
  }

  #begin(): Waiting {
    const plans = new Set<string>();
    const result = this.#running.then(() => {
      this.#waiting = undefined;
      return this.#look([...plans]);
    });
    this.#running = result.catch(() => {});
    return { plans, result };
  }
}
