import { EffectError } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { Channel, type ChannelAnswer, type ChannelEnds } from './channel.ts';
import type { Framing } from './framing.ts';

export interface ResidentOptions {
  /** How it is called in messages: `ip`. */
  readonly name: string;
  /** Starts a child. May throw {@link EffectError}. */
  start(): ChannelEnds;
  readonly framing: Framing;
  readonly clock: Clock;
  /** Milliseconds after its first question in which a child is given more; what it remembers of the kernel grows old. */
  readonly maxAge: number;
  /** Keeps a child ready that was asked nothing yet, so that changing children costs no wait. */
  readonly keepsSpare: boolean;
}

export interface AskOptions {
  /** Milliseconds for this question, counted from when those before it are answered. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** `Clock.elapsed`: only a child that was first asked at this time or later will do. */
  readonly since?: number;
}

export type ResidentAnswer = ChannelAnswer & {
  /** `Clock.elapsed` when the child that answered was first asked something. */
  readonly firstUse: number;
};

/** Questions after which a child is replaced: some keep a history. */
const MAX_QUESTIONS = 10_000;
/** Questions that wait for their answers. */
const MAX_WAITING = 4096;
/** Milliseconds after a change of children until the next spare is started: not while an answer is being waited for. */
const SPARE_DELAY = 10;
/** Children that ended before they read a question, until it is given up. */
const MAX_ATTEMPTS = 4;

/** A child that is always there: started when first needed, replaced when it ends, or has lived long enough. */
export class Resident {
  readonly #options: ResidentOptions;
  #current: Channel | undefined;
  #spare: Channel | undefined;
  #spareTimer: { cancel(): void } | undefined;
  readonly #retiring = new Set<Channel>();
  #waiting = 0;
  #isClosed = false;

  constructor(options: ResidentOptions) {
    this.#options = options;
  }

  /**
   * Asks. What a child that ended had not read is asked of the next. Rejects with {@link EffectError} `timeout` when the signal aborts
   * (the command may still be done), `busy` when too many wait, `program` when no child stays alive.
   */
  async ask(line: string, { deadline, signal, since = 0 }: AskOptions): Promise<ResidentAnswer> {
    const { name } = this.#options;
    const tried = `${name} ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`;
    if (signal?.aborted) throw new EffectError('timeout', 'given up', tried);
    if (this.#waiting >= MAX_WAITING) throw new EffectError('busy', `${MAX_WAITING} commands wait for ${name}`, tried);
    this.#waiting++;
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const channel = this.#channel(since);
        const asked = channel.ask(line, deadline);
        const firstUse = channel.firstUse ?? 0;
        const answer = await orAborted(asked, signal, tried);
        if (answer.kind === 'ended' && !answer.begun) continue;
        return { ...answer, firstUse };
      }
      throw new EffectError('program', `${name} ends as soon as it is started`, tried);
    } finally {
      this.#waiting--;
    }
  }

  /** Starts a child, if there is none, so that who asks first does not wait for its start. */
  prepare(): void {
    if (!this.#isClosed) this.#current ??= this.#start();
  }

  /** Whoever asks from now on gets a child that remembers nothing of what was. */
  renew(): void {
    if (this.#current !== undefined) this.#retire(this.#current);
    this.#current = undefined;
  }

  /**
   * Lets go of the child that there is, which stays as it is. Nothing may be asked any more. Answers false where an answer is waited for, or
   * another child has not ended yet.
   */
  release(): boolean {
    this.#isClosed = true;
    if (this.#waiting > 0 || this.#retiring.size > 0) return false;
    return this.#current === undefined || this.#current.release();
  }

  /** Children end by themselves when they have answered; after `patience` milliseconds they are killed. */
  async close(patience: number): Promise<void> {
    this.#isClosed = true;
    this.#spareTimer?.cancel();
    this.renew();
    if (this.#spare !== undefined) this.#retire(this.#spare);
    this.#spare = undefined;
    const timer = this.#options.clock.after(patience, () => {
      for (const channel of this.#retiring) channel.kill();
    });
    await Promise.all([...this.#retiring].map((channel) => channel.close()));
    timer.cancel();
  }

  #channel(since: number): Channel {
    const { clock, maxAge, keepsSpare, name } = this.#options;
    if (this.#isClosed) throw new EffectError('program', `${name} is closed`, name);
    const current = this.#current;
    if (current !== undefined) {
      const { firstUse } = current;
      const isGood =
        current.isOpen &&
        current.asked < MAX_QUESTIONS &&
        (firstUse === undefined || (firstUse >= since && clock.elapsed() - firstUse <= maxAge));
      if (isGood) return current;
      this.#retire(current);
    }
    const spare = this.#spare;
    this.#spare = undefined;
    this.#current = spare?.isOpen ? spare : this.#start();
    if (keepsSpare) {
      this.#spareTimer?.cancel();
      this.#spareTimer = clock.after(SPARE_DELAY, () => this.#prepareSpare());
    }
    return this.#current;
  }

  #prepareSpare(): void {
    if (this.#isClosed || this.#spare?.isOpen) return;
    try {
      this.#spare = this.#start();
    } catch {
      // Who needs a child will be told.
    }
  }

  #start(): Channel {
    const { start, framing, clock } = this.#options;
    return new Channel(start(), framing, clock);
  }

  #retire(channel: Channel): void {
    this.#retiring.add(channel);
    void channel.close().then(() => this.#retiring.delete(channel));
  }
}

/** The answer, unless the signal comes first. */
export function orAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined, tried: string): Promise<T> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new EffectError('timeout', 'given up', tried));
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
