import type { Style } from '../../engine/text/render.ts';

/** Everything a command may touch of the world: tests give their own. */
export interface CommandContext {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results, for people and machines. */
  readonly out: Output;
  /** What is not a result: progress, usage errors. */
  readonly err: Output;
  /** The whole of standard input. */
  readonly readStdin: () => Promise<Buffer>;
  /** Ends when the user or the system asks the process to stop. */
  readonly stopped: Promise<string>;
}

export interface Output {
  readonly isTerminal: boolean;
  write(text: string): void;
}

export type ColorChoice = 'auto' | 'always' | 'never';

/** Whether to colour an output: `--color`, then NO_COLOR and FORCE_COLOR, then whether people are looking. */
export function usesColor(choice: ColorChoice, output: Output, env: CommandContext['env']): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '' && env['FORCE_COLOR'] !== '0') return true;
  return output.isTerminal && env['TERM'] !== 'dumb';
}

const ESCAPES = {
  bold: [1, 22],
  faint: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const;
export type ColorName = keyof typeof ESCAPES;

export type Paint = (name: ColorName, text: string) => string;

export function paint(enabled: boolean): Paint {
  if (!enabled) return (_, text) => text;
  return (name, text) => {
    const [on, off] = ESCAPES[name];
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** The look of diagnostics on a terminal. */
export function terminalStyle(color: Paint): Style {
  return {
    severity: (severity, text) => color('bold', color(severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'blue', text)),
    strong: (text) => color('bold', text),
    faint: (text) => color('faint', text),
  };
}
