import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import type { Log } from '../host/log.ts';
import { type Invocation, MAX_INVOCATION_BYTES, parseInvocation, SPOOL_NAME, WireError } from './wire.ts';

/** A DEL that the executable kept. */
export interface KeptDel {
  /** Of its file. */
  readonly name: string;
  readonly invocation: Invocation;
  /** What it is for: {@link spoolSubject}. */
  readonly subject: string;
}

/** Where files are put that can never be done: somebody should look at them. */
const UNREADABLE = 'unreadable';
/** Milliseconds after which a file that was not written to its end will not be. */
const ABANDONED = 10 * 60_000;
const ABANDONED_NAME = /^\.\d{19}-\d{1,10}$/;

/** Tells one interface of one container from others. */
export const spoolSubject = (containerId: string, ifName: string): string => `${containerId}\0${ifName}`;

/** The files in which the executable keeps DELs. What was read once is not read again. */
export class SpoolFolder {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #known = new Map<string, KeptDel>();

  /** Makes the folder where it is missing, for its owner only. */
  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // Whoever may write here may have anything detached.
    chmodSync(path, 0o700);
  }

  /** Names of whole files, oldest first. */
  names(): readonly string[] {
    const names = new Set(this.#list().filter((name) => SPOOL_NAME.test(name)));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    return [...names].sort();
  }

  /** Undefined where it is gone. One that can never be done is set aside, and then there is none either. */
  read(name: string): KeptDel | undefined {
    const found = this.#known.get(name);
    if (found !== undefined) return found;
    const file = join(this.#path, name);
    try {
      const invocation = readDel(file);
      const { environment } = invocation;
      const subject = spoolSubject(environment.get('CNI_CONTAINERID') ?? '', environment.get('CNI_IFNAME') ?? '');
      const kept = { name, invocation, subject };
      this.#known.set(name, kept);
      return kept;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (error instanceof WireError) this.setAside(name, error.message);
      else this.#log('error', 'kept DEL cannot be read', { file, reason: errorMessage(error) });
      return undefined;
    }
  }

  remove(name: string): void {
    rmSync(join(this.#path, name), { force: true });
    this.#known.delete(name);
  }

  setAside(name: string, reason: string): void {
    this.#known.delete(name);
    const file = join(this.#path, UNREADABLE, name);
    this.#log('error', 'kept DEL can never be done; it is set aside', { file, reason });
    try {
      mkdirSync(join(this.#path, UNREADABLE), { recursive: true, mode: 0o700 });
      renameSync(join(this.#path, name), file);
    } catch (error) {
      this.#log('error', 'kept DEL cannot be set aside', { file, reason: errorMessage(error) });
    }
  }

  /** Removes what an executable that was killed has left half written. */
  removeAbandoned(): void {
    for (const name of this.#list()) {
      if (!ABANDONED_NAME.test(name)) continue;
      const file = join(this.#path, name);
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats !== undefined && this.#clock.now() - stats.mtimeMs > ABANDONED) rmSync(file, { force: true });
    }
  }

  #list(): string[] {
    try {
      return readdirSync(this.#path);
    } catch (error) {
      // Somebody has removed it, and the executable needs it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      return [];
    }
  }
}

function readDel(file: string): Invocation {
  const stats = lstatSync(file);
  // To open what is no file may never end.
  if (!stats.isFile()) throw new WireError('it is no file');
  if (stats.size > MAX_INVOCATION_BYTES) throw new WireError(`an invocation has at most ${MAX_INVOCATION_BYTES} bytes`);
  const invocation = parseInvocation(readFileSync(file));
  if (invocation.environment.get('CNI_COMMAND') !== 'DEL') throw new WireError('only a DEL can be done later');
  return invocation;
}
