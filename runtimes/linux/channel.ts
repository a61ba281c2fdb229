import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../host/clock.ts';
import type { FoundAnswer, Framing } from './framing.ts';
import { Questions } from './questions.ts';

/** The two ends of a child that reads commands and writes answers, and how it is ended. */
export interface ChannelEnds {
  readonly input: Writable;
  /** Output and errors, in order. */
  readonly output: Readable;
  /** What stands at the end of the output when the child has ended and the ends stay open. */
  readonly endMark?: string;
  kill(): void;
}

/** How a question to a child ended. */
export type ChannelAnswer =
  | { readonly kind: 'answered'; readonly text: string; readonly failed: boolean | undefined }
  /** The child ended. `begun`: it may have done the command, wholly or in part; else it has not read it. `text`: what it said of it. */
  | { readonly kind: 'ended'; readonly begun: boolean; readonly text: string }
  /** The child did not answer in time and was killed. */
  | { readonly kind: 'timeout'; readonly begun: true; readonly text: string };

interface Question {
  readonly index: number;
  readonly deadline: number;
  readonly resolve: (answer: ChannelAnswer) => void;
  /** The child's end was closed when it was written. */
  isUndelivered: boolean;
}

/** Events of an output that will say no more. */
const ENDS = ['end', 'close', 'error'] as const;
const ignore = (): void => {};

/** Bytes of one answer. A hundred thousand routes have some 20 MB. */
const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * One life of a child that answers commands in order. Commands are written without waiting for the answers of those before; when the child
 * ends, all but the first that is not answered are known not to have been read.
 */
export class Channel {
  /** `Clock.elapsed` at the first question; undefined before. */
  firstUse: number | undefined;
  readonly #ends: ChannelEnds;
  readonly #framing: Framing;
  readonly #clock: Clock;
  readonly #questions: Questions<Question>;
  #asked = 0;
  #output = '';
  #searched = 0;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #onEnd: (() => void)[] = [];

  constructor(ends: ChannelEnds, framing: Framing, clock: Clock) {
    this.#ends = ends;
    this.#framing = framing;
    this.#clock = clock;
    this.#questions = new Questions(clock, () => {
      ends.kill();
      this.#end(true);
    });
    ends.output.setEncoding('utf8');
    ends.output.on('data', this.#onData);
    for (const event of ENDS) ends.output.on(event, this.#onOutputEnd);
    // A child that has ended is seen by the end of its output.
    ends.input.on('error', ignore);
  }

  readonly #onData = (text: string): void => this.#read(text);
  readonly #onOutputEnd = (): void => this.#end(false);

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Questions that were asked so far. */
  get asked(): number {
    return this.#asked;
  }

  /** Asks; never rejects. `deadline` milliseconds count from when all earlier questions are answered. */
  ask(line: string, deadline: number): Promise<ChannelAnswer> {
    if (this.#state !== 'open') return Promise.resolve({ kind: 'ended', begun: false, text: '' });
    this.firstUse ??= this.#clock.elapsed();
    const index = this.#asked++;
    return new Promise((resolve) => {
      const question: Question = { index, deadline, resolve, isUndelivered: false };
      this.#questions.ask(question);
      this.#ends.input.write(this.#framing.frame(line, index), (error) => {
        if (error) question.isUndelivered = true;
      });
    });
  }

  /** Takes no more questions; the child ends by itself when it has answered those it has. Resolves when it is gone. */
  close(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve();
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#ends.input.end();
    }
    return new Promise((resolve) => this.#onEnd.push(resolve));
  }

  kill(): void {
    this.#ends.kill();
    this.#end(false);
  }

  /** Takes no more questions and lets go of the ends, which stay open. Answers false, and does nothing, where an answer is waited for. */
  release(): boolean {
    if (this.#state !== 'open' || this.#questions.waiting > 0) return false;
    this.#state = 'ended';
    const { input, output } = this.#ends;
    output.off('data', this.#onData);
    for (const event of ENDS) output.off(event, this.#onOutputEnd);
    input.off('error', ignore);
    return true;
  }

  #read(text: string): void {
    if (this.#state === 'ended') return;
    this.#output += text;
    const { endMark } = this.#ends;
    const end = endMark === undefined ? -1 : this.#output.indexOf(endMark, Math.max(0, this.#searched - endMark.length));
    if (end !== -1) this.#output = this.#output.slice(0, end);
    for (let head = this.#questions.head; head !== undefined; head = this.#questions.head) {
      const found: FoundAnswer | undefined = this.#framing.find(this.#output, head.index, this.#searched);
      if (found === undefined) break;
      this.#output = this.#output.slice(found.next);
      this.#searched = 0;
      this.#questions.answered();
      head.resolve({ kind: 'answered', text: found.text, failed: found.failed });
    }
    this.#searched = this.#output.length;
    if (end !== -1) this.#end(false);
    else if (this.#output.length > MAX_ANSWER) this.kill();
  }

  #end(timedOut: boolean): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#ends.input.destroy();
    const text = this.#output.length > MAX_ANSWER ? '' : this.#output;
    this.#output = '';
    const [head, ...others] = this.#questions.end();
    for (const { resolve } of others) resolve({ kind: 'ended', begun: false, text: '' });
    if (head !== undefined && timedOut) head.resolve({ kind: 'timeout', begun: true, text });
    // The end may be seen before the failure of what was written to a child that was dead already.
    else if (head !== undefined) setImmediate(() => head.resolve({ kind: 'ended', begun: !head.isUndelivered, text }));
    for (const done of this.#onEnd.splice(0)) done();
  }
}
