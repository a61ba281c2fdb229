import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Calls of a plugin, by verb. */
export interface CallRecord {
  /** Folder of executables that write down how they were called, and then become the real ones. */
  readonly folder: string;
  /** Verbs in the order of the calls: `ADD`. */
  verbs(): readonly string[];
}

/** Puts itself before these plugins; `find` answers where the real one is. */
export function recordCalls(folder: string, types: readonly string[], find: (type: string) => string): CallRecord {
  const own = join(folder, 'recorded-plugins');
  const log = join(folder, 'calls.log');
  mkdirSync(own, { recursive: true });
  for (const type of types) {
    const file = join(own, type);
    writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$CNI_COMMAND" >> '${log}'\nexec '${find(type)}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  return { folder: own, verbs: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []) };
}
