/*
 * How the executable hands an invocation to the daemon over a Unix socket, in a form that thirty lines of C can write and read.
 *
 * The executable sends, then shuts its side down for writing:
 *
 *     fairlead-cni/1\n
 *     CNI_COMMAND=ADD\0CNI_CONTAINERID=...\0...\0     the environment variables that begin with CNI_, the trace context that libcni
 *                                                     gives (TRACEPARENT, TRACESTATE, BAGGAGE), and TYPE=<name it was called by>
 *     \0                                              an empty one ends them
 *     <standard input, to the end>
 *
 * The daemon reads to the end, answers, then closes:
 *
 *     <exit code> <bytes of standard output> <bytes of standard error>\n
 *     <standard output><standard error>
 *
 * An answer that is shorter than it says counts as none: the daemon went away. So does one that has not come by the deadline (115 s,
 * before the kubelet gives up; STATUS 10 s). What the executable does without an answer:
 *
 * - ADD, CHECK and GC fail with code 11 (try again later), STATUS with 50.
 * - DEL is written, as it would have been sent, to a file of the spool folder: a temporary name that begins with `.`, mode 0600, fsync,
 *   rename to `<nanoseconds since 1970, 19 digits>-<process id>`, fsync of the folder. Then it succeeds, because a DEL must. Where it can't be
 *   written it fails with code 11, so that the runtime tries again. The daemon performs the spool at its start, and before an ADD of the
 *   same attachment.
 *
 * What it does without asking anybody: VERSION is answered, without reading standard input. Without CNI_COMMAND it tells on standard error
 * what it is, and succeeds. Standard input beyond the limit is refused with code 6.
 */

export const WIRE_HEADER = 'fairlead-cni/1\n';

/**
 * Variable of plugins that the daemon itself calls. Where such a plugin is one of its own, the invocation is a part of another that waits for it,
 * and so must not wait for that one: neither for its turn, nor until what an earlier daemon left is undone.
 */
export const WITHIN = 'CNI_FAIRLEAD_WITHIN';

/** Bytes of an invocation, environment and configuration together. */
export const MAX_INVOCATION_BYTES = 4 * 1024 * 1024;

/** Bytes of an answer. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Names of files of the spool that are whole, in the order in which they were written. */
export const SPOOL_NAME = /^\d{19}-\d{1,10}$/;

/** One call of the executable. */
export interface Invocation {
  /** Variables that were sent. A name that is given twice has its first value, as for Go's `os.Getenv`. */
  readonly environment: ReadonlyMap<string, string>;
  /** Standard input. Bytes that are not UTF-8 stand as U+FFFD. */
  readonly stdin: string;
}

/** What the executable ends with. */
export interface Answer {
  /** 0 to 255. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes that are no invocation. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** An invocation as it is sent. Throws {@link WireError} for names and values that can't be. */
export function formatInvocation({ environment, stdin }: Invocation): Buffer {
  let head = WIRE_HEADER;
  for (const [name, value] of environment) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0'))
      throw new WireError(`the variable ${JSON.stringify(name)} can't be sent`);
    head += `${name}=${value}\0`;
  }
  return Buffer.from(`${head}\0${stdin}`, 'utf8');
}

/** Reads what an executable sent, or wrote to the spool. Throws {@link WireError}. */
export function parseInvocation(bytes: Buffer): Invocation {
  if (bytes.length > MAX_INVOCATION_BYTES) throw new WireError(`an invocation has at most ${MAX_INVOCATION_BYTES} bytes`);
  if (!bytes.subarray(0, WIRE_HEADER.length).equals(Buffer.from(WIRE_HEADER))) {
    throw new WireError(`an invocation begins with ${JSON.stringify(WIRE_HEADER)}: the executable is of another version, or not ours`);
  }
  const environment = new Map<string, string>();
  for (let start = WIRE_HEADER.length; ; ) {
    const end = bytes.indexOf(0, start);
    if (end === -1) throw new WireError('the variables of an invocation are not ended');
    if (end === start) return { environment, stdin: bytes.toString('utf8', end + 1) };
    const text = bytes.toString('utf8', start, end);
    const equals = text.indexOf('=');
    if (equals <= 0) throw new WireError('a variable of an invocation has no name');
    const name = text.slice(0, equals);
    if (!environment.has(name)) environment.set(name, text.slice(equals + 1));
    start = end + 1;
  }
}

/** An answer as it is sent. */
export function formatAnswer({ exitCode, stdout, stderr }: Answer): Buffer {
  return Buffer.from(`${exitCode} ${Buffer.byteLength(stdout)} ${Buffer.byteLength(stderr)}\n${stdout}${stderr}`, 'utf8');
}

/** Reads an answer; undefined where it is none, or not whole. */
export function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.subarray(0, 64).indexOf(0x0a);
  const [, exitCode, out, err] = /^(\d{1,3}) (\d{1,9}) (\d{1,9})$/.exec(bytes.toString('latin1', 0, Math.max(end, 0))) ?? [];
  if (exitCode === undefined || Number(exitCode) > 255) return undefined;
  const middle = end + 1 + Number(out);
  const length = middle + Number(err);
  if (bytes.length !== length) return undefined;
  return { exitCode: Number(exitCode), stdout: bytes.toString('utf8', end + 1, middle), stderr: bytes.toString('utf8', middle, length) };
}
