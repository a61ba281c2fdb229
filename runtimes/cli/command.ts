import type { CommandContext } from './context.ts';

/** What a script may build on: 0 nothing is wrong, 1 something was found, 2 the command itself could not be done. */
export const EXIT = { ok: 0, findings: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface OptionSpec {
  /** Long name, without dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help; absent for a switch. */
  readonly value?: string;
  /** The values that are allowed, where they are few. */
  readonly values?: readonly string[];
  readonly default?: string;
  readonly multiple?: boolean;
  readonly summary: string;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  readonly multiple?: boolean;
}

/** Options and arguments as given, checked against the specification. */
export interface ParsedArguments {
  readonly arguments: readonly string[];
  /** The last value given, or the default. */
  text(option: string): string | undefined;
  all(option: string): readonly string[];
  on(option: string): boolean;
}

export type CommandRun = (args: ParsedArguments, context: CommandContext) => Promise<ExitCode> | ExitCode;

/** A command as data: parsing, help and the reference page all come from it. */
export interface CommandSpec {
  readonly name: string;
  /** One line, starting with a verb. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly explains: string }[];
  /** Meaning of each exit code for this command. */
  readonly exits: Readonly<Record<ExitCode, string>>;
  /** Loads the code: commands that are not run cost nothing. */
  readonly load: () => Promise<CommandRun>;
}

/** Something about the call itself is wrong: shown without a stack, ends with {@link EXIT.usage}. */
export class UsageError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}
