import type { IprouteProgram } from '../../engine/step/effect.ts';

/** How a child that reads commands from a pipe and never says where an answer ends is made to say it. */
export interface Framing {
  /** What is written to ask `line`, as the question number `index` of this child, from 0. */
  frame(line: string, index: number): string;
  /** Looks for the end of answer `index` in output that starts with this answer. `from`: before it there was no end when last looked. */
  find(output: string, index: number, from: number): FoundAnswer | undefined;
}

export interface FoundAnswer {
  /** What the child said, without the mark. */
  readonly text: string;
  /** Whether the child called the command failed. Undefined where it says nothing of the kind. */
  readonly failed: boolean | undefined;
  /** Where the next answer starts. */
  readonly next: number;
}

const MARK = 'fairlead-end';

/**
 * `ip`, `tc` and `bridge` with `-force -batch -`: a failed line is followed by `Command failed -:<line>`, counted from 1. After each
 * command an object that does not exist is asked for, which costs no question to the kernel; its failure, with the number that only it
 * can have, is the mark. Output and errors must come on one pipe.
 */
export function iprouteFraming(program: IprouteProgram): Framing {
  const refusal = `Object "${MARK}" is unknown, try "${program} help".\nCommand failed -:`;
  return {
    frame: (line) => `${line}\n${MARK}\n`,
    find(output, index, from) {
      const mark = `${refusal}${2 * index + 2}\n`;
      // The mark may have begun in what was looked at before.
      const at = output.indexOf(mark, Math.max(0, from - mark.length));
      if (at === -1) return undefined;
      const failure = `Command failed -:${2 * index + 1}\n`;
      const text = output.slice(0, at);
      const failed = text.endsWith(failure) && (text.length === failure.length || text[text.length - failure.length - 1] === '\n');
      return { text: failed ? text.slice(0, -failure.length) : text, failed, next: at + mark.length };
    },
  };
}

/**
 * `nft -j -i`: an error is `Error: <reason>`, the line that was read, and carets below what is wrong in it. After each command a line that
 * is none is written. It is refused before the kernel is asked; the echo of it, which is numbered, and its carets are the mark.
 */
export const nftFraming: Framing = {
  frame: (line, index) => `${line}\n${MARK}-${index}\n`,
  find(output, index, from) {
    const echo = `\n${MARK}-${index}\n`;
    const at = output.indexOf(echo, Math.max(0, from - echo.length - 200));
    if (at === -1) return undefined;
    const end = output.indexOf('\n', at + echo.length);
    if (end === -1) return undefined;
    const text = output.slice(0, output.lastIndexOf('\n', at - 1) + 1);
    return { text, failed: /^Error: /m.test(text), next: end + 1 };
  },
};
