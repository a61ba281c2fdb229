import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, systemClock, type Timer } from './clock.ts';

/** Tells that something in a folder (not below it) may have changed. Injected in tests. */
export type FolderEvents = (folder: string, changed: () => void) => { close(): void };

/** The operating system's events. A folder that cannot be watched is left to polling. */
const fileSystemEvents: FolderEvents = (folder, changed) => {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', () => watcher?.close());
  } catch {
    // No such folder, or the system's bound on watches is reached.
  }
  return { close: () => watcher?.close() };
};

export interface FolderWatchOptions {
  /** Files and folders; folders with everything below them. They may be symlinks, and need not exist yet. */
  readonly paths: readonly string[];
  /** Called after a change has settled. Never called again before the promise it returned has settled. */
  readonly onChange: () => void | Promise<void>;
  /** Milliseconds without events after which a change counts as settled; default 100. */
  readonly settle?: number | undefined;
  /** Milliseconds between looks without events, for file systems that send none; default 30 000. */
  readonly poll?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly events?: FolderEvents | undefined;
}

export interface FolderWatch {
  /** Looks now; resolves after {@link FolderWatchOptions.onChange} if something had changed. */
  check(): Promise<void>;
  close(): void;
}

/** In settling times. */
const LONGEST_SETTLING = 10;
const MAX_ENTRIES = 10_000;
const MAX_DEPTH = 16;

/**
 * Watches files and folders for changes of content, by their identity, size and times, through symlinks. So it also sees
 * how Kubernetes updates a mounted Secret or ConfigMap: `..data` is a symlink that is swapped to a new folder, and
 * the files that one named are still where they were.
 */
export async function watchFolder(options: FolderWatchOptions): Promise<FolderWatch> {
  const { paths, onChange, settle = 100, poll = 30_000, clock = systemClock, events = fileSystemEvents } = options;
  const watched = new Map<string, { close(): void }>();
  let closed = false;
  let settling: Timer | undefined;
  let polling: Timer | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  let firstTouch: number | undefined;
  const touched = (): void => {
    if (closed) return;
    settling?.cancel();
    // A neighbour that is written without end, such as a log file, must not put off a change for ever.
    firstTouch ??= clock.elapsed();
    const patience = firstTouch + LONGEST_SETTLING * settle - clock.elapsed();
    settling = clock.after(Math.min(settle, patience), () => {
      firstTouch = undefined;
      void check();
    });
  };

  async function look(): Promise<string> {
    const seen = await fingerprint(paths);
    for (const folder of seen.folders) if (!watched.has(folder) && !closed) watched.set(folder, events(folder, touched));
    for (const [folder, watcher] of watched) {
      if (seen.folders.has(folder)) continue;
      watcher.close();
      watched.delete(folder);
    }
    return seen.print;
  }

  let last = await look();

  async function run(): Promise<void> {
    do {
      again = false;
      const print = await look();
      if (print === last || closed) continue;
      last = print;
      await onChange();
    } while (again && !closed);
  }

  function check(): Promise<void> {
    if (closed) return Promise.resolve();
    again = true;
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  }

  const schedulePoll = (): void => {
    polling = clock.after(poll, () => {
      void check();
      if (!closed) schedulePoll();
    });
  };
  schedulePoll();

  return {
    check,
    close() {
      closed = true;
      settling?.cancel();
      polling?.cancel();
      for (const watcher of watched.values()) watcher.close();
      watched.clear();
    },
  };
}

/** What the paths hold now, as a text that differs when the content may, and the folders whose events matter. */
async function fingerprint(paths: readonly string[]): Promise<{ readonly print: string; readonly folders: ReadonlySet<string> }> {
  const lines: string[] = [];
  const folders = new Set<string>();
  const visit = async (path: string, depth: number): Promise<void> => {
    if (lines.length >= MAX_ENTRIES || depth > MAX_DEPTH) return;
    try {
      // A symlink's own folder tells of its swap, the target's folder tells of writes into it.
      if ((await lstat(path)).isSymbolicLink()) folders.add(dirname(await realpath(path)));
      const info = await stat(path, { bigint: true });
      if (!info.isDirectory()) {
        lines.push(`${path}\0${info.dev}:${info.ino}:${info.size}:${info.mtimeNs}:${info.ctimeNs}`);
        return;
      }
      folders.add(path);
      lines.push(`${path}/\0${info.dev}:${info.ino}`);
      const names = await readdir(path);
      for (const name of names.sort()) {
        // Hidden entries are the workings of editors, version control and mounted volumes.
        if (!name.startsWith('.')) await visit(join(path, name), depth + 1);
      }
    } catch (error) {
      lines.push(`${path}\0${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
    }
  };
  for (const path of paths) {
    folders.add(dirname(path));
    await visit(path, 0);
  }
  return { print: lines.join('\n'), folders };
}
