import type { JournalRecord } from './journal.ts';
import type { StepFailure } from './performer.ts';
import type { PerformerParts, PlanRun } from './plan-run.ts';

/**
 * Undoes a record's steps, the last first, and forgets it. Goes on after a failure; what failed stays recorded as `undoing`. Answers the
 * failures.
 *
 * While it works nothing is written: steps may be undone again, so after a death in between it begins anew. That it is done need not be on
 * disk before it is answered where only the kernel was touched: after a loss of power all of that is gone, and the record is of an earlier
 * boot and undone once more. A file may be another's by then, so where files or outside things were touched, it is waited for.
 */
export async function undoSteps(
  { journal }: PerformerParts,
  run: PlanRun,
  record: JournalRecord,
  signal: AbortSignal | undefined,
): Promise<readonly StepFailure[]> {
  const failures: StepFailure[] = [];
  const undone: string[] = [];
  for (const performed of record.steps.toReversed()) {
    try {
      await run.undo(performed, signal);
      undone.push(performed.step.key);
    } catch (error) {
      failures.push(run.failure('undo', performed.step, error));
    }
  }
  if (failures.length === 0) journal.forget(record.id);
  else {
    if (undone.length > 0) journal.undone(record.id, undone);
    journal.undoing(record.id);
  }
  if (run.touchedDisk) await journal.sync();
  return failures;
}
