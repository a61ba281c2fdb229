import { formatPath } from '../../text/document.ts';
import type { ReconcileFailure, StatusCondition, WaitingObject } from './program.ts';

/** How one object of a rule is doing. */
export interface Verdict {
  readonly id: string;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason: string;
  /** It will not become ready without somebody's doing. */
  readonly failed: boolean;
}

/** What a message lists at most. */
const MAX_LISTED = 3;

/**
 * The conditions that every instance has, as kstatus reads them: Ready, and of the two that say why not, Reconciling while something is
 * under way, Stalled where it will not go on by itself.
 */
export function conditionsOf(
  verdicts: readonly Verdict[],
  waiting: readonly WaitingObject[],
  failures: readonly ReconcileFailure[],
): readonly StatusCondition[] {
  const failed = verdicts.filter((verdict) => verdict.failed);
  const unready = verdicts.filter((verdict) => !verdict.ready);
  if (failures.length > 0) {
    return stalled('RuleFailed', listed(failures.map(({ path, message }) => `${formatPath(path)}: ${message}`)));
  }
  if (failed.length > 0) return stalled('ObjectFailed', listed(failed.map(({ reason }) => reason)));
  if (unready.length > 0) return reconciling('NotReady', listed(unready.map(({ reason }) => reason)));
  if (waiting.length > 0) return reconciling('Waiting', listed(waiting.map(({ id, reason }) => `${id}: ${reason}`)));
  const message = verdicts.length === 1 ? 'the object is ready' : `all ${verdicts.length} objects are ready`;
  return [
    { type: 'Ready', status: 'True', reason: 'Ready', message },
    { type: 'Reconciling', status: 'False', reason: 'Ready', message: '' },
    { type: 'Stalled', status: 'False', reason: 'Ready', message: '' },
  ];
}

function reconciling(reason: string, message: string): readonly StatusCondition[] {
  return [
    { type: 'Ready', status: 'False', reason, message },
    { type: 'Reconciling', status: 'True', reason, message },
    { type: 'Stalled', status: 'False', reason: 'Reconciling', message: '' },
  ];
}

function stalled(reason: string, message: string): readonly StatusCondition[] {
  return [
    { type: 'Ready', status: 'False', reason, message },
    { type: 'Reconciling', status: 'False', reason: 'Stalled', message: '' },
    { type: 'Stalled', status: 'True', reason, message },
  ];
}

function listed(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  const rest = distinct.length - MAX_LISTED;
  return `${distinct.slice(0, MAX_LISTED).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
