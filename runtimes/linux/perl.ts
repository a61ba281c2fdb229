import { spawnSync } from 'node:child_process';
import { childEnvironment, findProgram } from './child.ts';

/** Milliseconds for a program of nothing. */
const PATIENCE = 2000;

/** The file of a perl that runs; undefined where there is none. */
export function findPerl(): string | undefined {
  const perl = findProgram('perl');
  if (perl === undefined) return undefined;
  const { status } = spawnSync(perl, ['-e', 'exit 7'], { env: childEnvironment(), timeout: PATIENCE, stdio: 'ignore' });
  return status === 7 ? perl : undefined;
}
