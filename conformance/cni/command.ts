import { spawn } from 'node:child_process';

/** How a program ended. */
export interface Finished {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  /** The whole environment; default: ours. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default 30,000. The program is killed then. */
  readonly deadlineMs?: number;
  readonly cwd?: string;
}

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Runs a program to its end. Throws where it can't be started, at the deadline, and at 16 MiB of output; never for an exit code. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const { deadlineMs = 30_000 } = options;
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.environment ? { env: options.environment } : {}),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const output: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
    let failure: string | undefined;
    let size = 0;
    const end = (why: string): void => {
      failure ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => end(`did not end in ${deadlineMs / 1000} s`), deadlineMs);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        output[stream].push(chunk);
        size += chunk.length;
        if (size > MAX_OUTPUT_BYTES) end('wrote more than 16 MiB');
      });
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // A program may end without reading all of its input.
    child.stdin.on('error', () => undefined);
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      const [stdout, stderr] = [output.stdout, output.stderr].map((chunks) => Buffer.concat(chunks).toString('utf8')) as [string, string];
      if (failure === undefined) resolve({ exitCode, stdout, stderr });
      else reject(new Error(`${[command, ...args].join(' ')} ${failure}\n${stdout}${stderr}`.trimEnd()));
    });
    child.stdin.end(options.stdin ?? '');
  });
}

/** As {@link runCommand}, answers standard output, and throws with all output when the program does not end with 0. */
export async function expectCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(command, args, options);
  if (exitCode !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${exitCode}: ${`${stderr}${stdout}`.trim()}`);
  return stdout;
}
