import type { Json, JsonObject } from '../object/json.ts';

/*
 * What a step asks of a host, as data. An operation is a generator: it yields effects and is given their answers, so it reads like a
 * program and does nothing itself. `runtimes/linux` performs effects, a dry run prints them, a unit test answers them from a table.
 * A failed effect is thrown into the generator as an {@link EffectError}.
 */

/** Steps of an operation: yields effects, ends with a value. Use the typed wrappers of `effects/` with `yield*`. */
export type Steps<T> = Generator<Effect, T, unknown>;

/** Path of a network namespace; undefined is the host's. */
export type Netns = string | undefined;

/** One line of iproute2, word by word. Words are checked by who performs them: no white space, quotes, or control characters. */
export interface Command {
  readonly words: readonly string[];
  /** Failures that are no failure here: the command counts as done. */
  readonly tolerate?: readonly FailureCode[];
}

export type Effect =
  /**
   * Lines of `ip`, `tc` or `bridge`, in order, ending with the first that fails. With `eager`, lines behind one that fails may be done all the
   * same: nobody waits for the answer of each before the next is begun. Answer: undefined.
   */
  | {
      readonly kind: 'iproute';
      readonly program: IprouteProgram;
      readonly netns: Netns;
      readonly commands: readonly Command[];
      readonly family?: IprouteFamily;
      readonly eager?: true;
    }
  /** A `show` of `ip`, `tc` or `bridge`, as JSON with `-details`. Answer: its rows; none where the device or object does not exist. */
  | {
      readonly kind: 'show';
      readonly program: IprouteProgram;
      readonly netns: Netns;
      readonly words: readonly string[];
      readonly family?: IprouteFamily;
    }
  /** Commands of nft, applied all or none. Answer: undefined. */
  | { readonly kind: 'nft'; readonly netns: Netns; readonly script: string; readonly tolerate?: readonly FailureCode[] }
  /** `nft list`, as JSON with handles: the rows of `nftables`; none where what is listed does not exist. */
  | { readonly kind: 'nft-list'; readonly netns: Netns; readonly words: readonly string[] }
  /** One `iptables-restore --noflush` of a family, all or none, waiting for the lock. Answer: undefined. */
  | { readonly kind: 'iptables'; readonly family: 4 | 6; readonly script: string }
  /** `iptables-save` of a table. Answer: its text; empty where there is none. */
  | { readonly kind: 'iptables-save'; readonly family: 4 | 6; readonly table: string }
  /** A key in the form `net/ipv4/ip_forward`. Answer: its text without the line's end, undefined where there is no such key. */
  | { readonly kind: 'sysctl-read'; readonly netns: Netns; readonly key: string }
  | {
      readonly kind: 'sysctl-write';
      readonly netns: Netns;
      readonly key: string;
      readonly value: string;
      readonly tolerate?: readonly FailureCode[];
    }
  /** Answer: {@link FileFacts}, or undefined. Does not follow links. */
  | { readonly kind: 'stat'; readonly path: string }
  /** Answer: text of at most `limit` bytes, or undefined where there is no such file. */
  | { readonly kind: 'read-file'; readonly path: string; readonly limit: number }
  /** Replaces a file at once, or makes it; on disk before it is answered. */
  | { readonly kind: 'write-file'; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly kind: 'make-directory'; readonly path: string; readonly mode: number }
  /** A file, a link or an empty directory; nothing happens where there is none. */
  | { readonly kind: 'remove-path'; readonly path: string; readonly recursive?: boolean }
  /** A program of the host's allow list, never by a shell. Answer: {@link ProgramResult}; an exit code that is not 0 is no failure. */
  | {
      readonly kind: 'run';
      readonly program: string;
      readonly arguments: readonly string[];
      readonly netns?: Netns;
      readonly stdin?: string;
      readonly environment?: Readonly<Record<string, string>>;
    }
  /** Answer: {@link HttpAnswer}; a status is no failure. */
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Keeps facts that undo and check will need (an old value), on disk before it is answered. Replaces what was kept. */
  | { readonly kind: 'remember'; readonly value: Json }
  /** Waits; only between questions, where the kernel gives no event. */
  | { readonly kind: 'pause'; readonly milliseconds: number }
  /**
   * Effects that do not depend on each other's answers. Answer: their answers, in order. The first failure is thrown after all have ended.
   * With `order`, each is performed after those before it: whether they failed or not, or, with `after-first`, only where the first has not.
   */
  | { readonly kind: 'all'; readonly effects: readonly Effect[]; readonly order?: 'in-order' | 'after-first' }
  /** An effect of a protocol on a floor above: `addresses` of the allocator, `plugin` of another CNI plugin. */
  | { readonly kind: 'custom'; readonly name: string; readonly request: JsonObject };

export type IprouteProgram = 'ip' | 'tc' | 'bridge';

/** `ip -6`, for the few lines whose family does not follow from their words: rules of policy routing. Absent: as the words say. */
export type IprouteFamily = 6;

export interface FileFacts {
  readonly type: 'file' | 'directory' | 'link' | 'block' | 'character' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Device and inode, as text; equal for two paths of one file, or of one namespace. */
  readonly identity: string;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Parsed where it is JSON, else the text. */
  readonly body: Json;
}

/**
 * What kind of failure it was, read from the words of a program or an errno:
 * - `exists`, `missing` (device, address, rule, file, route), `busy`, `denied` (not permitted), `unsupported` (the kernel or the program
 *   can't do it), `invalid` (the kernel refuses an argument), `full` (no space, no buffers, table full), `timeout`,
 * - `namespace`: the network namespace is not there,
 * - `program`: a program is not installed, not allowed, or ended by itself,
 * - `other`.
 */
export type FailureCode =
  | 'exists'
  | 'missing'
  | 'busy'
  | 'denied'
  | 'unsupported'
  | 'invalid'
  | 'full'
  | 'timeout'
  | 'namespace'
  | 'program'
  | 'other';

/** An effect that failed. The message is what the kernel or the program said, in one line. */
export class EffectError extends Error {
  override readonly name = 'EffectError';
  readonly code: FailureCode;
  /** What was tried, as a user would type it: `ip link add cni0 type bridge`. */
  readonly tried: string;
  constructor(code: FailureCode, message: string, tried: string) {
    super(message);
    this.code = code;
    this.tried = tried;
  }
}

/** Performs effects. `runtimes/linux` has the real one. */
export interface EffectHandler {
  /** Throws {@link EffectError}. `signal` ends what is waited for, and is then a failure `timeout`. */
  perform(effect: Effect, signal?: AbortSignal): Promise<unknown>;
}

/** Runs an operation's generator with a handler. Throws what the generator throws. */
export async function runSteps<T>(steps: Steps<T>, handler: EffectHandler, signal?: AbortSignal): Promise<T> {
  let next = steps.next();
  while (!next.done) {
    let answer: unknown;
    let failure: { readonly error: unknown } | undefined;
    try {
      answer = await handler.perform(next.value, signal);
    } catch (error) {
      failure = { error };
    }
    next = failure === undefined ? steps.next(answer) : steps.throw(failure.error);
  }
  return next.value;
}
