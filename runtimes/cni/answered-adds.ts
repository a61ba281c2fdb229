import { closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs';
import type { LineLog } from '../host/log.ts';
import type { AnsweredAdds } from './verbs/verb-context.ts';

export interface AnsweredAddsOptions {
  readonly file: string;
  /** Whether an attachment is still recorded; others are forgotten at the start. */
  readonly isRecorded: (id: string) => boolean;
  readonly log: LineLog;
  /** Bytes; a file that is longer is written anew with what it still says. Default: a mebibyte. */
  readonly rewriteSize?: number;
}

export type AnsweredAddsFile = Required<AnsweredAdds>;

/** Bytes; a file beyond that is not ours. */
const MAX_SIZE = 64 * 1024 * 1024;
const LINE_LENGTH = 18;
const LINE = /^([+-])([0-9a-f]{16})$/;

/**
 * Which ADDs were answered, kept across restarts of the daemon: lines `+<id>` and `-<id>` at the end of a file. It is written without waiting for
 * the disk, for what it tells is of no use after the machine was started anew. Where it can't be written, an ADD that is repeated after a restart
 * is done anew instead of refused; nothing else depends on it.
 */
export function openAnsweredAdds({ file, isRecorded, log, rewriteSize = 1024 * 1024 }: AnsweredAddsOptions): AnsweredAddsFile {
  const answered = new Set<string>();
  let handle: number | undefined;
  let size = 0;

  function rewrite(): void {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
    const text = [...answered].map((id) => `+${id}\n`).join('');
    try {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
      handle = openSync(file, 'a', 0o600);
      size = text.length;
    } catch (error) {
      log('it is not kept which ADDs were answered', { error: (error as Error).message });
    }
  }

  function append(sign: '+' | '-', id: string): void {
    if (handle === undefined) return;
    try {
      size += writeSync(handle, `${sign}${id}\n`);
      if (size > rewriteSize && size > answered.size * 4 * LINE_LENGTH) rewrite();
    } catch (error) {
      closeSync(handle);
      handle = undefined;
      log('it is not kept any more which ADDs were answered', { error: (error as Error).message });
    }
  }

  for (const line of readLines(file)) {
    const [, sign, id = ''] = LINE.exec(line) ?? [];
    if (sign === '+' && isRecorded(id)) answered.add(id);
    else answered.delete(id);
  }
  rewrite();
  return {
    has: (id) => answered.has(id),
    add(id) {
      answered.add(id);
      append('+', id);
    },
    delete(id) {
      if (answered.delete(id)) append('-', id);
    },
    close() {
      if (handle !== undefined) closeSync(handle);
      handle = undefined;
    },
  };
}

function readLines(file: string): readonly string[] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.size > MAX_SIZE) return [];
  return readFileSync(file, 'utf8').split('\n');
}
