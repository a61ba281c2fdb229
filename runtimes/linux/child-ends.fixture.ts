import { PassThrough } from 'node:stream';
import type { ChannelEnds } from './channel.ts';

/** A child of a test's own: what it was asked, and how it answers. */
export interface FakeChild extends ChannelEnds {
  /** Lines that it was given and has not read. */
  readonly lines: string[];
  /** Says something. */
  say(text: string): void;
  /** Ends, as by `exit`. */
  end(): void;
  readonly isKilled: boolean;
}

/** A child whose lines are handed to `answer`, if there is one; what it returns is said. */
export function fakeChild(answer?: (line: string, count: number) => string | undefined): FakeChild {
  const input = new PassThrough();
  const output = new PassThrough();
  const lines: string[] = [];
  let isKilled = false;
  let count = 0;
  let rest = '';
  input.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      const said = answer?.(line, ++count);
      if (said !== undefined) output.write(said);
    }
  });
  input.on('end', () => output.end());
  return {
    input,
    output,
    lines,
    say: (text) => void output.write(text),
    end: () => void output.end(),
    kill: () => {
      isKilled = true;
      output.end();
    },
    get isKilled() {
      return isKilled;
    },
  };
}

/** A child like `ip -batch -`: `reply` gives what it says to a command, and whether it fails. */
export function fakeIp(
  reply: (line: string) => { readonly says?: string; readonly fails?: boolean; readonly dies?: boolean } | undefined,
): FakeChild {
  const child: FakeChild = fakeChild((line, count) => {
    if (line === 'fairlead-end') return `Object "fairlead-end" is unknown, try "ip help".\nCommand failed -:${count}\n`;
    const answer = reply(line);
    if (answer === undefined || answer.dies) {
      if (answer?.says) child.say(answer.says);
      child.end();
      return undefined;
    }
    return `${answer.says ?? ''}${answer.fails ? `Command failed -:${count}\n` : ''}`;
  });
  return child;
}
