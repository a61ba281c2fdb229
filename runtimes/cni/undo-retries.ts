import { attachmentOfSubject } from '../../engine/rules/network/attachment.ts';
import type { Clock, Timer } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import type { Log } from '../host/log.ts';
import type { Performer, PlanRecord } from '../linux/performer.ts';
import { stepDeadline } from '../linux/step-deadline.ts';

/*
 * What could not be undone stays in the journal. The runtime, which was told so, may come again with its DEL; or it gives up, and nobody would
 * ever come again. So the daemon does: more and more seldom, as long as it lives.
 */

export interface UndoRetriesOptions {
  readonly performer: Pick<Performer, 'records' | 'record' | 'undo'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds between two looks at the journal. */
const LOOK = 10_000;
/** Milliseconds from the moment in which it is seen to the first attempt; each wait is twice the last. */
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 15 * 60_000;
/** Milliseconds for one attempt. */
const DEADLINE = 110_000;

interface Retry {
  readonly due: number;
  readonly wait: number;
  /** Why the last attempt failed. */
  readonly reason?: string;
}

/** Tries again to undo what could not be undone, until {@link close}. */
export class UndoRetries {
  readonly #options: UndoRetriesOptions;
  readonly #retries = new Map<string, Retry>();
  readonly #calledOff = new AbortController();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: UndoRetriesOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#calledOff.signal.aborted) return;
    this.#timer = this.#options.clock.after(LOOK, () => {
      this.#looking = this.#look().finally(() => this.start());
    });
  }

  /** Why the last attempt to undo this plan failed; undefined where there was none yet. */
  reason(id: string): string | undefined {
    return this.#retries.get(id)?.reason;
  }

  /** Resolves when an attempt that was under way has ended; it is called off. */
  async close(): Promise<void> {
    this.#calledOff.abort();
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { performer, clock } = this.#options;
    const left = [...performer.records()].filter(({ state }) => state === 'undoing');
    const ids = new Set(left.map(({ id }) => id));
    for (const id of this.#retries.keys()) if (!ids.has(id)) this.#retries.delete(id);
    for (const record of left) {
      if (this.#calledOff.signal.aborted) return;
      const retry = this.#retries.get(record.id);
      if (retry === undefined) this.#retries.set(record.id, { due: clock.elapsed() + FIRST_WAIT, wait: FIRST_WAIT });
      else if (clock.elapsed() >= retry.due) await this.#attempt(record, retry.wait);
    }
  }

  async #attempt({ id, rule, subject }: PlanRecord, wait: number): Promise<void> {
    const { performer, clock, log } = this.#options;
    // Somebody may have been quicker.
    if (performer.record(id)?.state !== 'undoing') return;
    const { containerId, ifName } = attachmentOfSubject(subject) ?? {};
    const of = { rule, container: containerId, interface: ifName };
    const limit = stepDeadline(clock, DEADLINE, this.#calledOff.signal);
    try {
      await performer.undo(id, limit.signal);
      this.#retries.delete(id);
      log('info', 'removed what could not be removed before', of);
    } catch (error) {
      const next = Math.min(2 * wait, LONGEST_WAIT);
      const reason = errorMessage(error);
      this.#retries.set(id, { due: clock.elapsed() + next, wait: next, reason });
      log('warn', 'still not removed', { ...of, reason, nextSeconds: next / 1000 });
    } finally {
      limit.end();
    }
  }
}
