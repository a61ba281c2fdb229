import { type ChildProcess, spawn } from 'node:child_process';
import { lowerPriority } from '../host/priority.ts';
import { hasPipes } from './child.ts';

export interface ProgramEnd {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  /** How it ended: `exit status 1`, `signal: SIGKILL`. */
  readonly ending: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that could not be started, or did not end as it should. `code` is an errno, `TIMEOUT` or `TOO_LONG`. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ProgramInput {
  readonly path: string;
  readonly arguments?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Bytes of standard output; with more it is ended. */
  readonly maxOutput: number;
  /** Bytes of standard error that are kept. */
  readonly maxErrors: number;
  /** Whether it is ended with more; else the rest is not kept. */
  readonly isEndedByErrors?: boolean;
}

/** Runs a program, without a shell, to its end. Throws {@link ProgramError}. */
export type RunGroup = (input: ProgramInput) => Promise<ProgramEnd>;

/** In a group of its own, so that what it started ends with it. What is to be ended is killed, and not waited for. */
export const runGroup: RunGroup = (input) =>
  new Promise((resolve, reject) => {
    const { path, signal, maxOutput, maxErrors } = input;
    if (signal.aborted) {
      reject(new ProgramError('TIMEOUT', `${path} was not started: the time was up`));
      return;
    }
    const child = spawn(path, input.arguments ?? [], {
      env: { ...input.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: '/',
    });
    const settle = (): void => signal.removeEventListener('abort', expire);
    const fail = (error: ProgramError): void => {
      settle();
      endGroup(child);
      reject(error);
    };
    const expire = (): void => fail(new ProgramError('TIMEOUT', `${path} did not end in time`));
    child.on('error', (error: NodeJS.ErrnoException) => fail(new ProgramError(error.code ?? 'UNKNOWN', error.message)));
    if (!hasPipes(child)) {
      fail(new ProgramError('EMFILE', `${path} can't be started: too many files are open`));
      return;
    }
    lowerPriority(child.pid);
    signal.addEventListener('abort', expire, { once: true });
    const tooLong = (most: number): void => fail(new ProgramError('TOO_LONG', `${path} printed more than ${most} bytes`));
    const output = collect(child.stdout, maxOutput, tooLong);
    const errors = collect(child.stderr, maxErrors, input.isEndedByErrors === true ? tooLong : () => {});
    // A program may end without reading all of it.
    child.stdin.on('error', () => {});
    child.on('close', (exitCode, killer) => {
      settle();
      const ending = exitCode === null ? `signal: ${killer}` : `exit status ${exitCode}`;
      resolve({ exitCode: exitCode ?? undefined, ending, stdout: output(), stderr: errors() });
    });
    child.stdin.end(input.stdin);
  });

function endGroup(child: ChildProcess): void {
  try {
    // Its leader may have ended, and somebody else of it hold the pipes.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
  // Who has left the group may hold them, too.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

/** Keeps the first bytes of a stream; `overflow` is told once there are more. */
function collect(stream: NodeJS.ReadableStream, most: number, overflow: (most: number) => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < most) chunks.push(chunk.subarray(0, most - size));
    const wasWithin = size <= most;
    size += chunk.length;
    if (wasWithin && size > most) overflow(most);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
