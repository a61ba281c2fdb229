import type { Clock, Timer } from '../host/clock.ts';

/** Questions to a child that answers in order. Each has its time, in milliseconds, from when those before it are answered. */
export class Questions<Question extends { readonly deadline: number }> {
  readonly #waiting: Question[] = [];
  readonly #clock: Clock;
  readonly #onLate: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, onLate: () => void) {
    this.#clock = clock;
    this.#onLate = onLate;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The one whose answer comes next. */
  get head(): Question | undefined {
    return this.#waiting[0];
  }

  ask(question: Question): void {
    this.#waiting.push(question);
    if (this.#waiting.length === 1) this.beginTime();
  }

  /** Takes the head, as its answer has come. */
  answered(): Question | undefined {
    const head = this.#waiting.shift();
    this.beginTime();
    return head;
  }

  /** Gives the head all of its time. */
  beginTime(): void {
    this.#timer?.cancel();
    const head = this.#waiting[0];
    this.#timer = head && this.#clock.after(head.deadline, this.#onLate);
  }

  /** Takes all, as no answer will come any more. */
  end(): readonly Question[] {
    this.#timer?.cancel();
    return this.#waiting.splice(0);
  }
}
