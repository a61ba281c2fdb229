import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface LockOptions {
  /** How long to wait for another process, in milliseconds. */
  readonly deadlineMs: number;
  /** Told once when another process holds the lock. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

const POLL_MS = 500;

/**
 * Runs `work` while no other process of this machine runs anything under the same lock file. A lock whose owner has died is taken
 * over. Throws when the deadline passes.
 */
export async function withFileLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + options.deadlineMs;
  let told = false;
  while (!tryLock(file)) {
    const owner = ownerOf(file);
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      removeStale(file, owner);
      continue;
    }
    if (Date.now() > deadline) throw new Error(`process ${owner} holds ${file} for longer than ${options.deadlineMs / 1000} s`);
    if (!told) options.log(`waiting for process ${owner}, which holds ${file}`);
    told = true;
    await delay(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Linked, not written, into its place: whoever sees the file sees the owner in it. */
function tryLock(file: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Process that holds the lock; undefined when it has just been given back. */
function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Another process may have taken the stale lock over in the meantime: then what was moved away is its lock, and goes back. */
function removeStale(file: string, owner: number): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
    if (ownerOf(aside) !== owner) linkSync(aside, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Whether there is a process of this id. */
export function isAlive(owner: number): boolean {
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
