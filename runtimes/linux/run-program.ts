import { spawn, spawnSync } from 'node:child_process';
import { EffectError, type ProgramResult } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { lowerPriority } from '../host/priority.ts';
import { asTyped } from './batch-words.ts';
import { childEnvironment, findProgram, hasPipes, killGroup } from './child.ts';

export interface ProgramCall {
  /** Name or absolute path. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** The path of the network namespace that it runs in; undefined: ours. */
  readonly netns?: string | undefined;
  readonly stdin?: string | undefined;
  /** Beside the path and the language, which stay. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Bytes of output, and of errors; default 1 MiB. */
  readonly limit?: number;
}

const MIB = 1024 * 1024;
/** Bytes of all arguments and the environment: the kernel takes some 2 MiB. */
const MAX_WORDS = 512 * 1024;

/** Runs programs to their end. */
export class ProgramRunner {
  readonly #clock: Clock;
  readonly #deadline: number;
  #wrapper: readonly string[] | undefined;

  /** `deadline`: milliseconds for one program. */
  constructor(clock: Clock, deadline: number) {
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /**
   * Runs a program without a shell, in a group of its own that is killed at the deadline. Where setpriv(1) can do it, the program is also
   * killed when this process is. Throws {@link EffectError}: `program`, `timeout`, `invalid`.
   */
  async run(call: ProgramCall, signal?: AbortSignal): Promise<ProgramResult> {
    const { program, netns, limit = MIB } = call;
    const deadline = this.#deadline;
    const tried = asTyped(program, call.arguments);
    const words = [program, ...call.arguments, ...Object.entries(call.environment ?? {}).flat()];
    if (words.some((word) => word.includes('\0'))) throw new EffectError('invalid', 'an argument holds a zero byte', tried);
    if (words.reduce((sum, { length }) => sum + length, 0) > MAX_WORDS)
      throw new EffectError('invalid', 'the arguments are too long', tried);
    if (signal?.aborted) throw new EffectError('timeout', 'given up', tried);
    const file = findProgram(program);
    if (file === undefined) throw new EffectError('program', `${program} is not installed`, tried);
    this.#wrapper ??= killedWithUs();
    const command = [...this.#wrapper, ...(netns === undefined ? [] : ['nsenter', `--net=${netns}`, '--']), file, ...call.arguments];
    return new Promise((resolve, reject) => {
      const fail = (code: 'timeout' | 'program', why: string): void => {
        settle();
        killGroup(child);
        reject(new EffectError(code, why, tried));
      };
      const child = spawn(command[0]!, command.slice(1), {
        env: { ...call.environment, ...childEnvironment() },
        cwd: '/',
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      if (!hasPipes(child)) {
        child.on('error', () => {});
        return reject(new EffectError('full', 'can not be started: too many files are open', tried));
      }
      lowerPriority(child.pid);
      const timer = this.#clock.after(deadline, () => fail('timeout', `did not end within ${deadline} ms and was killed`));
      const abort = (): void => fail('timeout', 'was killed, as it was given up');
      signal?.addEventListener('abort', abort, { once: true });
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const overflow = (): void => fail('program', `says more than ${limit} bytes and was killed`);
      const output = collect(child.stdout, limit, overflow);
      const errors = collect(child.stderr, limit, overflow);
      child.stdin.on('error', () => {});
      child.stdin.end(call.stdin ?? '');
      child.on('error', (error) => fail('program', error.message));
      child.on('close', (exitCode, killedBy) => {
        if (exitCode === null) return fail('program', `was ended by ${killedBy}`);
        settle();
        resolve({ exitCode, stdout: output(), stderr: errors() });
      });
    });
  }
}

/** Words in front of a program that let it be killed when this process is: none where setpriv is missing, or is one that can't. */
function killedWithUs(): readonly string[] {
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return [];
  const words = [setpriv, '--pdeathsig', 'KILL', '--'];
  const { status } = spawnSync(words[0]!, [...words.slice(1), 'true'], { env: childEnvironment(), timeout: 1000, stdio: 'ignore' });
  return status === 0 ? words : [];
}

function collect(stream: NodeJS.ReadableStream, limit: number, overflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else overflow();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
