import { getPriority, setPriority } from 'node:os';

/** As nice(1) has it: -20 is first, 0 is what programs have. */
const ORDINARY = 0;
const RAISED = -10;

/**
 * Lets this process, and the children that it starts from here on, go before others: for what others wait for and what takes little time. A
 * process that was started with a priority of its own keeps it, and so does one that may not raise it.
 */
export function raisePriority(): void {
  try {
    if (getPriority() === ORDINARY) setPriority(RAISED);
  } catch {
    // It works as well, and waits for its turn.
  }
}

/** Gives a child that works for somebody else the priority of programs. */
export function lowerPriority(pid: number | undefined): void {
  try {
    // Where it was not raised, it is not lowered.
    if (pid !== undefined && getPriority() === RAISED) setPriority(pid, ORDINARY);
  } catch {
    // It has ended.
  }
}
