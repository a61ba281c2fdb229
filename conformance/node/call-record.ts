import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Calls of plugins. */
export interface CallRecord {
  /** Folder of executables that write down how they were called, and then become the real ones. */
  readonly folder: string;
  /** Verbs in which one of these plugins was called, in order: `ADD`. */
  verbs(type: string): readonly string[];
}

/** Puts itself before these plugins; `find` answers where the real one is. */
export function recordCalls(folder: string, types: readonly string[], find: (type: string) => string): CallRecord {
  const own = join(folder, 'recorded-plugins');
  const logOf = (type: string): string => join(own, `${type}.log`);
  mkdirSync(own, { recursive: true });
  for (const type of types) {
    const file = join(own, type);
    writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$CNI_COMMAND" >> '${logOf(type)}'\nexec '${find(type)}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  return {
    folder: own,
    verbs: (type) => (existsSync(logOf(type)) ? readFileSync(logOf(type), 'utf8').split('\n').filter(Boolean) : []),
  };
}
