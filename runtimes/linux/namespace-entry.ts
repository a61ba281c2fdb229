import type { Duplex } from 'node:stream';
import type { Clock } from '../host/clock.ts';
import { Channel, type ChannelAnswer, type ChannelEnds } from './channel.ts';
import { startGroup } from './child.ts';
import type { Framing } from './framing.ts';

/** Programs that can be started in one entry: each has a descriptor, 3 and up. */
const SLOTS = 3;
const CLOSE_SLOTS = Array.from({ length: SLOTS }, (_, slot) => `${slot + 3}>&-`).join(' ');

/**
 * What runs in the namespace: a shell whose text is constant, that reads one command a line and says after each how it ended. `w` writes
 * a sysctl, `r` reads one (by cat: the kernel gives a value to one read only, and the shell would read byte by byte), `s` starts a program
 * on a descriptor. The shell forgets the descriptor then, so that the end of the program is seen. All of it ends with its pipes, hence
 * also when this process is killed.
 */
const PROGRAM = `n=0
while read -r verb a b; do
  case $verb in
    w) printf '%s' "$b" > "/proc/sys/$a" ;;
    r) cat "/proc/sys/$a" ;;
    s) (exec <&"$a" >&"$a" 2>&1 ${CLOSE_SLOTS}; exec $b) & eval "exec $a>&-" ;;
  esac
  printf '\\n=%s %s\\n' "$n" "$?"
  n=$((n + 1))
done`;

/** Waits for the path of a namespace, and becomes {@link PROGRAM} in it. */
const WAITING = 'exec 2>&1; IFS= read -r path && exec nsenter --net="$path" sh -c "$0"';

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

/** A process that waits outside, or is in a namespace. */
export class NamespaceEntry {
  readonly #control: Channel;
  readonly #group: ReturnType<typeof startGroup>;
  readonly #slots: Duplex[];
  /** What was said when the namespace could not be entered; undefined when it was, or the process ended otherwise. Resolves at the end. */
  readonly failure: Promise<string | undefined>;
  #lastWords = '';
  #isOpen = true;
  #isInside = false;

  constructor(clock: Clock) {
    this.#group = startGroup(WAITING, [PROGRAM], SLOTS);
    this.#slots = [...this.#group.slots];
    for (const slot of this.#slots) slot.on('error', () => {});
    const { input, output } = this.#group;
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
    this.#control = new Channel({ input, output, kill: () => this.kill() }, controlFraming, clock);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Enters, once. The path is one line. */
  enter(path: string): void {
    this.#group.input.write(`${path}\n`);
  }

  /** Asks the shell; `line` is one line of {@link PROGRAM}'s language. */
  async ask(line: string, deadline: number): Promise<ChannelAnswer> {
    const answer = await this.#control.ask(line, deadline);
    if (answer.kind === 'answered') this.#isInside = true;
    return answer;
  }

  /** Whether another program can be started. */
  get hasSlot(): boolean {
    return this.#isOpen && this.#slots.length > 0;
  }

  /** Starts a program; its words hold nothing that a shell would split or expand. */
  start(words: readonly string[], deadline: number): ChannelEnds {
    const slot = this.#slots.shift()!;
    const descriptor = 3 + SLOTS - this.#slots.length - 1;
    void this.ask(`s ${descriptor} ${words.join(' ')}`, deadline);
    return { input: slot, output: slot, kill: () => this.kill() };
  }

  /** Lets all of it end by itself. */
  close(): void {
    void this.#control.close();
    for (const slot of this.#group.slots) slot.end();
  }

  kill(): void {
    this.#isOpen = false;
    this.#group.kill();
    for (const slot of this.#group.slots) slot.destroy();
  }
}
