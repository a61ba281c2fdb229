import { spawn } from 'node:child_process';

export interface ChildOptions {
  readonly input: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Milliseconds until the child is killed. */
  readonly timeout: number;
}

export interface ChildResult {
  /** Exit code; undefined when it was killed or could not be started. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit code. */
  readonly problem?: string;
}

/** Bytes of output that are kept; more kills the child. */
const MAX_OUTPUT = 64 * 1024 * 1024;

/** Runs a program with text on its standard input, within limits of time and output. Never throws. */
export function runChild(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    const chunks: { readonly out: Buffer[]; readonly err: Buffer[] } = { out: [], err: [] };
    let length = 0;
    let problem: string | undefined;
    const stop = (reason: string): void => {
      problem ??= reason;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop(`took more than ${options.timeout / 1000} s`), options.timeout);
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_OUTPUT) stop(`printed more than ${MAX_OUTPUT} bytes`);
      else into.push(chunk);
    };
    child.stdout.on('data', collect(chunks.out));
    child.stderr.on('data', collect(chunks.err));
    // A child that does not read its input to the end is not an error in itself.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    child.on('error', (error) => {
      problem ??= `could not be started: ${error.message}`;
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({
        code: problem === undefined && code !== null ? code : undefined,
        stdout: Buffer.concat(chunks.out).toString('utf8'),
        stderr: Buffer.concat(chunks.err).toString('utf8'),
        ...(problem !== undefined ? { problem } : code === null ? { problem: 'was killed' } : {}),
      });
    });
  });
}
