import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, contentVersion, ensureGoTool, type GoTool } from './go-tool.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'cel');

/** The API server's own CEL code behind a pipe; see `cel/main.go`. A cold build takes about a minute. */
const celTool: GoTool = { name: 'cel', version: contentVersion(MODULE), module: MODULE, packages: { cel: '.' } };

/** A question about one expression; `cel/main.go` says what each field means. */
export interface CelQuestion {
  readonly expression: string;
  readonly version?: string;
  readonly params?: boolean;
  readonly authorizer?: boolean;
  readonly patchTypes?: boolean;
  /** Types by variable, written as the checker's messages write them: `list(string)`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** OpenAPI schema of `object`. */
  readonly schema?: unknown;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly tree?: boolean;
  readonly estimate?: boolean;
  /** Values of the variables, as JSON. */
  readonly evaluate?: Readonly<Record<string, unknown>>;
}

export interface CelAnswer {
  /** All issues, as the API server prints them; absent when there is none. */
  readonly text?: string;
  readonly issues?: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  readonly type?: string;
  readonly tree?: CelTree;
  readonly unparsed?: string;
  /** The estimated cost; `max` is -1 when it has no bound. */
  readonly min?: number;
  readonly max?: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly cost?: number;
  /** The question could not be put, or cel-go panicked. */
  readonly failure?: string;
}

/** A node of a checked tree; its children are among the other properties. Offsets count code points. */
export interface CelTree {
  readonly id: number;
  readonly at?: number;
  readonly type?: string;
  readonly reference?: string;
  readonly overloads?: readonly string[];
  readonly [property: string]: unknown;
}

const DEADLINE_MS = 5 * 60_000;

/** Asks all questions at once; the answers are in the same order. Throws SuiteUnavailable where the tool can't be built. */
export async function askCel(questions: readonly CelQuestion[], options: BuildOptions): Promise<CelAnswer[]> {
  const folder = await ensureGoTool(celTool, ['cel'], options);
  return new Promise((resolve, reject) => {
    const child = spawn(join(folder, 'cel'), {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: DEADLINE_MS,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.stdin.on('error', reject);
    child.on('close', (code) => {
      const lines = Buffer.concat(chunks).toString().split('\n').filter(Boolean);
      if (code !== 0 || lines.length !== questions.length) reject(new Error(`cel ended with ${code} after ${lines.length} answers`));
      else resolve(lines.map((line) => JSON.parse(line) as CelAnswer));
    });
    child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  });
}
