import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The executable in its three forms: one contract (wire.ts), written in what a host may have. `c` starts in a tenth of a millisecond and
 * needs nothing of the host, `perl` in about two, `node` in fifty.
 */

/** Fastest first. */
export const EXECUTABLE_FORMS = ['c', 'perl', 'node'] as const;
export type ExecutableForm = (typeof EXECUTABLE_FORMS)[number];

export interface ExecutableOptions {
  /** Of the daemon's socket. */
  readonly socketPath: string;
  /** Of the folder in which DELs wait for a daemon. */
  readonly spoolPath: string;
  /** Milliseconds that it waits for an answer; default 115 000. */
  readonly deadline?: number;
}

/** An executable that can't be made as it is asked for. */
export class ExecutableError extends Error {
  override readonly name = 'ExecutableError';
}

/** What stands in every form before a value, and tells that a file is ours. */
const SLOT = 'fairlead-slot:';
/** Most bytes of a value. That of a socket is the kernel's limit. */
const SLOT_SIZES = { socket_path: 107, spool_path: 255, deadline_ms: 9 } as const;

const FILES: Readonly<Record<ExecutableForm, string>> = {
  c: `fairlead-cni-${process.arch}`,
  perl: 'fairlead-cni.pl',
  node: 'fairlead-cni.cjs',
};

/** The form as it comes with this package, before its values are filled in; undefined where it does not. Throws {@link ExecutableError} for one that was damaged. */
export function readExecutable(form: ExecutableForm): Buffer | undefined {
  const file = findFile(FILES[form]);
  if (file === undefined) return undefined;
  const bytes = readFileSync(file);
  const digest = `${file}.sha256`;
  if (existsSync(digest) && readFileSync(digest, 'utf8').trim() !== createHash('sha256').update(bytes).digest('hex')) {
    throw new ExecutableError(`${file} is not what was built: build or install the package again`);
  }
  return bytes;
}

function findFile(name: string): string | undefined {
  // The sources and dist/ lie at different depths below the package.
  const here = import.meta.url;
  for (let folder = dirname(here.startsWith('file:') ? fileURLToPath(here) : here), up = dirname(folder); ; folder = up, up = dirname(up)) {
    for (const place of ['runtimes/cni/executable', 'dist/cni']) {
      const file = join(folder, place, name);
      if (existsSync(file)) return file;
    }
    if (up === folder) return undefined;
  }
}

/**
 * A form with its values, ready to be installed. `interpreter` is the absolute path of perl or Node on the host that will run it. Throws
 * {@link ExecutableError} for values that don't fit.
 */
export function fillExecutable(template: Buffer, options: ExecutableOptions, interpreter?: string): Buffer {
  const { socketPath, spoolPath, deadline = 115_000 } = options;
  if (!Number.isInteger(deadline) || deadline < 1) throw new ExecutableError('the deadline is a positive number of milliseconds');
  let bytes: Buffer = Buffer.from(template);
  if (interpreter !== undefined) {
    // The kernel takes no longer line, and divides it at spaces.
    if (!isPlainPath(interpreter) || interpreter.length > 120)
      throw new ExecutableError(`${interpreter} can't stand in a script's first line`);
    bytes = Buffer.concat([Buffer.from(`#!${interpreter}`), bytes.subarray(bytes.indexOf('\n'))]);
  }
  bytes = fillSlot(bytes, 'socket_path', pathOf('socket', socketPath));
  bytes = fillSlot(bytes, 'spool_path', pathOf('spool folder', spoolPath));
  return fillSlot(bytes, 'deadline_ms', String(deadline));
}

/** Whether a file's bytes are one of our executables, of any version. */
export function isExecutableOfOurs(bytes: Buffer): boolean {
  return bytes.includes(`${SLOT}socket_path=`);
}

/** Paths go into programs and messages as they are: so they are plain. */
function isPlainPath(path: string): boolean {
  return /^\/[A-Za-z0-9._/+@-]*$/.test(path);
}

function pathOf(what: string, path: string): string {
  if (!isPlainPath(path)) {
    throw new ExecutableError(`the path of the ${what} must be absolute and of letters, digits and ._/+@-: ${JSON.stringify(path)}`);
  }
  return path;
}

function fillSlot(bytes: Buffer, name: keyof typeof SLOT_SIZES, value: string): Buffer {
  const size = SLOT_SIZES[name];
  if (value.length > size) throw new ExecutableError(`${JSON.stringify(value)} is longer than ${size} characters`);
  const marker = `${SLOT}${name}=`;
  const start = bytes.indexOf(marker) + marker.length;
  if (start < marker.length || bytes.includes(marker, start)) throw new ExecutableError(`the executable has not one place for ${name}`);
  let end = start;
  while (end < bytes.length && bytes[end] !== 0 && bytes[end] !== 0x27) end++;
  if (bytes[end] === 0x27) return Buffer.concat([bytes.subarray(0, start), Buffer.from(value), bytes.subarray(end)]);
  // In a program everything stays where it is: the value's room ends with zeros.
  if (bytes.subarray(end, start + size + 1).some((byte) => byte !== 0)) throw new ExecutableError(`the executable has no room for ${name}`);
  const filled = Buffer.from(bytes);
  filled.fill(0, start, start + size + 1).write(value, start, 'latin1');
  return filled;
}
