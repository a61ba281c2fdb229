import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from './error-message.ts';
import { FileError } from './text-files.ts';

const LOCK = 'lock';

/**
 * Makes a folder where there is none and holds it for this process, until what is returned is called. Throws {@link FileError} where another
 * process holds it, or where it cannot be written. The lock of a process that was killed is taken over. Processes are told apart by their
 * number and beginning, so this is for one machine: containers that share a volume do not see each other.
 */
export function holdFolder(folder: string): () => void {
  const lock = join(folder, LOCK);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const holder = holderOf(lock);
    if (holder !== undefined && isOther(holder)) {
      const remedy = `end that one, or choose another folder (if it is not: delete ${lock})`;
      throw new FileError(folder, `process ${holder.pid} works with it: ${remedy}`);
    }
    rmSync(lock, { force: true });
    writeLock(lock);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(folder, describeFolderFailure(error));
  }
  return () => rmSync(lock, { force: true });
}

/** Why a folder can't be had or written, in words that follow its path. */
export function describeFolderFailure(error: unknown): string {
  return REASONS.get((error as NodeJS.ErrnoException).code ?? '') ?? errorMessage(error);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'is not a folder, or another process has just begun to work with it'],
  ['ENOTDIR', 'is below something that is not a folder'],
  ['EACCES', 'may not be written'],
  ['EPERM', 'may not be written'],
  ['EROFS', 'is on a disk that is read-only'],
  // Node says so of a folder that can't be made on such a disk.
  ['ENOENT', "can't be made: is the disk read-only?"],
  ['ENOSPC', 'is on a disk that is full'],
  ['EDQUOT', 'is on a disk that is full'],
]);

/**
 * Exclusively, so that of two that find no lock one wins. Two that take over the same old lock at the same moment are not told apart.
 *
 * On a full disk there is no block for a file's content. A symbolic link that leads to a few characters has them in its inode.
 */
function writeLock(lock: string): void {
  const text = `${process.pid} ${beginningOf(process.pid) ?? ''}`.trim();
  try {
    writeFileSync(lock, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // The file is there, without content.
    rmSync(lock, { force: true });
    symlinkSync(text, lock);
  }
}

interface Holder {
  readonly pid: number;
  /** Of {@link beginningOf}. */
  readonly began?: string | undefined;
}

function holderOf(lock: string): Holder | undefined {
  try {
    const text = lstatSync(lock).isSymbolicLink() ? readlinkSync(lock) : readFileSync(lock, 'utf8');
    const [, pid, began] = /^([1-9]\d{0,9})(?: (\d+))?$/.exec(text.trim()) ?? [];
    return pid === undefined ? undefined : { pid: Number(pid), began };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the holder is another process that runs. In a container that began again, the number is this process's own. */
function isOther({ pid, began }: Holder): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = statOf(pid);
  // It was killed, and its parent has not been told yet.
  if (stat?.[0] === 'Z' || stat?.[0] === 'X') return false;
  // After a start of the machine, any process may have the number.
  const now = beginningIn(stat);
  return began === undefined || now === undefined || now === began;
}

/** When a process began, in the kernel's ticks; undefined where the system does not say. */
const beginningOf = (pid: number): string | undefined => beginningIn(statOf(pid));

/** Field 22 of proc_pid_stat(5). */
const beginningIn = (stat: readonly string[] | undefined): string | undefined => /^\d+$/.exec(stat?.[19] ?? '')?.[0];

/** What the kernel says of a process, from its state on: the fields before are a number and a name in parentheses. */
function statOf(pid: number): readonly [string, ...string[]] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ') as [string, ...string[]];
  } catch {
    return undefined;
  }
}
