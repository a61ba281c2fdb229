import { spawn } from 'node:child_process';
import { lowerPriority } from '../../host/priority.ts';

export interface ProgramRun {
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
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Bytes of standard output; with more it is ended. */
  readonly maxOutput: number;
  /** Bytes of standard error that are kept. */
  readonly maxErrors: number;
}

/** Executes a program without arguments and gives it its standard input. Throws {@link ProgramError}. */
export type RunProgram = (input: ProgramInput) => Promise<ProgramRun>;

export const runProgram: RunProgram = ({ path, environment, stdin, signal, maxOutput, maxErrors }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new ProgramError('TIMEOUT', `${path} was not started: the time was up`));
      return;
    }
    // A group of its own, so that what it started ends with it.
    const child = spawn(path, [], { env: { ...environment }, stdio: ['pipe', 'pipe', 'pipe'], detached: true, cwd: '/' });
    lowerPriority(child.pid);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let length = 0;
    let errorLength = 0;
    let failure: ProgramError | undefined;
    const kill = (why: ProgramError): void => {
      failure ??= why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      // Something that left the group may hold the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const expire = (): void => kill(new ProgramError('TIMEOUT', `${path} did not end in time`));
    signal.addEventListener('abort', expire, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxOutput) kill(new ProgramError('TOO_LONG', `${path} printed more than ${maxOutput} bytes`));
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errorLength < maxErrors) errors.push(chunk.subarray(0, maxErrors - errorLength));
      errorLength += chunk.length;
    });
    // A program may end without reading all of it.
    child.stdin.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', expire);
      reject(new ProgramError(error.code ?? 'UNKNOWN', error.message));
    });
    child.on('close', (exitCode, killer) => {
      signal.removeEventListener('abort', expire);
      if (failure !== undefined) reject(failure);
      else {
        resolve({
          exitCode: exitCode ?? undefined,
          ending: exitCode === null ? `signal: ${killer}` : `exit status ${exitCode}`,
          stdout: Buffer.concat(output).toString('utf8'),
          stderr: Buffer.concat(errors).toString('utf8'),
        });
      }
    });
    child.stdin.end(stdin);
  });
