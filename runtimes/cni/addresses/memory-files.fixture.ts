import type { ReservationFiles } from './reservation-files.ts';

export interface MemoryFiles extends ReservationFiles {
  readonly texts: Map<string, string>;
  /** Called before a file is made; may throw, and may make it. */
  beforeCreate: (name: string) => void;
  /** Marks a file as written now. */
  touch(name: string): void;
}

/** Files of reservations in memory, for tests. */
export function memoryFiles(now: () => number = () => 0): MemoryFiles {
  const texts = new Map<string, string>();
  const times = new Map<string, number>();
  const files: MemoryFiles = {
    texts,
    beforeCreate: () => {},
    touch: (name) => void times.set(name, now()),
    list: () => [...texts.keys()],
    read: (name) => texts.get(name),
    create(name, text) {
      files.beforeCreate(name);
      if (texts.has(name)) return false;
      texts.set(name, text);
      files.touch(name);
      return true;
    },
    write: (name, text) => void texts.set(name, text),
    remove: (name) => void texts.delete(name),
    modified: (name) => (texts.has(name) ? (times.get(name) ?? 0) : undefined),
    // What others do is not seen by it: within a tick of the kernel it would not be either.
    stamp: () => BigInt(texts.size),
  };
  return files;
}
