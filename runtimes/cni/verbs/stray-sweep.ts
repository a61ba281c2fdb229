import type { Performer } from '../../linux/performer.ts';

type Collected = Awaited<ReturnType<Performer['collect']>>;

/** A look through the host that has not begun yet, and whom it is for. */
interface Waiting {
  readonly plans: Set<string>;
  readonly result: Promise<Collected>;
}

/** Plans that are known to have left nothing; beyond them, it is looked again. */
const MAX_CLEAN = 10_000;

/**
 * Removes what carries the tag of an attachment and is in no record. That means to list everything on the host, so attachments of a rule that
 * wait at the same time share one look, and one that was undone to its end since this process began is not looked for at all.
 */
export class StraySweep {
  readonly #collect: Performer['collect'];
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #clean = new Set<string>();

  constructor(collect: Performer['collect']) {
    this.#collect = collect;
  }

  /** The plan was undone, and nothing was left. */
  markClean(plan: string): void {
    this.#clean.add(plan);
    for (const oldest of this.#clean) {
      if (this.#clean.size <= MAX_CLEAN) break;
      this.#clean.delete(oldest);
    }
  }

  /** Something is being made for the plan. */
  markUsed(plan: string): void {
    this.#clean.delete(plan);
  }

  /** Removes what is left of a plan of a rule. What is answered may be of others as well. */
  async sweep(rule: string, plan: string): Promise<Collected> {
    if (this.#clean.has(plan)) return { removed: [], left: [] };
    const { result } = this.#join(rule, plan);
    const collected = await result;
    if (collected.left.length === 0) this.markClean(plan);
    return collected;
  }

  /** A look that began before somebody asked may have passed by what they ask for, so they join the next. */
  #join(rule: string, plan: string): Waiting {
    let waiting = this.#waiting.get(rule);
    if (waiting === undefined) {
      const plans = new Set<string>();
      const result = (this.#running.get(rule) ?? Promise.resolve()).then(() => this.#look(rule, plans));
      waiting = { plans, result };
      this.#waiting.set(rule, waiting);
    }
    waiting.plans.add(plan);
    return waiting;
  }

  #look(rule: string, plans: ReadonlySet<string>): Promise<Collected> {
    this.#waiting.delete(rule);
    const look = this.#collect({ rules: [rule], plans: [...plans] });
    const end = (): void => {
      if (this.#running.get(rule) === ended) this.#running.delete(rule);
    };
    const ended: Promise<void> = look.then(end, end);
    this.#running.set(rule, ended);
    return look;
  }
}
