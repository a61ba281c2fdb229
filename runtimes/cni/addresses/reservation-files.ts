import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Files of one network's folder. All of it is synchronous: a few system calls on a local disk, which take less time than a turn of threads. */
export interface ReservationFiles {
  /** Names of what is in the folder; none where there is no folder. */
  list(): readonly string[];
  /** The beginning of a file's text; undefined where there is none, or it is no file. */
  read(name: string): string | undefined;
  /** Makes a file that has its whole text from its first moment; false where the name is taken. Throws the system's error. */
  create(name: string, text: string): boolean;
  /** Writes a file's text anew. */
  write(name: string, text: string): void;
  /** Removes a file; nothing happens where there is none. */
  remove(name: string): void;
  /** When a file was written, in milliseconds since 1970; undefined where it is none. */
  modified(name: string): number | undefined;
  /** Changes when a name comes or goes, except within the same tick of the kernel. */
  stamp(): bigint;
}

/** More is not read of a reservation: a container id and an interface name have at most 255 and 15 characters. */
const MAX_TEXT = 512;
/** A file before it has its name. host-local does not take such a name for an address. */
const TEMPORARY = '.fairlead-';

/** Opens a folder, which is made at the first reservation, and removes what a process that was killed left half done. */
export function openReservationFiles(folder: string): ReservationFiles {
  let serial = 0;
  const buffer = Buffer.alloc(MAX_TEXT);
  const pathOf = (name: string): string => join(folder, name);

  function create(name: string, text: string): boolean {
    // A file made with its name and written after would be nobody's for a moment, or for ever when this process is killed in between.
    const temporary = pathOf(`${TEMPORARY}${process.pid}-${serial++}`);
    try {
      writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
      linkSync(temporary, pathOf(name));
      return true;
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (syscall === 'link' && code === 'EEXIST') return false;
      if (syscall === 'link' && NO_LINKS.has(code ?? '')) return createInPlace(pathOf(name), text);
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  const files: ReservationFiles = {
    list() {
      try {
        return readdirSync(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    },
    read(name) {
      let file: number;
      try {
        file = openSync(pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      } catch {
        return undefined;
      }
      try {
        return buffer.toString('utf8', 0, readSync(file, buffer, 0, MAX_TEXT, 0));
      } catch {
        return undefined;
      } finally {
        closeSync(file);
      }
    },
    create(name, text) {
      try {
        return create(name, text);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        // The folder is not there yet, or no more.
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        return create(name, text);
      }
    },
    write(name, text) {
      // In place: a file that is emptied first, or replaced, makes ext4 flush it (auto_da_alloc), which takes longer than all the rest.
      const file = openSync(pathOf(name), constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      try {
        const length = writeSync(file, text, 0);
        if (fstatSync(file).size > length) ftruncateSync(file, length);
      } finally {
        closeSync(file);
      }
    },
    remove(name) {
      try {
        unlinkSync(pathOf(name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    },
    modified(name) {
      const found = lstatSync(pathOf(name), { throwIfNoEntry: false });
      return found?.isFile() ? found.mtimeMs : undefined;
    },
    stamp() {
      return statSync(folder, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
    },
  };
  for (const name of files.list()) if (name.startsWith(TEMPORARY)) files.remove(name);
  return files;
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function createInPlace(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // Opened and not written: the disk is full.
    rmSync(path, { force: true });
    throw error;
  }
}
