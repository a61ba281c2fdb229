import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { parseJsonBody, stringifyJson } from '../host/json-body.ts';

/*
 * A log of JSON values on disk, one a line:
 *
 *     <CRC-32 of what follows, 8 hexadecimal digits> <bytes of the JSON> <bytes of the file known to be on disk then> <JSON>\n
 *
 * The file is longer than its lines: zeros are written ahead, so that appending on a full disk still finds its room (for what must not
 * fail, a reserve), and so that fdatasync has no size to write.
 *
 * `write` is enough against the death of the process, for the page cache outlives it; only what must outlive the machine's power is worth
 * a wait for `sync`. That is why both exist.
 */

/** The log can't be read, or can't be written. `message` is complete and says what to do. */
export class RecordLogError extends Error {
  override readonly name = 'RecordLogError';
  /** `full`: no room on the disk; nothing was written. `damaged`: its content is not what was written. `io`: everything else. */
  readonly code: 'full' | 'damaged' | 'io';
  constructor(code: 'full' | 'damaged' | 'io', message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface RecordLogOptions {
  readonly file: string;
  /** Given each value of the file, in order. */
  readonly read: (value: unknown) => void;
  /** Whether the machine was started anew since the values that were read so far: then the end of the log may have been lost with it. */
  readonly rebooted: () => boolean;
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly crashPoint: (name: string) => void;
}

/** Bytes of one line; a value that is longer is refused. */
const MAX_LINE = 16 * 1024 * 1024;
/** Bytes; a log beyond that is not ours. */
const MAX_FILE = 1024 * 1024 * 1024;
/** Zeros are written ahead by as much. */
const AHEAD = 256 * 1024;
/** Of them, kept for what must be written on a full disk. */
const RESERVE = 64 * 1024;

const NEWLINE = 0x0a;
const syncData = promisify(fdatasync);
const writeAt = promisify(write);

/** One process has one log open. */
export class RecordLog {
  readonly #options: RecordLogOptions;
  #fd: number;
  /** Where the next line goes; zeros follow, up to `#allocated`. */
  #end: number;
  #allocated: number;
  /** Lines appended, and how many of them are known to be on disk; `#durableEnd` is that as an offset. */
  #appended = 0;
  #durable = 0;
  #durableEnd = 0;
  #syncing: Promise<void> | undefined;
  /** While the log is written anew: what was appended since. */
  #meanwhile: string[] | undefined;

  private constructor(options: RecordLogOptions, fd: number, end: number, allocated: number) {
    this.#options = options;
    this.#fd = fd;
    this.#end = end;
    this.#allocated = allocated;
  }

  /**
   * Opens a log, or makes it, and reads it. A last line that was not written to its end is passed over; after a start of the machine so is
   * everything that was never waited for. Throws {@link RecordLogError}.
   */
  static open(options: RecordLogOptions): RecordLog {
    rmSync(rewriteName(options.file), { force: true });
    let fd: number | undefined;
    try {
      fd = openSync(options.file, constants.O_RDWR | constants.O_CREAT, 0o600);
      const content = readWhole(fd, options.file);
      // One that was just made is in its folder for good before it is relied on.
      if (content.length === 0) syncFolder(dirname(options.file));
      const end = readLines(content, options);
      const log = new RecordLog(options, fd, end, content.length);
      // What follows the last line must be zeros, or it would be taken for a line one day.
      if (lastNonZero(content) > end) log.#cut();
      return log;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      throw error instanceof RecordLogError ? error : ioError(error, options.file);
    }
  }

  /** Bytes of lines. */
  get size(): number {
    return this.#end;
  }

  /**
   * Appends a value: it outlives this process from here on, and the machine's power after {@link sync}. `essential`: may use the reserve.
   * Throws {@link RecordLogError}; then nothing is appended.
   */
  append(value: unknown, essential = false): void {
    const json = stringifyJson(value);
    const line = encode(json, this.#durableEnd);
    if (line.length > MAX_LINE) {
      throw new RecordLogError('io', `${this.#options.file}: a record of ${line.length} bytes is too long, at most ${MAX_LINE} are kept`);
    }
    this.#makeRoom(line.length, essential);
    this.#write(line);
    this.#appended++;
    this.#meanwhile?.push(json);
  }

  /** Waits until everything that was appended is on disk. Many who wait share one write of the disk. Throws {@link RecordLogError}. */
  async sync(): Promise<void> {
    const wanted = this.#appended;
    while (this.#durable < wanted) {
      this.#syncing ??= this.#syncOnce().finally(() => {
        this.#syncing = undefined;
      });
      await this.#syncing;
    }
  }

  async #syncOnce(): Promise<void> {
    const [appended, end] = [this.#appended, this.#end];
    try {
      await syncData(this.#fd);
    } catch (error) {
      throw ioError(error, this.#options.file);
    }
    if (appended > this.#durable) [this.#durable, this.#durableEnd] = [appended, end];
  }

  /**
   * Replaces the log's content at once by these values; what is appended meanwhile follows them. Everything is on disk then. After a
   * failure ({@link RecordLogError}) the log is as it was. Not to be called while it runs.
   */
  async rewrite(values: Iterable<unknown>): Promise<void> {
    const { file, crashPoint } = this.#options;
    const name = rewriteName(file);
    const lines: Buffer[] = [];
    for (const value of values) lines.push(encode(stringifyJson(value), 0));
    const meanwhile: string[] = [];
    this.#meanwhile = meanwhile;
    let fd: number | undefined;
    try {
      fd = openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
      lines.push(Buffer.alloc(AHEAD));
      const content = Buffer.concat(lines);
      let end = content.length - AHEAD;
      for (let written = 0; written < content.length; ) {
        written += (await writeAt(fd, content, written, content.length - written, written)).bytesWritten;
      }
      await syncData(fd);
      crashPoint('rewrite written');
      // Nothing can be appended from here to the end: this is one turn of the event loop.
      const rest = Buffer.concat(meanwhile.map((json) => encode(json, end)));
      for (let written = 0; written < rest.length; ) written += writeSync(fd, rest, written, rest.length - written, end + written);
      end += rest.length;
      fdatasyncSync(fd);
      crashPoint('before rename');
      renameSync(name, file);
      // From here on the old file is nobody's: whatever happens, lines go to the new one.
      const [old, syncing] = [this.#fd, this.#syncing];
      this.#fd = fd;
      this.#end = end;
      this.#allocated = fstatSync(fd).size;
      fd = undefined;
      // A sync of the old file may be under way; its descriptor must not be given to another file before.
      void (syncing ?? Promise.resolve()).catch(() => undefined).then(() => closeSync(old));
      crashPoint('after rename');
      syncFolder(dirname(file));
      [this.#durable, this.#durableEnd] = [this.#appended, end];
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      rmSync(name, { force: true });
      throw ioError(error, file);
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.#syncing?.catch(() => undefined);
    closeSync(this.#fd);
  }

  #makeRoom(bytes: number, essential: boolean): void {
    const needed = this.#end + bytes + (essential ? 0 : RESERVE);
    if (needed <= this.#allocated) return;
    const zeros = Buffer.alloc(needed - this.#allocated + AHEAD);
    try {
      for (let rest = zeros.length; rest > 0; ) {
        const written = writeSync(this.#fd, zeros, 0, rest, this.#allocated);
        this.#allocated += written;
        rest -= written;
      }
    } catch (error) {
      // Some of it may have found its room, and that may be enough.
      if (needed > this.#allocated) throw ioError(error, this.#options.file);
    }
  }

  #write(line: Buffer): void {
    try {
      for (let written = 0; written < line.length; ) {
        written += writeSync(this.#fd, line, written, line.length - written, this.#end + written);
      }
      this.#end += line.length;
    } catch (error) {
      this.#cut();
      throw ioError(error, this.#options.file);
    }
  }

  /** Takes away what follows the last line. */
  #cut(): void {
    ftruncateSync(this.#fd, this.#end);
    this.#allocated = this.#end;
  }
}

const rewriteName = (file: string): string => `${file}.new`;

function encode(json: string, durable: number): Buffer {
  const rest = `${Buffer.byteLength(json)} ${durable} ${json}`;
  return Buffer.from(`${crc32(rest).toString(16).padStart(8, '0')} ${rest}\n`);
}

interface Line {
  readonly durable: number;
  readonly json: Buffer;
}

/** A line without its end; undefined where it is not as it was written. */
function decode(line: Buffer): Line | undefined {
  const head = /^([0-9a-f]{8}) (\d{1,10}) (\d{1,16}) /.exec(line.toString('latin1', 0, 40));
  if (head === null) return undefined;
  const json = line.subarray(head[0].length);
  if (json.length !== Number(head[2]) || crc32(line.subarray(9)) !== Number.parseInt(head[1]!, 16)) return undefined;
  return { durable: Number(head[3]), json };
}

function readWhole(fd: number, file: string): Buffer {
  const { size } = fstatSync(fd);
  if (size > MAX_FILE) throw new RecordLogError('damaged', `${file}: has ${size} bytes, at most ${MAX_FILE} are read: is it a journal?`);
  const content = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const count = readSync(fd, content, length, size - length, length);
    if (count === 0) break;
    length += count;
  }
  return content.subarray(0, length);
}

/** Offset after the last byte that is not 0. */
function lastNonZero(content: Buffer): number {
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return end;
}

/** Gives the values to `read` and answers the offset after the last of them. */
function readLines(content: Buffer, options: RecordLogOptions): number {
  const used = lastNonZero(content);
  let offset = 0;
  for (let number = 1; offset < used; number++) {
    const newline = content.indexOf(NEWLINE, offset);
    const line = newline === -1 ? undefined : decode(content.subarray(offset, newline));
    if (line === undefined) {
      judgeBroken(content.subarray(0, used), offset, number, options);
      return offset;
    }
    options.read(parseJsonBody(line.json));
    offset = newline + 1;
  }
  return offset;
}

/** Returns where a line that can't be read is nothing to worry about, and throws where it is. */
function judgeBroken(content: Buffer, offset: number, number: number, { file, rebooted, log }: RecordLogOptions): void {
  if (content.indexOf(NEWLINE, offset) === -1) {
    log('the last line of the journal was not written to its end and is passed over: what it announces was not begun', {
      file,
      line: number,
    });
    return;
  }
  // With the machine's power, lines that nobody waited for may be lost in any order; a later line says up to where they were waited for.
  if (rebooted() && waitedFor(content, offset) <= offset) {
    log('the end of the journal was lost when the machine stopped, with everything that it was about', { file, line: number });
    return;
  }
  throw new RecordLogError(
    'damaged',
    `${file}: line ${number} is damaged, and lines follow it: keep a copy of the file, delete that line (sed -i ${number}d), start again, and collect what no record knows any more (fairlead cni gc)`,
  );
}

/** The furthest offset that lines from `offset` on know to be on disk. */
function waitedFor(content: Buffer, offset: number): number {
  let furthest = 0;
  for (let start = offset; ; ) {
    const newline = content.indexOf(NEWLINE, start);
    if (newline === -1) return furthest;
    // A hole of zeros may stand before a line.
    let begin = start;
    while (content[begin] === 0) begin++;
    furthest = Math.max(furthest, decode(content.subarray(begin, newline))?.durable ?? 0);
    start = newline + 1;
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function ioError(error: unknown, file: string): RecordLogError {
  if (error instanceof RecordLogError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new RecordLogError('full', `${file}: there is no room on the disk: make some, nothing can be begun without it`, error);
  }
  return new RecordLogError('io', `${file}: ${message}`, error);
}
