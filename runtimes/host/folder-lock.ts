import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from './text-files.ts';

const LOCK = 'lock';

/**
 * Makes a folder where there is none and holds it for this process, until what is returned is called. Throws {@link FileError} where another
 * process holds it, or where it cannot be written. The lock of a process that was killed is taken over. Processes are told apart by their
 * number, so this is for one machine: containers that share a volume do not see each other.
 */
export function holdFolder(folder: string): () => void {
  const lock = join(folder, LOCK);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const holder = holderOf(lock);
    if (holder !== undefined && isOther(holder)) {
      throw new FileError(folder, `process ${holder} works with it: end that one, or choose another folder (if it is not: delete ${lock})`);
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
  return REASONS.get((error as NodeJS.ErrnoException).code ?? '') ?? (error instanceof Error ? error.message : String(error));
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
  try {
    writeFileSync(lock, `${process.pid}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // The file is there, without content.
    rmSync(lock, { force: true });
    symlinkSync(`${process.pid}`, lock);
  }
}

function holderOf(lock: string): number | undefined {
  try {
    const text = (lstatSync(lock).isSymbolicLink() ? readlinkSync(lock) : readFileSync(lock, 'utf8')).trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether another process of this number runs. In a container that began again, the number is this process's own. */
function isOther(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
