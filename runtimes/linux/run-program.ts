import { spawnSync } from 'node:child_process';
import { EffectError, type ProgramResult } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { asTyped } from './batch-words.ts';
import { childEnvironment, findProgram } from './child.ts';
import { ProgramError, runGroup } from './program-group.ts';
import { stepDeadline } from './step-deadline.ts';

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
    const time = stepDeadline(this.#clock, deadline, signal);
    try {
      const { exitCode, ending, stdout, stderr } = await runGroup({
        path: command[0]!,
        arguments: command.slice(1),
        environment: { ...call.environment, ...childEnvironment() },
        stdin: call.stdin ?? '',
        signal: time.signal,
        maxOutput: limit,
        maxErrors: limit,
        isEndedByErrors: true,
      });
      if (exitCode === undefined) throw new EffectError('program', `was ended by ${ending.replace('signal: ', '')}`, tried);
      return { exitCode, stdout, stderr };
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      switch (error.code) {
        case 'TIMEOUT':
          throw new EffectError(
            'timeout',
            time.isPassed ? `did not end within ${deadline} ms and was killed` : 'was killed, as it was given up',
            tried,
          );
        case 'TOO_LONG':
          throw new EffectError('program', `says more than ${limit} bytes and was killed`, tried);
        case 'EMFILE':
          throw new EffectError('full', 'can not be started: too many files are open', tried);
        default:
          throw new EffectError('program', error.message, tried);
      }
    } finally {
      time.end();
    }
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
