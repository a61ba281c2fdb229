import { FAULT_CODES, readFault } from '../../engine/rules/network/protocol/fault.ts';
import { type Clock, systemClock, type Timer } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { type Log, silentLog } from '../host/log.ts';
import { type KeptDel, SpoolFolder, spoolSubject } from './spool-folder.ts';
import type { Answer, Invocation } from './wire.ts';

/*
 * DELs that the executable kept while there was no daemon. A file is removed when its DEL was done, and not before: a daemon that is killed
 * in between does it once more, which a DEL allows.
 */

export interface SpoolOptions {
  /** Made where it is missing, for its owner only. */
  readonly folder: string;
  readonly handle: (invocation: Invocation) => Promise<Answer>;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** How many DELs were done, and how many are left. */
interface Performed {
  readonly done: number;
  readonly left: number;
}

/** Milliseconds between looks into the folder. */
const INTERVAL = 30_000;
/** Files that are done at once. */
const AT_ONCE = 16;
/** Codes that another try does not change: the DEL itself is wrong. CNI: SPEC.md, section 5. */
const NEVER: ReadonlySet<number> = new Set([
  FAULT_CODES.incompatibleVersion,
  FAULT_CODES.invalidEnvironment,
  FAULT_CODES.decodingFailure,
  FAULT_CODES.invalidConfig,
]);

export interface Spool {
  /** Does what is kept, in the order in which it was written. */
  perform(): Promise<Performed>;
  /** Does what is kept for one interface of one container; answers why something is left, or undefined. Quick where nothing is kept. */
  performFor(containerId: string, ifName: string): Promise<string | undefined>;
  /** Performs now and again, from now on. */
  watch(): void;
  /** Files that wait. */
  waiting(): number;
  /** Resolves when nothing is being done any more. */
  close(): Promise<void>;
}

export const createSpool = (options: SpoolOptions): Spool => new SpoolOfFolder(options);

class SpoolOfFolder implements Spool {
  readonly #folder: SpoolFolder;
  readonly #handle: SpoolOptions['handle'];
  readonly #clock: Clock;
  readonly #log: Log;
  /** What is being done, by the name of its file. */
  readonly #inWork = new Map<string, Promise<string | undefined>>();
  #performing: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #closed = false;

  constructor({ folder, handle, clock = systemClock, log = silentLog }: SpoolOptions) {
    this.#folder = new SpoolFolder(folder, clock, log);
    this.#handle = handle;
    this.#clock = clock;
    this.#log = log;
  }

  perform(): Promise<Performed> {
    const run = this.#performing.then(() => this.#performAll());
    this.#performing = run.catch(() => {});
    return run;
  }

  async performFor(containerId: string, ifName: string): Promise<string | undefined> {
    const subject = spoolSubject(containerId, ifName);
    for (const name of this.#folder.names()) {
      const kept = this.#folder.read(name);
      if (kept?.subject !== subject) continue;
      const reason = await this.#work(kept);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  watch(): void {
    if (this.#timer === undefined && !this.#closed) this.#arm();
  }

  waiting(): number {
    return this.#folder.names().length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#performing;
    await Promise.all(this.#inWork.values());
  }

  #arm(): void {
    this.#timer = this.#clock.after(INTERVAL, () => {
      void this.perform()
        .catch((error: unknown) => this.#log('error', 'the spool cannot be read', { reason: errorMessage(error) }))
        .finally(() => {
          if (!this.#closed) this.#arm();
        });
    });
  }

  async #performAll(): Promise<Performed> {
    this.#folder.removeAbandoned();
    const lists = this.#bySubject();
    let done = 0;
    let left = 0;
    const worker = async (): Promise<void> => {
      for (let list = lists.shift(); list !== undefined && !this.#closed; list = lists.shift()) {
        for (const kept of list) {
          if ((await this.#work(kept)) === undefined) done++;
          else left++;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { done, left };
  }

  /** Of one subject in their order, all others side by side. */
  #bySubject(): KeptDel[][] {
    const subjects = new Map<string, KeptDel[]>();
    for (const name of this.#folder.names()) {
      const kept = this.#folder.read(name);
      if (kept === undefined) continue;
      const list = subjects.get(kept.subject);
      if (list === undefined) subjects.set(kept.subject, [kept]);
      else list.push(kept);
    }
    return [...subjects.values()];
  }

  /** Does one; answers why it is left, or undefined. */
  #work(kept: KeptDel): Promise<string | undefined> {
    const running = this.#inWork.get(kept.name);
    if (running !== undefined) return running;
    const promise = this.#attempt(kept).finally(() => this.#inWork.delete(kept.name));
    this.#inWork.set(kept.name, promise);
    return promise;
  }

  async #attempt({ name, invocation }: KeptDel): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#handle(invocation);
    const container = invocation.environment.get('CNI_CONTAINERID');
    if (exitCode === 0) {
      this.#folder.remove(name);
      this.#log('info', 'kept DEL is done', { container, type: invocation.environment.get('TYPE') });
      return undefined;
    }
    const found = readFault(stdout);
    const reason = found?.msg ?? `exit code ${exitCode}`;
    if (found !== undefined && NEVER.has(found.code)) {
      this.#folder.setAside(name, reason);
      return undefined;
    }
    this.#log('warn', 'kept DEL could not be done; it is tried again', { container, code: found?.code, reason });
    return reason;
  }
}
