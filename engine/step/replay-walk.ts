import { type JsonObject, jsonEqual } from '../object/json.ts';
import type { BoundStep, Plan, PlanWalk } from './plan.ts';

/**
 * Walks that bind each step once, for plans that are walked several times: to see whether anything has changed, to look ahead, to perform. A
 * walk is given what an earlier one bound for as long as its steps end with the same; from there on it goes its own way. For walks that
 * depend on nothing else.
 */
export function replayWalks(walk: Plan['walk']): Plan['walk'] {
  const shared = new SharedWalk(walk);
  return () => new ReplayedWalk(walk, shared);
}

/** What walks have in common so far. */
class SharedWalk {
  readonly bound: BoundStep[] = [];
  /** What the steps ended with; one fewer than {@link bound} while the last waits for its answer. */
  readonly outputs: JsonObject[] = [];
  readonly #walk: Plan['walk'];
  #live: PlanWalk | undefined;
  #isEnded = false;

  constructor(walk: Plan['walk']) {
    this.#walk = walk;
  }

  next(position: number): BoundStep | undefined {
    const known = this.bound[position];
    if (known !== undefined || this.#isEnded) return known;
    this.#live ??= this.#walk();
    const step = this.#live.next();
    if (step === undefined) this.#isEnded = true;
    else this.bound.push(step);
    return step;
  }

  /** Answers false where another walk has said something else of this step. */
  done(position: number, outputs: JsonObject): boolean {
    const known = this.outputs[position];
    if (known !== undefined) return known === outputs || jsonEqual(known, outputs);
    this.#live!.done(outputs);
    this.outputs.push(outputs);
    return true;
  }
}

class ReplayedWalk implements PlanWalk {
  readonly #walk: Plan['walk'];
  readonly #shared: SharedWalk;
  #position = 0;
  #own: PlanWalk | undefined;

  constructor(walk: Plan['walk'], shared: SharedWalk) {
    this.#walk = walk;
    this.#shared = shared;
  }

  next(): BoundStep | undefined {
    return this.#own === undefined ? this.#shared.next(this.#position) : this.#own.next();
  }

  done(outputs: JsonObject): void {
    if (this.#own !== undefined) this.#own.done(outputs);
    else if (this.#shared.done(this.#position, outputs)) this.#position++;
    else this.#part(outputs);
  }

  #part(outputs: JsonObject): void {
    const own = this.#walk();
    for (let i = 0; i <= this.#position; i++) {
      own.next();
      own.done(i < this.#position ? (this.#shared.outputs[i] as JsonObject) : outputs);
    }
    this.#own = own;
  }
}
