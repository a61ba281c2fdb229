import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import { EffectError } from '../../engine/step/effect.ts';
import type { ChannelEnds } from './channel.ts';

const SYSTEM_PATHS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Folders where programs are looked for: those of PATH, and where a system keeps its own. */
export function programPath(path = process.env['PATH']): readonly string[] {
  return [...new Set([...(path ?? '').split(':').filter((folder) => folder.startsWith('/')), ...SYSTEM_PATHS])];
}

/** The file of a program that is named, or given by its absolute path; undefined where there is none that can be run. */
export function findProgram(program: string): string | undefined {
  const files = isAbsolute(program) ? [program] : program.includes('/') ? [] : programPath().map((folder) => join(folder, program));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** What children see of our environment: nothing but where programs are, and that they are to speak English. */
export function childEnvironment(): Record<string, string> {
  return { PATH: programPath().join(':'), LC_ALL: 'C' };
}

/**
 * Starts a program whose output and errors come in order on one pipe. It ends when its input ends, hence also when this process is killed.
 * Throws {@link EffectError} `program`.
 */
export function startChild(program: string, args: readonly string[]): ChannelEnds {
  // Node can't give one pipe to two descriptors; a shell that makes way can.
  const child = spawnChild('sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...args]);
  return { input: child.stdin, output: child.stdout, kill: () => void child.kill('SIGKILL') };
}

/** The two ends of a program whose messages are bytes. */
export interface RelayEnds {
  readonly input: Writable;
  readonly output: Readable;
  kill(): void;
}

/** Starts a program, by its file, whose output is bytes and whose errors are nobody's. Throws {@link EffectError} `program`. */
export function startRelay(file: string, args: readonly string[]): RelayEnds {
  const child = spawnChild(file, args);
  return { input: child.stdin, output: child.stdout, kill: () => void child.kill('SIGKILL') };
}

/** A process whose descriptors 3 and up are pipes in both directions, and the leader of its group. */
export interface GroupChild {
  readonly input: NonNullable<ChildProcess['stdin']>;
  readonly output: NonNullable<ChildProcess['stdout']>;
  readonly slots: readonly Duplex[];
  /** Kills the whole group. */
  kill(): void;
}

/** Starts a shell program as the leader of a group. Throws {@link EffectError} `program`. */
export function startGroup(script: string, args: readonly string[], slots: number): GroupChild {
  const child = spawnChild('sh', ['-c', script, ...args], slots);
  return {
    input: child.stdin,
    output: child.stdout,
    slots: child.stdio.slice(3) as Duplex[],
    kill: () => killGroup(child),
  };
}

/** Kills a process that leads a group, with the group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

type Piped = ChildProcess & { readonly stdin: NonNullable<ChildProcess['stdin']>; readonly stdout: NonNullable<ChildProcess['stdout']> };

function spawnChild(file: string, args: readonly string[], slots = 0): Piped {
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      env: childEnvironment(),
      cwd: '/',
      stdio: ['pipe', 'pipe', 'ignore', ...new Array<'pipe'>(slots).fill('pipe')],
      detached: slots > 0,
    });
  } catch (error) {
    throw new EffectError('program', `${file} can't be started: ${(error as Error).message}`, file);
  }
  // What could not be started ends at once, which its pipes show.
  child.on('error', () => {});
  // Without descriptors left it has no pipes.
  if (!hasPipes(child)) throw new EffectError('full', `${file} can't be started: too many files are open`, file);
  return child as Piped;
}

/** Whether a child was given pipes: it has none when this process may open no more. */
export function hasPipes(child: ChildProcess): boolean {
  return Boolean(child.stdin && child.stdout);
}
