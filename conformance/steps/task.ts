import type { TrialPlan } from './plans.ts';

/** Where a process is killed. Points are counted from 1; the last two kinds count only the effects that change something. */
export interface Death {
  readonly at: number;
  readonly how: 'at a point' | 'at a point, with its children' | 'during an effect' | 'children only';
}

export type Act = 'recover' | 'perform' | 'converge' | 'check' | 'undo' | 'collect' | 'count' | 'make room';

/** Beside the journal, to fill its disk; it is removed to make room. */
export const FILLER = 'filler';

/** What a process is told to do: acts one after the other, with one performer. `check` and `undo` are about all records. */
export interface Task {
  /** Of the journal. */
  readonly folder: string;
  readonly plan: TrialPlan;
  readonly netns?: string;
  readonly acts: readonly Act[];
  readonly death?: Death;
  readonly boot?: string;
  /** Performs so many plans, under different names. */
  readonly times?: number;
  /** Characters that a plan's subject has, to fill a journal. */
  readonly padding?: number;
}

/** What it answers. */
export interface Report {
  /** Failures of plans: code and message. */
  readonly failures: readonly string[];
  /** What `check` found. */
  readonly problems: readonly string[];
  /** What `recover` and `collect` could not do. */
  readonly left: readonly string[];
  /** Of `count`. */
  readonly records: number;
  /** Points at which it could have died. */
  readonly points: readonly string[];
  readonly milliseconds: number;
}
