import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FAULT_CODES, readFault } from '../../engine/rules/network/protocol/fault.ts';
import { type Clock, systemClock, type Timer } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { type Log, silentLog } from '../host/log.ts';
import { type Answer, type Invocation, MAX_INVOCATION_BYTES, parseInvocation, SPOOL_NAME, WireError } from './wire.ts';

/*
 * DELs that the executable kept while there was no daemon. A file is removed when its DEL was done, and not before: a daemon that is killed
 * in between does it once more, which a DEL allows.
 */

export interface SpoolOptions {
  /** Made where it is missing, for its owner only. */
  readonly folder: string;
  readonly handle: (invocation: Invocation) => Promise<Answer>;
  /** Milliseconds between looks into the folder; default 30 000. */
  readonly interval?: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface Spool {
  /** Does what is kept, in the order in which it was written. Answers how many were done, and how many are left. */
  perform(): Promise<{ readonly done: number; readonly left: number }>;
  /** Does what is kept for one interface of one container; answers why something is left, or undefined. Quick where nothing is kept. */
  performFor(containerId: string, ifName: string): Promise<string | undefined>;
  /** Performs now and again, from now on. */
  watch(): void;
  /** Files that wait. */
  waiting(): number;
  /** Resolves when nothing is being done any more. */
  close(): Promise<void>;
}

/** A file of the spool that says what it is for. */
interface Kept {
  readonly name: string;
  readonly invocation: Invocation;
  readonly subject: string;
}

/** Where files are put that can never be done: somebody should look at them. */
const UNREADABLE = 'unreadable';
/** Milliseconds after which a file that was not written to its end will not be. */
const ABANDONED = 10 * 60_000;
const INTERVAL = 30_000;
/** Files that are done at once. */
const AT_ONCE = 16;

export function createSpool(options: SpoolOptions): Spool {
  const { folder, handle, clock = systemClock, log = silentLog, interval = INTERVAL } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Whoever may write here may have anything detached.
  chmodSync(folder, 0o700);
  const known = new Map<string, Kept>();
  const inWork = new Map<string, Promise<string | undefined>>();
  let timer: Timer | undefined;
  let closed = false;
  let performing: Promise<unknown> = Promise.resolve();

  /** Names of whole files, oldest first. */
  const names = (): string[] =>
    listed()
      .filter((name) => SPOOL_NAME.test(name))
      .sort();

  function listed(): readonly string[] {
    try {
      return readdirSync(folder);
    } catch (error) {
      // Somebody has removed it, and the executable needs it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return [];
    }
  }

  function read(name: string): Kept | undefined {
    const found = known.get(name);
    if (found !== undefined) return found;
    const path = join(folder, name);
    try {
      const stats = lstatSync(path);
      // To open what is no file may never end.
      if (!stats.isFile()) throw new WireError('it is no file');
      if (stats.size > MAX_INVOCATION_BYTES) throw new WireError(`an invocation has at most ${MAX_INVOCATION_BYTES} bytes`);
      const invocation = parseInvocation(readFileSync(path));
      const { environment } = invocation;
      if (environment.get('CNI_COMMAND') !== 'DEL') throw new WireError('only a DEL can be done later');
      const kept = { name, invocation, subject: subjectOf(environment.get('CNI_CONTAINERID') ?? '', environment.get('CNI_IFNAME') ?? '') };
      known.set(name, kept);
      return kept;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (error instanceof WireError) setAside(name, error.message);
      else log('error', 'kept DEL cannot be read', { file: path, reason: errorMessage(error) });
      return undefined;
    }
  }

  function setAside(name: string, reason: string): void {
    known.delete(name);
    const path = join(folder, UNREADABLE, name);
    log('error', 'kept DEL can never be done; it is set aside', { file: path, reason });
    try {
      mkdirSync(join(folder, UNREADABLE), { recursive: true, mode: 0o700 });
      renameSync(join(folder, name), path);
    } catch (error) {
      log('error', 'kept DEL cannot be set aside', { file: path, reason: errorMessage(error) });
    }
  }

  /** Does one; answers why it is left, or undefined. */
  function work(kept: Kept): Promise<string | undefined> {
    const { name } = kept;
    const running = inWork.get(name);
    if (running !== undefined) return running;
    const promise = attempt(kept).finally(() => inWork.delete(name));
    inWork.set(name, promise);
    return promise;
  }

  async function attempt({ name, invocation }: Kept): Promise<string | undefined> {
    const { exitCode, stdout } = await handle(invocation);
    const container = invocation.environment.get('CNI_CONTAINERID');
    if (exitCode === 0) {
      rmSync(join(folder, name), { force: true });
      known.delete(name);
      log('info', 'kept DEL is done', { container, type: invocation.environment.get('TYPE') });
      return undefined;
    }
    const found = readFault(stdout);
    const reason = found?.msg ?? `exit code ${exitCode}`;
    if (found !== undefined && NEVER.has(found.code)) {
      setAside(name, reason);
      return undefined;
    }
    log('warn', 'kept DEL could not be done; it is tried again', { container, code: found?.code, reason });
    return reason;
  }

  async function performAll(): Promise<{ readonly done: number; readonly left: number }> {
    removeAbandoned();
    const waiting = names();
    for (const name of known.keys()) if (!waiting.includes(name)) known.delete(name);
    let done = 0;
    let left = 0;
    // Of one subject in their order, all others side by side.
    const subjects = new Map<string, Kept[]>();
    for (const name of waiting) {
      const kept = read(name);
      if (kept === undefined) continue;
      const list = subjects.get(kept.subject);
      if (list === undefined) subjects.set(kept.subject, [kept]);
      else list.push(kept);
    }
    const lists = [...subjects.values()];
    const worker = async (): Promise<void> => {
      for (let list = lists.shift(); list !== undefined && !closed; list = lists.shift()) {
        for (const kept of list) {
          if ((await work(kept)) === undefined) done++;
          else left++;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { done, left };
  }

  function removeAbandoned(): void {
    for (const name of listed()) {
      if (!/^\.\d{19}-\d{1,10}$/.test(name)) continue;
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined && clock.now() - stats.mtimeMs > ABANDONED) rmSync(path, { force: true });
    }
  }

  const perform = (): Promise<{ readonly done: number; readonly left: number }> => {
    const run = performing.then(performAll);
    performing = run.catch(() => {});
    return run;
  };

  const arm = (): void => {
    timer = clock.after(interval, () => {
      void perform()
        .catch((error: unknown) => log('error', 'the spool cannot be read', { folder, reason: errorMessage(error) }))
        .finally(() => {
          if (!closed) arm();
        });
    });
  };

  return {
    perform,
    async performFor(containerId, ifName) {
      const subject = subjectOf(containerId, ifName);
      for (const name of names()) {
        const kept = read(name);
        if (kept?.subject !== subject) continue;
        const reason = await work(kept);
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
    watch() {
      if (timer === undefined && !closed) arm();
    },
    waiting: () => names().length,
    async close() {
      closed = true;
      timer?.cancel();
      await performing;
      await Promise.all(inWork.values());
    },
  };
}

/** Codes that another try does not change: the DEL itself is wrong. CNI: SPEC.md, section 5. */
const NEVER: ReadonlySet<number> = new Set([
  FAULT_CODES.incompatibleVersion,
  FAULT_CODES.invalidEnvironment,
  FAULT_CODES.decodingFailure,
  FAULT_CODES.invalidConfig,
]);

const subjectOf = (containerId: string, ifName: string): string => `${containerId}\0${ifName}`;
