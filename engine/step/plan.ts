import type { Json, JsonObject } from '../object/json.ts';
import type { DocumentPath } from '../text/document.ts';
import type { Netns } from './effect.ts';
import type { OwnerTag } from './operation.ts';
import type { Requirement } from './requirement.ts';

/** A step with all its arguments, ready to be performed, checked, undone, and written to a journal. */
export interface BoundStep {
  /** The step's id, or `<operation>` with a number where it has none; with `/<index>` or `/<key>` where it repeats. Unique in its plan. */
  readonly key: string;
  /** Name of the operation. */
  readonly operation: string;
  readonly arguments: JsonObject;
  /** Milliseconds for one verb of this step. */
  readonly timeout: number;
  /** Where the step stands in its rule, and the line of its file where it is known (from 1), for messages. */
  readonly path: DocumentPath;
  readonly line?: number;
}

/**
 * An ordered list of steps that becomes known while it is performed: arguments, `when` and `forEach` may depend on what earlier steps
 * gave. The executor makes it; whoever performs, prints or tests it walks through it.
 */
export interface Plan {
  /** The same subject, the same id: {@link OwnerTag.id} of its owner. */
  readonly id: string;
  readonly owner: OwnerTag;
  readonly netns: Netns;
  /** Kept with the plan in the journal, for whoever needs to know later whom it was for. */
  readonly subject: JsonObject;
  /** What the host must have, as far as that is known before the walk: without it nothing is begun. Steps ask for the rest as they come. */
  readonly requirements?: readonly Requirement[];
  /** A new walk from the start. */
  walk(): PlanWalk;
}

export interface PlanWalk {
  /** The next step; undefined when there is none. Throws {@link BindError} when an expression fails or gives what does not fit. */
  next(): BoundStep | undefined;
  /** Says what the step that `next` gave ended with, before `next` is called again. */
  done(outputs: JsonObject): void;
}

/** An expression of a step failed, or an argument does not fit. */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly step: string;
  readonly path: DocumentPath;
  readonly line: number | undefined;
  constructor(message: string, step: string, path: DocumentPath, line: number | undefined) {
    super(message);
    this.step = step;
    this.path = path;
    this.line = line;
  }
}

/** A step that was performed, as a journal keeps it. */
export interface PerformedStep {
  readonly step: BoundStep;
  /** Undefined while `ensure` has not ended. */
  readonly outputs?: JsonObject;
  readonly memory?: Json;
}
