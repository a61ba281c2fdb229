import { existsSync, readFileSync } from 'node:fs';

/**
 * Names of the cases that are known to fail, from a `known-failures.txt`: one name per line; empty lines and lines that begin
 * with `#` say why and are skipped. No file, no known failures.
 */
export function readKnownFailures(file: string): ReadonlySet<string> {
  if (!existsSync(file)) return new Set();
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Set(lines.map((line) => line.trimEnd()).filter((line) => line !== '' && !line.startsWith('#')));
}

/** How a run differs from its list of known failures. The list may only shrink: it is wrong in both directions. */
export interface ListVerdict {
  /** Failed and not on the list. */
  readonly unexpected: readonly string[];
  /** On the list, yet passed. */
  readonly fixed: readonly string[];
  /** On the list, and no case has the name. Only told of complete runs. */
  readonly stale: readonly string[];
}

/** Compares outcomes by case name with the list; `complete` says that every case of the suite was run. */
export function judge(
  outcomes: ReadonlyMap<string, 'passed' | 'failed' | 'skipped'>,
  known: ReadonlySet<string>,
  complete: boolean,
): ListVerdict {
  const unexpected: string[] = [];
  for (const [name, outcome] of outcomes) if (outcome === 'failed' && !known.has(name)) unexpected.push(name);
  const fixed: string[] = [];
  const stale: string[] = [];
  for (const name of known) {
    const outcome = outcomes.get(name);
    if (outcome === 'passed') fixed.push(name);
    if (outcome === undefined && complete) stale.push(name);
  }
  return { unexpected, fixed, stale };
}
