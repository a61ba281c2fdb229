import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findOnPath } from '../tools/go-tool.ts';

/** A program that runs beside us and writes its output to a file. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** The end of its output, for messages. */
  tail(lines?: number): string;
  /** Undefined while it runs. */
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. Settles when it is gone. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL without waiting; for exit handlers. */
  kill(): void;
}

/** Starts a program with standard output and error in `logFile`. */
export function startProcess(name: string, command: string, args: readonly string[], logFile: string, cwd: string): RunningProcess {
  const log = openSync(logFile, 'a');
  // Where the kernel can be asked to, it ends the program when we are killed and can't do it ourselves.
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;
  const [executable, ...prefix] = setpriv === undefined ? [command] : [setpriv, '--pdeathsig', 'KILL', '--', command];
  const child: ChildProcess = spawn(executable!, [...prefix, ...args], { cwd, stdio: ['ignore', log, log] });
  closeSync(log);
  let exit: RunningProcess['exit'];
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      resolve();
    });
    child.once('error', () => {
      exit ??= { code: null, signal: null };
      resolve();
    });
  });
  return {
    name,
    pid: child.pid ?? -1,
    tail: (lines = 15) => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
    get exit() {
      return exit;
    },
    kill: () => void child.kill('SIGKILL'),
    async stop(graceMs = 5000) {
      if (exit) return;
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await gone;
      clearTimeout(forced);
    },
  };
}

/**
 * Asks `ready` until it answers true. Throws at the deadline, or as soon as the process has ended, with the end of its output; and
 * when the signal is aborted.
 */
export async function waitUntilReady(
  started: RunningProcess,
  ready: () => Promise<boolean>,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const deadline = Date.now() + options.deadlineMs;
  for (;;) {
    options.signal?.throwIfAborted();
    if (started.exit) throw new Error(`${started.name} ended (${JSON.stringify(started.exit)}):\n${started.tail()}`);
    if (await ready().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`${started.name} was not ready after ${options.deadlineMs / 1000} s:\n${started.tail()}`);
    await delay(100);
  }
}
