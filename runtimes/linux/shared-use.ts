import type { Operation } from '../../engine/step/operation.ts';
import { type Journal, ownerOf } from './journal.ts';

/**
 * Whether a recorded step is about a shared thing, by its lock keys: whoever made it, it stays then. `except`: a plan that does not count.
 * To be asked while the keys are held, or somebody may begin to use it.
 */
export function isUsed(journal: Journal, operation: Operation, keys: readonly string[], except?: string): boolean {
  for (const record of journal.records()) {
    if (record.id === except) continue;
    for (const { step, memory, outputs } of record.steps) {
      if (step.operation !== operation.name) continue;
      const context = {
        owner: ownerOf(record),
        netns: record.netns,
        netnsGone: false,
        ...(memory === undefined ? {} : { memory }),
        ...(outputs === undefined ? {} : { outputs }),
      };
      if (operation.lockKeys(step.arguments, context).some((key) => keys.includes(key))) return true;
    }
  }
  return false;
}
