import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Clock } from '../host/clock.ts';
import { Channel, type ChannelAnswer, type ChannelEnds } from './channel.ts';
import { startGroup } from './child.ts';
import type { Framing } from './framing.ts';
import { type NamespaceProgram, SLOTS } from './namespace-program.ts';

const controlFraming: Framing = {
  frame: (line) => `${line}\n`,
  find(output, index, from) {
    const mark = `\n=${index} `;
    const at = output.indexOf(mark, Math.max(0, from - mark.length));
    const end = at === -1 ? -1 : output.indexOf('\n', at + mark.length);
    if (end === -1) return undefined;
    return { text: output.slice(0, at), failed: output.slice(at + mark.length, end) !== '0', next: end + 1 };
  },
};

/** A process that waits outside, or has a child in a namespace. It may enter another when all that was in the one before has ended. */
export class NamespaceEntry {
  readonly #clock: Clock;
  readonly #group: ReturnType<typeof startGroup>;
  /** What the output of a program ends with. Nothing that is shown may look like it. */
  readonly #endMark: string;
  /** What stands behind all else on the descriptors of programs when the namespace was left. */
  readonly #leftMark: string;
  /** Programs that were started since it entered. */
  #started = 0;
  #control: Channel | undefined;
  /** What was said when the namespace could not be entered; undefined when it was, or the process ended otherwise. Resolves at the end. */
  readonly failure: Promise<string | undefined>;
  #lastWords = '';
  #isOpen = true;
  #isInside = false;

  constructor(program: NamespaceProgram, clock: Clock) {
    this.#clock = clock;
    const id = randomBytes(12).toString('hex');
    const [ended, left] = [`ended ${id}`, `left ${id}`];
    this.#endMark = `\n${ended}\n`;
    this.#leftMark = `\n${left}\n`;
    this.#group = startGroup(program.script, program.words(ended, left), SLOTS);
    const { input, output, slots } = this.#group;
    for (const stream of [input, ...slots]) stream.on('error', () => {});
    output.setEncoding('utf8');
    output.on('data', (text: string) => {
      // An error comes in several pieces.
      this.#lastWords = (this.#lastWords + text).slice(-1000);
    });
    this.failure = new Promise((resolve) => {
      output.on('close', () => {
        this.#isOpen = false;
        resolve(this.#isInside ? undefined : /(?:nsenter: |sh: ).*/.exec(this.#lastWords)?.[0]);
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Enters, once until it has left. The path is one line. */
  enter(path: string): void {
    const { input, output } = this.#group;
    this.#lastWords = '';
    this.#isInside = false;
    this.#started = 0;
    this.#control = new Channel({ input, output, kill: () => this.kill() }, controlFraming, this.#clock);
    input.write(`${path}\n`);
  }

  /** Asks; `line` is one line of a {@link NamespaceProgram}'s language. */
  async ask(line: string, deadline: number): Promise<ChannelAnswer> {
    if (this.#control === undefined) return { kind: 'ended', begun: false, text: '' };
    const answer = await this.#control.ask(line, deadline);
    if (answer.kind === 'answered') this.#isInside = true;
    return answer;
  }

  /** Whether another program can be started. */
  get hasSlot(): boolean {
    return this.#isOpen && this.#started < SLOTS;
  }

  /** Starts a program; its words hold nothing that a shell would split or expand. */
  start(words: readonly string[], deadline: number): ChannelEnds {
    const index = this.#started++;
    const slot = this.#group.slots[index] as Duplex;
    void this.ask(`s ${3 + index} ${words.join(' ')}`, deadline);
    return { input: slot, output: slot, endMark: this.#endMark, kill: () => this.kill() };
  }

  /**
   * Ends the programs and what is in the namespace; nobody may be waiting for an answer of a program any more, or listen to one. Answers
   * whether it can enter another then.
   */
  async leave(deadline: number): Promise<boolean> {
    const slots = this.#group.slots.slice(0, this.#started);
    if (!this.#isOpen || this.#control === undefined || slots.some((slot) => slot.destroyed || !slot.writable)) return false;
    const marks = slots.map((slot) => heard(slot, this.#leftMark));
    const answer = await this.#control.ask('q', deadline);
    if (answer.kind !== 'answered' || !(await within(Promise.all(marks), deadline, this.#clock))) return false;
    const isFree = this.#control.release();
    this.#control = undefined;
    return isFree && this.#isOpen && !slots.some((slot) => slot.destroyed);
  }

  /** Lets all of it end by itself. */
  close(): void {
    this.#control?.close();
    this.#group.input.end();
    for (const slot of this.#group.slots) slot.end();
  }

  kill(): void {
    this.#isOpen = false;
    this.#group.kill();
    for (const slot of this.#group.slots) slot.destroy();
  }
}

/** Resolves when a stream says this, or will say nothing any more. */
function heard(stream: Duplex, mark: string): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    const end = (): void => {
      stream.off('data', listen);
      stream.off('close', end);
      resolve();
    };
    const listen = (more: string): void => {
      text = (text + more).slice(-1000);
      if (text.includes(mark)) end();
    };
    stream.on('data', listen);
    stream.on('close', end);
  });
}

/** Whether something ends in time. */
function within(work: Promise<unknown>, milliseconds: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(milliseconds, () => resolve(false));
    void work.then(() => {
      timer.cancel();
      resolve(true);
    });
  });
}
