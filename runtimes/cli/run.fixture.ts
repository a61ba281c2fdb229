import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandContext } from './context.ts';
import { main } from './main.ts';

/** What a command line printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  /** When the process is asked to stop. Default: at once. */
  readonly stopped?: Promise<string>;
  /** Told of what is printed on standard output, as it comes. */
  readonly onOut?: (text: string) => void;
}

/** A new folder with these files, texts by their path in it; for the caller to remove. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-cli-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Runs command lines in a folder. Words are divided by spaces. */
export function commandRunner(folder: () => string): (line: string, options?: RunOptions) => Promise<Ran> {
  return async (line, { stdin = '', env = {}, terminal = false, stopped = Promise.resolve('SIGTERM'), onOut } = {}) => {
    const text = { out: '', err: '' };
    const output = (name: 'out' | 'err') => ({
      isTerminal: terminal,
      write(part: string) {
        text[name] += part;
        if (name === 'out') onOut?.(text.out);
      },
    });
    const context: CommandContext = {
      cwd: folder(),
      env,
      out: output('out'),
      err: output('err'),
      readStdin: async () => Buffer.from(stdin),
      stopped,
    };
    const code = await main(line === '' ? [] : line.split(' '), context);
    return { code, ...text };
  };
}
