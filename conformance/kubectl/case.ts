/**
 * A script of kubectl commands whose output must be the same against every API server. It runs in a namespace and in a folder of its
 * own; in commands and files `$(ns)` is the namespace, and `$(id)` the same as a word without dashes, for kinds of its own.
 */
export interface KubectlCase {
  /** `<subject>/<what is asked>`: unique, one line. */
  readonly name: string;
  /** Contents by name, beside which the commands run. */
  readonly files?: Readonly<Record<string, string>>;
  readonly steps: readonly Command[];
}

export interface Command {
  /** As a person types it, without `kubectl`: words, and quotes around those with spaces. */
  readonly run: string;
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What is compared; default: exit code, output and errors. */
  readonly compare?: 'all' | 'exit code' | 'nothing';
  /** Of the output only what matches, in the order in which it is found. */
  readonly only?: RegExp;
  /** Lines may come in any order. */
  readonly anyOrder?: boolean;
  /** Run again until the output matches. */
  readonly until?: RegExp;
  /** The command is ended when its output matches: it would go on for ever. */
  readonly endAt?: RegExp;
  /** The command is ended after so many milliseconds, in which it says nothing. */
  readonly endAfterMs?: number;
}

export const run = (text: string, options: Omit<Command, 'run'> = {}): Command => ({ run: text, ...options });

/** Makes something that the case is not about. */
export const given = (text: string, options: Omit<Command, 'run'> = {}): Command => ({ run: text, compare: 'nothing', ...options });

export function subject(
  name: string,
  files: Readonly<Record<string, string>>,
  cases: Readonly<Record<string, readonly Command[]>>,
): KubectlCase[] {
  return Object.entries(cases).map(([each, steps]) => ({ name: `${name}/${each}`, files, steps }));
}
